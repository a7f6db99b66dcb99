"""Feeds that share their refreshes on machines whose clocks differ."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta, tzinfo
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from dify_async.dashboard.layout import encoded
from dify_async.testing import FakeDifyServer
from tests.dashboard.feed.support import SELDOM, begin_refresh, listings, same
from tests.redis_server import RedisServer

DAY = 24 * 3600.0


class Ahead(datetime):
    """The clock of a machine that is a day ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # as msgspec encodes it
        return datetime.now(tz) + timedelta(seconds=DAY)


async def test_a_feed_that_refreshed_alone_with_a_clock_that_is_ahead(
    redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait until the other clocks have caught up with its own."""

    async def fail(*_: object) -> bytes:
        raise ConnectionError("away")

    one, other = await opened(redis_server.url), await opened(redis_server.url)
    await asyncio.gather(one.get(), other.get())
    with monkeypatch.context() as patch:
        patch.setattr(other._shared._store, "state", fail)
        patch.setattr("dify_async.dashboard.snapshot.datetime", Ahead)
        alone = await other.refresh()
    await other._flight.join(other._refresh)
    assert same(other.latest, alone)
    # This refresh may have begun before.
    await one.refresh()
    await other._flight.join(other._refresh)
    assert same(other.latest, alone)
    for _ in range(2):
        newest = await one.refresh()
        await other._flight.join(other._refresh)
        assert same(other.latest, newest)


async def test_an_emptied_redis(
    redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions continue, so that the clocks are not compared."""
    one, other = await opened(redis_server.url), await opened(redis_server.url)
    with monkeypatch.context() as patch:
        patch.setattr("dify_async.dashboard.snapshot.datetime", Ahead)
        first = await one.get()
    assert same(await other.get(), first)
    with redis_server.admin() as admin:
        admin.flushall()
    newest = await one.refresh()
    await other._flight.join(other._refresh)
    assert same(other.latest, newest)


async def test_a_redis_restored_from_a_backup(redis_server: RedisServer, opened: Any) -> None:
    """Its versions are not used again, since feeds already show snapshots of them."""
    one, other = await opened(redis_server.url), await opened(redis_server.url)
    await asyncio.gather(one.get(), other.get())
    with redis_server.admin() as admin:
        backup = {name: admin.get(name) for name in admin.keys("*feed-*")}
        newer = await one.refresh()
        await other._flight.join(other._refresh)
        assert same(other.latest, newer)
        admin.mset(backup)
    newest = await one.refresh()
    await other._flight.join(other._refresh)
    assert same(other.latest, newest)


async def test_a_new_state_is_not_old_by_a_clock_that_is_ahead(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A feed that ran when it was published does not refresh again."""
    one, other = await opened(redis_server.url), await opened(redis_server.url)
    await asyncio.gather(one.get(), other.get())
    newest = await one.refresh()
    asked = listings(fake)
    monkeypatch.setattr("dify_async.dashboard.shared.datetime", Ahead)
    await other._flight.join(other._refresh)
    assert same(other.latest, newest)
    assert listings(fake) == asked


async def test_the_age_of_a_snapshot_of_another_feed(
    redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await opened(redis_server.url, 10 * DAY)).get()
    monkeypatch.setattr("dify_async.dashboard.shared.datetime", Ahead)
    found = await (await opened(redis_server.url, 10 * DAY)).get()
    assert DAY <= found.age < DAY + 100


async def test_the_first_snapshot_is_not_what_was_left_a_day_ago(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another feed already refreshes, it waits for that."""
    left = await (await opened(redis_server.url)).get()
    asked = listings(fake)
    monkeypatch.setattr("dify_async.dashboard.shared.datetime", Ahead)
    feeds = [await opened(redis_server.url) for _ in range(3)]
    first, *others = await asyncio.gather(*(feed.get() for feed in feeds))
    assert listings(fake) == asked + 1
    assert not same(first, left)
    assert all(same(other, first) for other in others)


async def test_the_first_snapshot_while_refreshes_take_longer_than_the_interval(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    """The running feeds show one of this age too, so a new feed does not wait for the next one."""
    leader = await opened(redis_server.url)
    left = await leader.get()
    store, state = leader._shared._store, leader._shared._state
    with redis_server.admin() as admin:
        (name,) = admin.keys("*state")
        refreshed_at = state.refreshed_at - timedelta(seconds=3 * SELDOM)
        admin.set(name, store.closed(encoded(replace(state, refreshed_at=refreshed_at, took=2 * SELDOM))))
    refreshing = await begin_refresh(fake, leader, delay=60.0)
    with anyio.fail_after(30):
        assert same(await (await opened(redis_server.url)).get(), left)
    assert not refreshing.done()
    refreshing.cancel()
    await asyncio.wait([refreshing])


async def test_a_feed_that_shows_a_snapshot_does_not_wait_for_another(
    redis_server: RedisServer, opened: Any
) -> None:
    """However old its snapshot is, it looks again after a pause."""
    feed = await opened(redis_server.url)
    known = await feed.get()
    with redis_server.admin() as admin:
        (name,) = admin.keys("*state")
        admin.set(name.replace(b"state", b"lease"), "another", px=60_000)
    feed._shared._refreshed_at = -math.inf
    with anyio.fail_after(30):
        await feed._flight.join(feed._refresh)
    assert feed.latest is known
