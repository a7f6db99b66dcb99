"""What feeds that share their refreshes keep in Redis: its form, encryption, and outages."""

from __future__ import annotations

import asyncio
import base64
import math
import threading
import zlib
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from cryptography.fernet import Fernet
from msgspec import structs
from redis.asyncio import Redis

from dify_async import (
    AppDashboard,
    AsyncDifyServer,
    Change,
    Dashboard,
    DashboardFeed,
    Period,
    RedisTokenStore,
    Series,
)
from dify_async._redis_sealing import Seal
from dify_async._redis_snapshots import SnapshotStore
from dify_async.dashboard import layout
from dify_async.testing import FakeDifyServer
from tests.dashboard.feed.support import SELDOM, listings, nothing_left_behind, same
from tests.redis_server import RedisServer
from tests.support import until

# A state whose time has no offset from UTC, so that its age is not known.
NO_OFFSET = base64.b64encode(zlib.compress(b'[1,1,"2026-01-01T00:00:00",0.1,null]'))


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may kill."""
    with RedisServer() as server:
        yield server


class Counting(Redis):
    """Keeps the commands that it sends."""

    def __init__(self, redis_server: RedisServer) -> None:
        super().__init__(unix_socket_path=redis_server.socket)
        self.commands: list[str] = []

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        self.commands.append(str(args[0]))
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # by redis-py


async def test_two_commands_per_interval(redis_server: RedisServer, opened: Any) -> None:
    leader = await opened(redis_server.url)
    await leader.get()
    async with Counting(redis_server) as redis:
        reader = await opened(redis)
        await reader.get()
        for _ in range(3):
            redis.commands.clear()
            new = await leader.refresh()
            await reader._flight.join(reader._refresh)
            assert same(await reader.get(), new)
            assert redis.commands == ["GET", "GET"]
        redis.commands.clear()
        await reader._flight.join(reader._refresh)
        assert redis.commands == ["GET"]
        await reader.__aexit__(None, None, None)


async def test_looks_while_another_feed_refreshes(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    """The pauses between them are a part of the time so far, so that no caller waits much longer."""
    leader = await opened(redis_server.url)
    fake.inject("/apps", delay=60.0, times=1)
    await until(lambda: listings(fake) == 1)
    async with Counting(redis_server) as redis:
        reader = await opened(redis)
        reading = asyncio.create_task(reader.get())
        await until(lambda: redis.commands.count("EVAL") >= 12)  # if each pause doubled, in 102 seconds
        assert listings(fake) == 1
        reading.cancel()
        await asyncio.wait([reading])
        await reader.__aexit__(None, None, None)
    await leader.__aexit__(None, None, None)


async def test_redis_is_away(fake: FakeDifyServer, own_redis: RedisServer, opened: Any) -> None:
    """Each feed refreshes alone; they share again when Redis is back, and show nothing older."""
    feeds = [await opened(own_redis.url, days=7) for _ in range(2)]
    await asyncio.gather(*(feed.get() for feed in feeds))
    assert listings(fake) == 1
    own_redis.kill()
    alone = [await feed.refresh() for feed in feeds]
    assert listings(fake) == 3
    assert all(one.error is None for one in alone)
    own_redis.start()
    for feed, before in zip(feeds, alone, strict=True):
        await feed._flight.join(feed._refresh)  # the empty Redis has nothing newer
        assert feed.latest is before
    shared = await feeds[0].refresh()
    await feeds[1]._flight.join(feeds[1]._refresh)
    assert same(feeds[1].latest, shared)
    assert listings(fake) == 4


async def test_a_redis_that_was_not_reachable_has_an_older_snapshot(
    redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await opened(redis_server.url), await opened(redis_server.url)
    await asyncio.gather(one.get(), other.get())

    async def fail(*_: object) -> bytes:
        raise ConnectionError("away")

    with monkeypatch.context() as patch:
        patch.setattr(other._shared._store, "state", fail)
        await one.refresh()
        alone = await other.refresh()
    await other._flight.join(other._refresh)
    assert same(other.latest, alone)
    newest = await one.refresh()
    await other._flight.join(other._refresh)
    assert same(other.latest, newest)


async def test_the_pause_after_a_slow_refresh(own_redis: RedisServer, opened: Any) -> None:
    """The next refreshes may be quick again, or not come at all."""
    leader = await opened(own_redis.url)
    await leader.get()
    feed = await opened(own_redis.url)
    await feed.get()
    feed._shared._state = structs.replace(feed._shared._state, took=10 * SELDOM)
    assert feed._shared.pause() <= 2 * SELDOM
    feed._shared._refreshed_at = -math.inf  # the refresh takes long again
    assert feed._shared.pause() == SELDOM
    own_redis.kill()
    await feed.refresh()
    assert feed._shared.pause() <= 1.1 * SELDOM


async def test_a_redis_that_does_not_respond(
    own_redis: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dify_async._redis_snapshots._PATIENCE", 0.1)
    with own_redis.admin() as admin:
        admin.execute_command("CLIENT", "PAUSE", 60_000)
    assert (await (await opened(own_redis.url)).get()).error is None
    assert caplog.messages == [
        "the dashboard feed refreshes alone, because Redis failed: no response within 0.1 s"
    ]


async def test_the_data_is_encrypted_with_the_key_of_the_token_store(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any
) -> None:
    def stored() -> bytes:
        with redis_server.admin() as admin:
            return b"".join(admin.get(key) for key in admin.keys("*feed-snapshot"))

    key, other_key = Fernet.generate_key(), Fernet.generate_key()
    first = await (
        await opened(redis_server.url, token_store=RedisTokenStore(redis_server.url, encryption_key=key))
    ).get()
    assert stored().startswith(b"gAAAA")
    reader = await opened(
        redis_server.url, token_store=RedisTokenStore(redis_server.url, encryption_key=[other_key, key])
    )
    assert same(await reader.get(), first)
    assert listings(fake) == 1
    # A feed with another key cannot read it, and so refreshes.
    for store in (RedisTokenStore(redis_server.url, prefix="b:", encryption_key=other_key), None):
        options = {} if store is None else {"token_store": store}
        assert (await (await opened(redis_server.url, **options)).get()).error is None
    assert listings(fake) == 3


@pytest.mark.parametrize("decode_responses", [False, True])
async def test_a_client_is_not_closed(
    redis_server: RedisServer, opened: Any, *, decode_responses: bool
) -> None:
    async with Redis(unix_socket_path=redis_server.socket, decode_responses=decode_responses) as redis:
        feed = await opened(redis)
        first = await feed.get()
        other = await opened(redis)
        assert same(await other.get(), first)
        for one in (feed, other):
            await one.__aexit__(None, None, None)
        assert await redis.ping()


async def test_garbage_is_overwritten(fake: FakeDifyServer, redis_server: RedisServer, opened: Any) -> None:
    await (await opened(redis_server.url)).get()
    with redis_server.admin() as admin:
        for name in ("state", "snapshot", "history"):
            for garbage in (b"\x00\xff", b"e30=", b"{}", NO_OFFSET):
                (key,) = admin.keys(f"*feed-{name}")
                admin.set(key, garbage)
                asked = listings(fake)
                feed = await opened(redis_server.url)
                assert (await feed.get()).error is None
                assert (await feed.refresh()).error is None
                assert same(await (await opened(redis_server.url)).get(), feed.latest)
                assert listings(fake) > asked


async def test_nothing_is_left_behind(
    fake: FakeDifyServer, redis_server: RedisServer, dify: AsyncDifyServer
) -> None:
    await dify.login()
    fake.inject("/apps", delay=30.0)
    with nothing_left_behind():
        async with DashboardFeed(dify, SELDOM, shared=redis_server.url) as feed:
            await until(lambda: listings(fake) == 1)
    assert feed._shared is not None
    with redis_server.admin() as admin:
        assert admin.keys("*lease") == []


async def test_a_lease(redis_server: RedisServer) -> None:
    """Only one feed has it, and only if it knows what was published; a lost response does not matter."""
    store = SnapshotStore(redis_server.url, "key", None)
    assert await store.acquire("one", b"", 10)
    assert await store.acquire("one", b"", 10)
    assert not await store.acquire("other", b"", 10)
    for _ in range(2):
        assert await store.publish(b"", b"state 1", (b"snapshot", b"history"), 1000)
    assert not await store.publish(b"", b"state 2", None, 1000)
    await store.release("other")
    assert not await store.acquire("other", b"state 1", 10)
    await store.release("one")
    assert not await store.acquire("other", b"", 10)
    assert await store.acquire("other", b"state 1", 10)
    assert not await store.extend("one", 10)
    await store.aclose()


async def test_large_values_do_not_block_the_event_loop(redis_server: RedisServer) -> None:
    class Recording(Seal):
        threads: ClassVar[set[int]] = set()

        def open(self, value: bytes) -> bytes | None:
            self.threads.add(threading.get_ident())
            return super().open(value)

    store = SnapshotStore(redis_server.url, "key", Recording(Fernet.generate_key()))
    values = store.closed(b"snapshot"), store.closed(b"history")
    assert await store.publish(b"", b"state", values, 1000)
    assert (await store.snapshot(), await store.history()) == (b"snapshot", b"history")
    assert threading.get_ident() not in Recording.threads
    await store.aclose()


async def test_another_layout_is_another_feed(
    fake: FakeDifyServer, redis_server: RedisServer, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions of the package may run side by side."""
    await (await opened(redis_server.url)).get()
    monkeypatch.setattr(layout, "LAYOUT", layout.LAYOUT + 1)
    await (await opened(redis_server.url)).get()
    assert listings(fake) == 2


def test_the_layout_has_a_version() -> None:
    """Increase LAYOUT if this fails: feeds of two versions of the package must not share a snapshot."""
    assert layout.LAYOUT == 1
    shared = (
        layout.State,
        layout.SharedSnapshot,
        layout.SharedError,
        Dashboard,
        Period,
        AppDashboard,
        Series,
    )
    fields = {struct.__name__: struct.__struct_fields__ for struct in (*shared, Change)}
    assert fields == {
        "State": ("version", "snapshot_version", "refreshed_at", "took", "error"),
        "SharedSnapshot": ("version", "fetched_at", "dashboard"),
        "SharedError": ("name", "text", "fields"),
        "Dashboard": ("period", "previous_period", "apps", "totals"),
        "Period": ("start", "end", "zone", "days", "today"),
        "AppDashboard": ("app_id", "app_name", "mode", "series", "errors"),
        "Series": ("name", "unit", "values", "total", "previous", "change"),
        "Change": ("absolute", "relative"),
    }
