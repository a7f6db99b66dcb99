"""A call that is cancelled at any of its awaits leaves nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any

import anyio
import pytest

from dify_async import AsyncDifyServer, RedisTokenStore
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import client, running, until

Call = Callable[[AsyncDifyServer], Awaitable[object]]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    """With few apps, since the same call is made again for each of its awaits."""
    async with FakeDifyServer("1.11.2", apps=3) as fake:
        yield fake


class StoppedAt:
    """Awaits a call, and cancels it at its n-th suspension by calling `stop`."""

    def __init__(self, call: Awaitable[object], at: int, stop: Callable[[], object]) -> None:
        self._call = call
        self._at = at
        self._stop = stop
        self.reached = False

    def __await__(self) -> Generator[Any, Any, object]:
        inner = self._call.__await__()
        step: Callable[[Any], Any] = inner.send
        argument: Any = None
        for number in itertools.count():
            try:
                future = step(argument)
            except StopIteration as end:
                return end.value
            if number == self._at:
                self.reached = True
                self._stop()
            try:
                step, argument = inner.send, (yield future)
            except BaseException as error:  # noqa: BLE001 - it is handed on
                step, argument = inner.throw, error
        raise AssertionError


async def by_task(call: Awaitable[object], at: int) -> bool:
    walk = StoppedAt(call, at, lambda: task.cancel())  # noqa: PLW0108 - it is made below
    task = asyncio.ensure_future(_awaited(walk))
    await asyncio.wait([task])
    assert task.cancelled() == walk.reached, task
    return walk.reached


async def by_scope(call: Awaitable[object], at: int) -> bool:
    with anyio.CancelScope() as scope:
        walk = StoppedAt(call, at, scope.cancel)
        await walk
    return walk.reached


async def by_timeout(call: Awaitable[object], at: int) -> bool:
    loop = asyncio.get_running_loop()
    with suppress(TimeoutError):
        async with asyncio.timeout(None) as timeout:
            walk = StoppedAt(call, at, lambda: timeout.reschedule(loop.time()))
            await walk
    return walk.reached


async def _awaited(walk: StoppedAt) -> object:
    return await walk


WAYS: dict[str, Callable[[Awaitable[object], int], Awaitable[bool]]] = {
    "task.cancel": by_task,
    "anyio.CancelScope": by_scope,
    "asyncio.timeout": by_timeout,
}


async def statistics(dify: AsyncDifyServer) -> object:
    return await dify.statistics_many(await dify.apps())


CALLS: dict[str, Call] = {
    "profile": AsyncDifyServer.profile,
    "statistics": statistics,
    "login": AsyncDifyServer.login,
    "logout": AsyncDifyServer.logout,
}
# Refreshes and logins of a cancelled call and the next one: wherever it was cancelled, new tokens are kept.
COSTS: dict[tuple[str, str], tuple[int, int]] = {
    ("call", "cold"): (0, 1),
    ("call", "warm"): (0, 1),
    ("call", "expired"): (1, 1),
    ("login", "cold"): (0, 1),
    ("login", "warm"): (0, 2),
    ("login", "expired"): (0, 2),
    ("logout", "cold"): (0, 1),
    ("logout", "warm"): (0, 2),
    ("logout", "expired"): (1, 2),  # a logout also ends the refresh token
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("state", ["cold", "warm", "expired"])
async def test_a_call_is_cancelled_at_each_await(
    fake: FakeDifyServer, way: str, call: str, state: str
) -> None:
    """gcloud-aio#500, redis-py#3847: no slot, connection or task is leaked, and no token is lost."""
    costs = COSTS.get((call, state)) or COSTS["call", state]
    for at in itertools.count():
        fake.reset_counters()
        async with client(fake, max_concurrency=2) as dify:
            await _prepare(dify, fake, state)
            was_reached = await WAYS[way](CALLS[call](dify), at)
            await until(lambda: not running())
            _assert_nothing_is_held(dify)
            await dify.profile()
        assert _costs(fake) == costs, at
        if not was_reached:
            break
    assert at > 0  # it was cancelled at least once


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", ["cold", "warm", "expired"])
async def test_a_change_is_cancelled_at_each_await(fake: FakeDifyServer, way: str, state: str) -> None:
    """It is made at most once, and never retried."""
    for at in itertools.count():
        fake.reset_counters()
        app = fake.add_app("without keys", "chat").id
        async with client(fake) as dify:
            await _prepare(dify, fake, state)
            was_reached = await WAYS[way](dify.init_app_api_key(app), at)
            await until(lambda: not running())
            _assert_nothing_is_held(dify)
            assert len(await dify.get_app_api_key(app)) <= 1
        sent = [one for one in fake.requests if (one.method, one.path) == ("POST", f"/apps/{app}/api-keys")]
        assert sum(one.status != 401 for one in sent) <= 1
        assert _costs(fake) == COSTS["call", state], at
        if not was_reached:
            break
    assert at > 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", ["cold", "expired"])
@pytest.mark.usefixtures("patient_redis")
async def test_a_call_with_tokens_in_redis_is_cancelled_at_each_await(
    fake: FakeDifyServer, redis_server: RedisServer, way: str, state: str
) -> None:
    """No lock and no connection to Redis is leaked."""
    with redis_server.admin() as admin:
        for at in itertools.count():
            admin.flushall()
            fake.reset_counters()
            store = RedisTokenStore(redis_server.url)
            async with client(fake, token_store=store) as dify:
                await _prepare(dify, fake, state)
                was_reached = await WAYS[way](dify.profile(), at)
                await until(lambda: not running())
                _assert_nothing_is_held(dify)
                assert not admin.keys("*:lock")
                assert not any(
                    one.connection_pool._in_use_connections for one, _ in store._connections._opened.values()
                )
                await dify.profile()
                assert admin.keys("*:tokens")
                assert _costs(fake) == COSTS["call", state], at
            await store.aclose()
            if not was_reached:
                break
    assert at > 0


async def _prepare(dify: AsyncDifyServer, fake: FakeDifyServer, state: str) -> None:
    if state != "cold":
        await dify.profile()
    if state == "expired":
        fake.expire_access_tokens()


def _costs(fake: FakeDifyServer) -> tuple[int, int]:
    return fake.count("POST", "/refresh-token"), fake.count("POST", "/login")


def _assert_nothing_is_held(dify: AsyncDifyServer) -> None:
    session = dify._transport._session
    assert session is not None
    assert session.connector is not None
    assert dify._limiter.taken == 0
    assert not dify._limiter._waiting
    assert not session.connector._acquired


@pytest.mark.parametrize("taken", [1, 3])
async def test_leaving_a_list_or_a_stream_early(
    fake: FakeDifyServer, dify: AsyncDifyServer, taken: int
) -> None:
    apps = await dify.apps()
    before = asyncio.all_tasks()
    seen = 0
    async with dify.stream_statistics(apps) as arriving:
        async for _ in arriving:
            seen += 1
            if seen == taken:
                break
    left = {task for task in asyncio.all_tasks() - before if "aiohttp/web_" not in repr(task)}
    assert left == set()
    assert dify._limiter.taken == 0
    async for _ in dify.iter_apps(page_size=2):
        break
    assert dify._limiter.taken == 0
    await dify.profile()
    assert fake.count("POST", "/login") == 1
