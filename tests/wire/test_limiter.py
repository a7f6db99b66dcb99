"""How many requests are under way at once."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from anyio.lowlevel import checkpoint

from dify_async import DifyError
from dify_async._http.limiter import AdaptiveLimiter


async def test_never_more_than_the_limit_and_first_come_first_served() -> None:
    slots, order, most = AdaptiveLimiter(3), [], 0

    async def use(number: int) -> None:
        nonlocal most
        if not slots.take():
            await slots.wait()
        order.append(number)
        most = max(most, slots.taken)
        await checkpoint()
        slots.give_back()

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(use, number)
    assert most == 3
    assert order == list(range(50))
    assert slots.taken == 0


async def test_a_slot_handed_to_a_cancelled_waiter_is_passed_on() -> None:
    slots = AdaptiveLimiter(1)
    assert slots.take()
    first = asyncio.create_task(slots.wait())
    second = asyncio.create_task(slots.wait())
    await checkpoint()
    slots.give_back()  # to the first, who is cancelled before it runs
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert slots.taken == 1
    slots.give_back()
    assert slots.take()


async def test_a_cancelled_waiter_is_passed_over() -> None:
    slots = AdaptiveLimiter(1)
    assert slots.take()
    waiting = [asyncio.create_task(slots.wait()) for _ in range(3)]
    await checkpoint()
    waiting[0].cancel()
    waiting[1].cancel()
    slots.give_back()
    await waiting[2]
    slots.give_back()
    assert slots.taken == 0


async def test_a_newcomer_does_not_overtake() -> None:
    slots = AdaptiveLimiter(1)
    assert slots.take()
    waiting = asyncio.create_task(slots.wait())
    await checkpoint()
    slots.give_back()
    assert not slots.take()
    await waiting


async def test_waiting_ends_with_the_client() -> None:
    slots = AdaptiveLimiter(1)
    assert slots.take()
    waiting = asyncio.create_task(slots.wait())
    await checkpoint()
    slots.refuse_waiting(DifyError("closed"))
    with pytest.raises(DifyError, match="closed"):
        await waiting
    assert slots.taken == 1


def test_the_number_halves_at_a_429_and_comes_back_slot_by_slot() -> None:
    slots = AdaptiveLimiter(8)
    for _ in range(8):
        assert slots.take()
    for _ in range(8):  # one cut for the requests that were under way together
        slots.slow_down()
        slots.give_back()
    assert slots.allowed == 4
    assert [slots.take() for _ in range(5)] == [True] * 4 + [False]
    for _ in range(4):
        slots.speed_up()
        slots.give_back()
    assert slots.allowed in {4, 5}
    for _ in range(100):
        slots.speed_up()
    assert slots.allowed == 8


def test_one_slot_is_always_left() -> None:
    slots = AdaptiveLimiter(2)
    for _ in range(10):
        assert slots.take()
        slots.slow_down()
        slots.give_back()
    assert slots.allowed == 1
    assert slots.take()
