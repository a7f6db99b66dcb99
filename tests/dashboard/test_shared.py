"""Feeds that share their refreshes in Redis."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from redis.asyncio import Redis

from dify_async import (
    AppDashboard,
    AsyncDifyServer,
    Change,
    Dashboard,
    DashboardFeed,
    DifyConfigError,
    DifyNotFoundError,
    DifyServerError,
    Period,
    RedisTokenStore,
    Series,
    Snapshot,
)
from dify_async.dashboard import layout
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import ONCE, client, shown_by_trackers, until

SELDOM = 3600.0

pytestmark = pytest.mark.calendar


@pytest.fixture(autouse=True)
def _slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis may take long to respond, as on a busy machine."""
    monkeypatch.setattr("dify_async._redis_snapshots._PATIENCE", 30.0)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(apps=3) as fake:
        yield fake


@pytest.fixture
async def opened(fake: FakeDifyServer) -> AsyncIterator[Any]:
    """Opens a feed with a separate client, as in another process."""
    async with AsyncExitStack() as stack:

        async def open_feed(shared: Any, interval: float = SELDOM, **options: Any) -> DashboardFeed:
            store = {"token_store": options.pop("token_store")} if "token_store" in options else {}
            dify = await stack.enter_async_context(client(fake, retry=ONCE, **store))
            options.setdefault("days", 7)
            return await stack.enter_async_context(DashboardFeed(dify, interval, shared=shared, **options))

        yield open_feed


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may kill."""
    with RedisServer() as server:
        yield server


def listings(fake: FakeDifyServer) -> int:
    """How often the apps were listed: once per refresh."""
    return fake.count("GET", "/apps")


def same(one: Snapshot, other: Snapshot) -> bool:
    return (one.dashboard, one.fetched_at) == (other.dashboard, other.fetched_at)


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
    # Another query, or another account, is another feed.
    await (await opened(redis_server.url, days=8)).get()
    assert listings(fake) == 2
    assert not any(feed.latest.error for feed in feeds)


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


async def test_two_commands_per_interval(redis_server: RedisServer, opened: Any) -> None:
    commands: list[str] = []

    class Counting(Redis):
        async def execute_command(self, *args: Any, **options: Any) -> Any:
            commands.append(str(args[0]))
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # by redis-py

    leader = await opened(redis_server.url)
    await leader.get()
    async with Counting(unix_socket_path=redis_server.socket) as redis:
        reader = await opened(redis)
        await reader.get()
        for _ in range(3):
            commands.clear()
            new = await leader.refresh()
            await reader._flight.join(reader._refresh)
            assert same(await reader.get(), new)
            assert commands == ["GET", "GET"]
        commands.clear()
        await reader._flight.join(reader._refresh)
        assert commands == ["GET"]
        await reader.__aexit__(None, None, None)


async def test_intervals_may_differ(fake: FakeDifyServer, redis_server: RedisServer, opened: Any) -> None:
    """The feed with the shortest interval refreshes, and the others read."""
    slow = await opened(redis_server.url)
    first = await slow.get()
    quick = await opened(redis_server.url, 0.1)
    await until(lambda: listings(fake) >= 4)
    await slow._flight.join(slow._refresh)
    assert slow.latest.fetched_at > first.fetched_at
    assert quick.latest.fetched_at >= slow.latest.fetched_at


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
            for garbage in (b"\x00\xff", b"e30=", b"{}"):
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
    before = asyncio.all_tasks()
    fake.inject("/apps", delay=30.0)
    async with DashboardFeed(dify, SELDOM, shared=redis_server.url) as feed:
        await until(lambda: listings(fake) == 1)
    assert feed._shared is not None
    assert {task for task in asyncio.all_tasks() - before if "dify_async" in task.get_name()} == set()
    with redis_server.admin() as admin:
        assert admin.keys("*lease") == []


@pytest.mark.parametrize(
    "shared", ["http://:hidden-Word@example.com", "redis://:hidden-Word@host:port", 5, True]
)
async def test_invalid_arguments(dify: AsyncDifyServer, shared: Any) -> None:
    with pytest.raises(DifyConfigError, match=r"Redis URL|shared") as raised:
        DashboardFeed(dify, shared=shared)
    assert "hidden-Word" not in shown_by_trackers(raised.value)


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
