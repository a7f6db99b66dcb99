"""Feeds that share their refreshes in Redis."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any

import pytest

from dify_async import (
    AsyncDifyServer,
    DashboardFeed,
    DifyConfigError,
    DifyNotFoundError,
    DifyServerError,
    MemoryTokenStore,
)
from dify_async.testing import FakeDifyServer
from tests.dashboard.feed.support import SELDOM, begin_refresh, listings, ranges, same
from tests.redis_server import RedisServer
from tests.support import shown_by_trackers, until


async def test_feeds_that_start_together_refresh_once(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    fake.inject("/apps", delay=0.2)
    feeds = [await opened(redis_server.url) for _ in range(4)]
    found = await asyncio.gather(*(feed.get() for feed in feeds))
    assert listings(fake) == 1
    assert all(same(one, found[0]) for one in found)
    assert [one.dashboard.period.start.tzinfo for one in found] == [
        found[0].dashboard.period.start.tzinfo
    ] * 4
    late = await opened(redis_server.url)
    assert same(await late.get(), found[0])
    assert listings(fake) == 1
    assert 0 <= late.latest.age < SELDOM
    # Another query is another feed.
    await (await opened(redis_server.url, days=8)).get()
    assert listings(fake) == 2
    assert not any(feed.latest.error for feed in feeds)


async def test_another_account_is_another_feed(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    await (await opened(redis_server.url)).get()
    email, password = "other@example.com", "Other-Word-1"
    fake.add_account(email, password, timezone="Asia/Tokyo")
    async with (
        AsyncDifyServer(fake.base_url, email, password, token_store=MemoryTokenStore()) as dify,
        DashboardFeed(dify, SELDOM, days=7, shared=redis_server.url) as feed,
    ):
        assert (await feed.get()).dashboard.period.zone == "Asia/Tokyo"


@pytest.mark.calendar
async def test_a_snapshot_has_everything(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    bad = fake.apps[0]
    fake.inject(f"/apps/{bad.id}/statistics/daily-messages", status=404, body=b'{"code":"app_not_found"}')
    first = await (await opened(redis_server.url, compare=True)).get()
    found = await (await opened(redis_server.url, compare=True)).get()
    assert found.dashboard.to_dict() == first.dashboard.to_dict()
    assert found.dashboard.totals == first.dashboard.totals
    (error,) = (one.error for one in found.dashboard.errors)
    (expected,) = (one.error for one in first.dashboard.errors)
    assert type(error) is DifyNotFoundError
    assert (str(error), vars(error)) == (str(expected), vars(expected))
    with pytest.raises(KeyError, match="did you mean"):
        found.dashboard.totals["daily_message"]


async def test_a_failed_refresh_is_shared(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    down = fake.inject("/apps", status=503)
    feeds = [await opened(redis_server.url) for _ in range(3)]
    for feed in feeds:
        with pytest.raises(DifyServerError) as raised:
            await feed.get()
        assert raised.value.status == 503
    assert listings(fake) == 1
    down.remove()
    good = await feeds[1].refresh()
    assert good.error is None
    down = fake.inject("/apps", status=503)
    stale = await feeds[0].refresh()  # reads the snapshot, and replaces it
    assert same(stale, good)
    assert isinstance(stale.error, DifyServerError)
    new = await (await opened(redis_server.url)).get()
    assert same(new, good)
    assert isinstance(new.error, DifyServerError)


async def test_a_refresh_is_for_all_feeds(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    one, other = await opened(redis_server.url), await opened(redis_server.url)
    first = await one.get()
    day = first.dashboard.period.days[0]
    assert same(await other.get(), first)
    fake.reset_counters()
    second = await other.refresh()
    assert second.fetched_at > first.fetched_at
    # The other feed takes over the history: only new days are requested.
    starts = {request.query.partition("&")[0] for request in fake.requests if "statistics" in request.path}
    assert starts == {f"start={day + timedelta(days=4)}%2000%3A00"}
    assert second.dashboard == first.dashboard
    fake.reset_counters()
    all_days = await one.refresh(all_days=True)
    assert any(f"start={day}%20" in request.query for request in fake.requests)
    await other._flight.join(other._refresh)
    assert same(await other.get(), all_days)
    assert listings(fake) == 1


async def test_a_refresh_under_way_is_joined(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    one, other = await opened(redis_server.url), await opened(redis_server.url)
    await asyncio.gather(one.get(), other.get())
    fake.reset_counters()
    fake.inject("/apps", delay=0.3, times=1)
    joining = asyncio.create_task(one.refresh())
    await until(lambda: listings(fake) == 1)
    found = await other.refresh()
    assert same(await joining, found)
    assert listings(fake) == 1


async def test_redis_is_emptied_during_a_refresh_under_way(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is not a refresh, so the caller does not receive what it knows."""
    one, other = await opened(redis_server.url), await opened(redis_server.url)
    acquire, waits = other._shared._store.acquire, asyncio.Event()

    async def observed(*arguments: Any) -> Any:
        waits.set()
        return await acquire(*arguments)

    known, _ = await asyncio.gather(other.get(), one.get())
    refreshing = await begin_refresh(fake, one, delay=60.0)
    monkeypatch.setattr(other._shared._store, "acquire", observed)
    joined = asyncio.create_task(other.refresh())
    await waits.wait()
    with redis_server.admin() as admin:
        admin.flushall()
    assert (await joined).fetched_at > known.fetched_at
    assert listings(fake) == 3
    refreshing.cancel()
    await asyncio.wait([refreshing])


async def test_all_days_after_a_refresh_under_way(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    """The refresh of another feed, which requests only new days, does not count."""
    one, other = await opened(redis_server.url), await opened(redis_server.url)
    day = (await one.get()).dashboard.period.days[0]
    await other.get()
    fake.reset_counters()
    refreshing = await begin_refresh(fake, one, delay=0.5)
    all_days = asyncio.create_task(other.refresh(all_days=True))
    assert (await all_days).fetched_at > (await refreshing).fetched_at
    assert any(f"start={day}%20" in query for query in ranges(fake))
    assert listings(fake) == 2


async def test_intervals_may_differ(fake: FakeDifyServer, redis_server: RedisServer, opened: Any) -> None:
    """The feed with the shortest interval refreshes, and the others read."""
    slow = await opened(redis_server.url)
    first = await slow.get()
    quick = await opened(redis_server.url, 0.1)
    await until(lambda: listings(fake) >= 4)
    await slow._flight.join(slow._refresh)
    assert slow.latest.fetched_at > first.fetched_at
    assert quick.latest.fetched_at >= slow.latest.fetched_at


async def test_a_feed_that_lost_its_lease_does_not_publish(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    """Its process stood still while another refreshed."""
    slow, other = await opened(redis_server.url), await opened(redis_server.url)
    await asyncio.gather(slow.get(), other.get())
    held = fake.inject("/apps", delay=0.5, times=1)
    refreshing = asyncio.create_task(slow.refresh())
    await until(lambda: listings(fake) == 2)
    with redis_server.admin() as admin:
        (lease,) = admin.keys("*lease")
        admin.delete(lease)
    held.remove()
    newer = await other.refresh()
    late = await refreshing
    reader = await opened(redis_server.url)
    assert same(await reader.get(), newer)
    assert late.fetched_at >= newer.fetched_at
    await slow._flight.join(slow._refresh)
    assert slow.latest.fetched_at >= late.fetched_at


async def test_the_lease_is_extended_during_a_long_refresh(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dify_async.dashboard.shared._MAX_LEASE", 2.0)
    feed = await opened(redis_server.url)
    await feed.get()
    refreshing = await begin_refresh(fake, feed, delay=60.0)
    with redis_server.admin() as admin:
        (lease,) = admin.keys("*lease")
        left: int = admin.pttl(lease)

        def is_extended() -> bool:
            nonlocal left
            before, left = left, admin.pttl(lease)
            return left > before

        await until(is_extended)
    refreshing.cancel()
    await asyncio.wait([refreshing])


async def test_a_feed_that_lost_its_lease_and_failed(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    """It shows what another feed has published in the meantime, without an error."""
    slow, other = await opened(redis_server.url), await opened(redis_server.url)
    await asyncio.gather(slow.get(), other.get())
    refreshing = await begin_refresh(fake, slow, status=503, delay=0.5)
    with redis_server.admin() as admin:
        (lease,) = admin.keys("*lease")
        admin.delete(lease)
    newer = await other.refresh()
    found = await refreshing
    assert same(found, newer)
    assert found.error is None


PROCESS = """
import asyncio, sys
from dify_async import AsyncDifyServer, DashboardFeed, MemoryTokenStore

async def main(url, email, password, redis, interval):
    async with AsyncDifyServer(url, email, password, token_store=MemoryTokenStore()) as dify:
        async with DashboardFeed(dify, float(interval), days=7, shared=redis) as feed:
            async for snapshot in feed:
                print(snapshot.fetched_at.isoformat(), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
async def test_a_process_that_is_killed_while_it_refreshes(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    """Another feed takes over."""
    interval = 2.0
    arguments = (fake.base_url, fake.email, fake.password, redis_server.url, str(interval))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    feed = await opened(redis_server.url, interval)
    first = await feed.get()
    assert listings(fake) == 1
    held = fake.inject("*/statistics/*", delay=60.0)
    await until(lambda: listings(fake) == 2)
    process.kill()
    await process.wait()
    held.remove()
    clock = asyncio.get_running_loop().time
    killed_at = clock()
    async for snapshot in feed:
        if snapshot.fetched_at > first.fetched_at:
            break
    assert clock() - killed_at < 2 * interval + 10  # a busy machine


@pytest.mark.parametrize(
    "shared", ["http://:hidden-Word@example.com", "redis://:hidden-Word@host:port", 5, True]
)
async def test_invalid_arguments(dify: AsyncDifyServer, shared: Any) -> None:
    with pytest.raises(DifyConfigError, match=r"Redis URL|shared") as raised:
        DashboardFeed(dify, shared=shared)
    assert "hidden-Word" not in shown_by_trackers(raised.value)
