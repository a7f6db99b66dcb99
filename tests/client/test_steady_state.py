"""A call with a valid token costs one request on an open connection, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
import redis
from anyio.from_thread import start_blocking_portal

from dify_async import AsyncDifyServer, RedisTokenStore
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import EACH_ERA, client, running, until


@pytest.fixture
def fake(version: str) -> Iterator[FakeDifyServer]:
    """Runs in a separate thread, so that the test's event loop runs only the client."""
    serving = FakeDifyServer(version, keep_alive=60)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving):
        yield serving


@dataclass
class Counted:
    """Counts the tasks and callbacks of the event loop, the requests and the Redis commands of a block."""

    fake: FakeDifyServer
    redis: redis.Redis
    tasks: int = 0
    callbacks: int = 0
    requests: int = 0
    connections: int = 0
    redis_commands: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._before = self._statistics()
        self.fake.reset_counters()
        self._loop.set_task_factory(self._make_task)
        self._loop.call_soon = self._counting(self._loop.call_soon)  # type: ignore[assignment,method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        del self._loop.call_soon
        self._loop.set_task_factory(None)
        self.requests, self.connections = self.fake.count(), self.fake.connections_opened
        after = self._statistics()
        self.redis_commands = {name for name in after if after[name] != self._before.get(name)}
        self.redis_commands.discard("cmdstat_info")  # sent by this class

    def _statistics(self) -> dict[str, Any]:
        statistics: dict[str, Any] = self.redis.info("commandstats")
        return statistics

    def _make_task(self, loop: asyncio.AbstractEventLoop, call: Any, **options: Any) -> asyncio.Task[Any]:
        self.tasks += 1
        return asyncio.Task(call, loop=loop, **options)

    def _counting(self, call_soon: Callable[..., asyncio.Handle]) -> Callable[..., asyncio.Handle]:
        def counted(*arguments: Any, **options: Any) -> asyncio.Handle:
            self.callbacks += 1
            return call_soon(*arguments, **options)

        return counted


def test_aiohttp_has_its_parser_in_c() -> None:
    """aiohttp silently falls back to its parser in Python, which is about ten times slower."""
    from aiohttp import http_parser  # only this test looks inside

    assert http_parser.HttpResponseParser is not http_parser.HttpResponseParserPy


@EACH_ERA
async def test_a_steady_call(fake: FakeDifyServer, redis_server: RedisServer) -> None:
    apps = [app.id for app in fake.apps]
    store = RedisTokenStore(redis_server.url)
    with redis_server.admin() as admin:
        admin.ping()  # connects, which also counts as a command
        async with client(fake, token_store=store) as dify:
            with Counted(fake, admin) as first:
                await _one_after_another(dify, apps)
                await _at_once(dify, apps)
                await until(lambda: not running())
            with Counted(fake, admin) as steady:
                await _one_after_another(dify, apps)
            with Counted(fake, admin) as at_once:
                await _at_once(dify, apps)
        await store.aclose()
    assert steady.requests == 2 * len(apps)
    assert at_once.requests == len(apps)
    assert first.requests > 3 * len(apps)
    assert steady.connections == at_once.connections == 0 < first.connections
    assert steady.redis_commands | at_once.redis_commands == set() < first.redis_commands
    assert steady.tasks == 0
    assert at_once.tasks == len(apps) < first.tasks  # created by gather
    # The response wakes a call once, or twice if it arrives in two parts.
    assert steady.requests <= steady.callbacks < 1.5 * steady.requests


async def _one_after_another(dify: AsyncDifyServer, apps: list[str]) -> None:
    for app in apps:
        await dify.app(app)
        await dify.get_app_api_key(app)


async def _at_once(dify: AsyncDifyServer, apps: list[str]) -> None:
    await asyncio.gather(*(dify.app(app) for app in apps))


async def test_long_filters_are_not_cached(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services pass on the searches of their users: a cache of 8,192 texts of 100 KB would take 990 MB."""
    monkeypatch.setattr("dify_async._http.transport._MAX_URLS", 100)
    async with client(fake) as dify:
        transport = dify._transport
        short = transport.url("/apps", (), (("page", 1),))
        assert transport.url("/apps", (), (("page", 1),)) is short
        for number in range(200):
            transport.url("/apps", (), (("name", f"{number} " + "x" * (20_000 if number % 9 else 300)),))
            transport.url("/apps/{}", (f"{number}",), ())
        cached = [len(str(url)) for url in transport._urls.values()]
        assert 100 <= len(cached) <= 101
        assert max(cached) <= 512
        assert transport.url("/apps/{}", ("199",), ()) is transport.url("/apps/{}", ("199",), ())
        assert transport.url("/apps", (), (("page", 1),)) == short
