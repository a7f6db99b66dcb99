"""The number of concurrent requests."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from anyio.lowlevel import checkpoint

from dify_async import DifyError
from dify_async._http.limiter import AdaptiveLimiter


async def test_the_limit_and_the_order() -> None:
    limiter, order, most = AdaptiveLimiter(3), [], 0

    async def use(number: int) -> None:
        nonlocal most
        if not limiter.try_acquire():
            await limiter.acquire()
        order.append(number)
        most = max(most, limiter.taken)
        await checkpoint()
        limiter.release()

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(use, number)
    assert most == 3
    assert order == list(range(50))
    assert limiter.taken == 0


async def test_a_slot_of_a_cancelled_waiter_goes_to_the_next() -> None:
    limiter = AdaptiveLimiter(1)
    assert limiter.try_acquire()
    first = asyncio.create_task(limiter.acquire())
    second = asyncio.create_task(limiter.acquire())
    await checkpoint()
    limiter.release()  # to the first, which is cancelled before it runs
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert limiter.taken == 1
    limiter.release()
    assert limiter.try_acquire()


async def test_cancelled_waiters_are_skipped() -> None:
    limiter = AdaptiveLimiter(1)
    assert limiter.try_acquire()
    waiting = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
    await checkpoint()
    waiting[0].cancel()
    waiting[1].cancel()
    limiter.release()
    await waiting[2]
    limiter.release()
    assert limiter.taken == 0


async def test_new_requests_wait_after_the_others() -> None:
    limiter = AdaptiveLimiter(1)
    assert limiter.try_acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await checkpoint()
    limiter.release()
    assert not limiter.try_acquire()
    await waiting


async def test_waiters_get_the_error_when_the_client_is_closed() -> None:
    limiter = AdaptiveLimiter(1)
    assert limiter.try_acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await checkpoint()
    limiter.refuse_waiting(DifyError("closed"))
    with pytest.raises(DifyError, match="closed"):
        await waiting
    assert limiter.taken == 1


def test_overload_halves_the_slots_and_success_restores_them() -> None:
    limiter = AdaptiveLimiter(8)
    for _ in range(8):
        assert limiter.try_acquire()
    for _ in range(8):  # one cut for all requests of the same round
        limiter.on_overload()
        limiter.release()
    assert limiter.allowed == 4
    assert [limiter.try_acquire() for _ in range(5)] == [True] * 4 + [False]
    for _ in range(4):
        limiter.on_success()
        limiter.release()
    assert limiter.allowed in {4, 5}
    for _ in range(100):
        limiter.on_success()
    assert limiter.allowed == 8


def test_there_is_always_one_slot() -> None:
    limiter = AdaptiveLimiter(2)
    for _ in range(10):
        assert limiter.try_acquire()
        limiter.on_overload()
        limiter.release()
    assert limiter.allowed == 1
    assert limiter.try_acquire()


async def test_a_part_of_a_slot_is_not_a_slot() -> None:
    limiter = AdaptiveLimiter(3)
    assert limiter.try_acquire()
    limiter.on_overload()  # leaves one and a half
    assert not limiter.try_acquire()
    waiting = [asyncio.create_task(limiter.acquire()) for _ in range(2)]
    await checkpoint()
    limiter.release()
    await waiting[0]
    await checkpoint()
    assert limiter.taken == 1
    assert not waiting[1].done()
    limiter.release()
    await waiting[1]
