"""Requests that are not sent: for idle apps, and by feeds that share their refreshes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import date, timedelta

from benchmarks.measure import Effort, Figures
from dify_async import AsyncDifyServer, DashboardFeed, MemoryTokenStore
from dify_async.statistics.metrics import applicable
from dify_async.testing import FakeApp, FakeDifyServer
from tests.redis_server import RedisServer

_MODES = ("chat", "agent-chat", "completion", "advanced-chat", "workflow")
_PER_MODE = 12
_TODAY = date(2026, 10, 30)
_INTERVAL = 1.0


def _client(fake: FakeDifyServer) -> AsyncDifyServer:
    store = MemoryTokenStore()
    return AsyncDifyServer(fake.base_url, fake.email, fake.password, token_store=store, max_concurrency=6)


async def idle_apps(_: Effort) -> Figures:
    """60 apps of all modes: a third, two thirds, or all of them without traffic."""
    figures: Figures = {}
    for name, idle in (("a third", 4), ("two thirds", 8), ("all", 12)):
        apps = [
            FakeApp(name=f"{mode} {number}", mode=mode, messages_per_day=0 if number < idle else 5)
            for mode in _MODES
            for number in range(_PER_MODE)
        ]
        async with FakeDifyServer(apps=apps, today=_TODAY) as fake, _client(fake) as dify:
            await dify.statistics_many(await dify.apps(), _TODAY - timedelta(days=7), _TODAY)
            everything = sum(len(applicable(app.mode)) for app in apps)
            figures[f"requests for 60 apps, {name} idle / all metrics"] = (
                fake.count("GET", "*/statistics/*") / everything
            )
    return figures


async def shared_feeds(effort: Effort) -> Figures:
    """4 and 8 feeds with `shared`, against one feed; several refreshes."""
    refreshes = max(2, effort.sized(8))
    with RedisServer() as redis:
        alone = await _requests(1, None, refreshes)
        return {
            f"requests of {number} shared feeds / one feed": await _requests(number, redis.url, refreshes)
            / alone
            for number in (4, 8)
        }


async def _requests(feeds: int, shared: str | None, refreshes: int) -> float:
    """The number of requests for statistics per interval."""
    async with FakeDifyServer(apps=6) as fake, AsyncExitStack() as stack:
        for _ in range(feeds):
            dify = await stack.enter_async_context(_client(fake))
            feed = DashboardFeed(dify, _INTERVAL, days=7, shared=shared)
            await stack.enter_async_context(feed)
            await feed.get()
        clock = asyncio.get_running_loop().time
        started, before = clock(), fake.count("GET", "*/statistics/*")
        listed = fake.count("GET", "/apps")
        while fake.count("GET", "/apps") < listed + refreshes:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
        requests = fake.count("GET", "*/statistics/*") - before
        return requests * _INTERVAL / (clock() - started)
