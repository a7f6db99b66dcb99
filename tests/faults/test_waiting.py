"""Waits: those that the server asks for, those between two attempts, and those for a slot."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import anyio
import anyio.lowlevel
import pytest

from dify_async import (
    AsyncDifyServer,
    DifyRateLimitError,
    DifyServerError,
    DifyStatusError,
    DifyTimeoutError,
    Event,
    RequestRetried,
    RetryPolicy,
)
from dify_async.testing import FakeDifyServer
from tests.support import ONCE, QUICK, client, until


@pytest.fixture
def version() -> str:
    return "1.11.2"


async def waits_after(
    fake: FakeDifyServer, status: int, headers: dict[str, str], calls: int = 1
) -> list[float]:
    """How long this many calls would wait; the waits are skipped."""
    waits: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, RequestRetried):
            waits.append(event.wait)

    async with client(fake, retry=RetryPolicy(base_delay=0.5), on_event=note, max_concurrency=calls) as dify:
        await dify.profile()
        fake.inject("/account/*", status=status, headers=headers)
        tasks = [asyncio.create_task(dify.profile()) for _ in range(calls)]
        await until(lambda: len(waits) == calls)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return waits


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "least"),
    [("3", 3.0), ("0", 0.0), ("abc", 0.0), ("-5", 0.0), ("", 0.0), ("3 seconds", 0.0), ("60", 60.0)],
)
async def test_a_wait_that_the_server_asks_for(
    fake: FakeDifyServer, status: int, asked: str, least: float
) -> None:
    """hermes-agent#109234."""
    (wait,) = await waits_after(fake, status, {"Retry-After": asked})
    assert least <= wait <= least + 0.5


@pytest.mark.parametrize("hours", [0, -2, 2])
async def test_a_wait_as_a_date_counts_by_the_servers_own_clock(fake: FakeDifyServer, hours: int) -> None:
    now = time.time() + hours * 3600
    headers = {"Retry-After": formatdate(now + 20, usegmt=True), "Date": formatdate(now, usegmt=True)}
    (wait,) = await waits_after(fake, 429, headers)
    assert 20 <= wait <= 20.5


@pytest.mark.parametrize(("status", "error"), [(429, DifyRateLimitError), (503, DifyServerError)])
async def test_a_wait_beyond_the_cap_is_the_callers(
    fake: FakeDifyServer, dify: AsyncDifyServer, status: int, error: type[DifyStatusError]
) -> None:
    """hermes-agent#109234: 86400 s is too long to wait, so it is raised."""
    await dify.profile()
    fake.inject("/account/*", status=status, headers={"Retry-After": "86400"})
    with pytest.raises(error) as refused:
        await dify.profile()
    assert refused.value.retry_after == 86400
    assert fake.count("GET", "/account/profile") == 2


async def test_20_tasks_with_the_same_retry_after_do_not_wake_together(fake: FakeDifyServer) -> None:
    """hermes-agent#109234."""
    waits = sorted(await waits_after(fake, 429, {"Retry-After": "3"}, calls=20))
    assert len(set(waits)) == 20
    assert waits[-1] - waits[0] > 0.1
    assert 3 <= waits[0] < waits[-1] <= 3.5


async def test_a_call_has_one_budget_whatever_fails(fake: FakeDifyServer) -> None:
    """aiohttp's own retry on a broken connection would be a fifth attempt."""
    async with client(fake, retry=RetryPolicy(attempts=4, base_delay=0.001)) as dify:
        await dify.profile()
        fake.inject("/account/*", cut="before", times=1)
        fake.inject("/account/*", status=500, times=1)
        fake.inject("/account/*", status=429, times=1)
        fake.inject("/account/*", cut="before")
        with pytest.raises(Exception, match="GET /account/profile"):
            await dify.profile()
        assert fake.count("GET", "/account/profile") == 5


async def test_one_attempt_is_one(fake: FakeDifyServer) -> None:
    async with client(fake, retry=ONCE) as dify:
        await dify.profile()
        fake.inject("/account/*", cut="before")
        with pytest.raises(Exception, match="GET /account/profile"):
            await dify.profile()
        assert fake.count("GET", "/account/profile") == 2


async def test_waiting_for_a_slot_does_not_count(fake: FakeDifyServer) -> None:
    """aiohttp#2648: 500 calls in 10 slots take three times the timeout of one."""
    async with client(fake, max_concurrency=10, timeout=1.0, retry=ONCE) as dify:
        await dify.profile()
        fake.inject("/account/*", delay=0.06)
        with anyio.fail_after(30):
            await asyncio.gather(*(dify.profile() for _ in range(500)))
        assert fake.peak_requests == 10


async def test_a_call_that_waits_for_its_next_attempt_holds_no_slot(fake: FakeDifyServer) -> None:
    async with client(fake, max_concurrency=1, retry=RetryPolicy(base_delay=0)) as dify:
        await dify.profile()
        fake.inject("/account/*", status=503, headers={"Retry-After": "50"}, times=1)
        waiting = asyncio.create_task(dify.profile())
        await until(lambda: fake.count("GET", "/account/profile") == 2)
        await dify.profile()
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_login_and_refresh_need_no_slot(fake: FakeDifyServer) -> None:
    async with client(fake, max_concurrency=1) as dify:
        with anyio.fail_after(10):
            await asyncio.gather(*(dify.profile() for _ in range(20)))
            fake.expire_access_tokens()
            await asyncio.gather(*(dify.profile() for _ in range(20)))
    assert fake.count("POST", "/login") == 1


async def test_a_server_that_is_overrun_is_asked_for_less(fake: FakeDifyServer) -> None:
    """429s and 503s halve the concurrency each time; answers raise it again."""
    async with client(fake, max_concurrency=32, retry=QUICK) as dify:
        await dify.profile()
        overrun = fake.inject("/account/*", status=503, delay=0.02, times=60)
        slow = fake.inject("/account/*", delay=0.02)
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(dify.profile)
            await until(lambda: slow.hits > 0)
            fewest = dify._limiter.allowed
        assert overrun.hits == 60
        assert fewest <= 16
        assert dify._limiter.allowed > fewest
        assert 16 < fake.peak_requests <= 32


async def test_a_timeout_names_itself(fake: FakeDifyServer) -> None:
    async with client(fake, timeout=1.5, retry=ONCE) as dify:
        await dify.profile()
        fake.inject("/account/*", delay=60.0)
        with pytest.raises(DifyTimeoutError, match=r"no response within 1\.5 s"):
            await dify.profile()
