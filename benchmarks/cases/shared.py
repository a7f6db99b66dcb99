"""Feeds of several processes that share their refreshes."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from contextlib import AsyncExitStack

from benchmarks.measure import Effort, Figures, client
from dify_async import AsyncDifyServer, DashboardFeed
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer

_INTERVAL = 1.0

_LEADER = """
import asyncio, sys
from dify_async import AsyncDifyServer, DashboardFeed, MemoryTokenStore

async def main(url, email, password, shared):
    async with AsyncDifyServer(url, email, password, token_store=MemoryTokenStore()) as dify:
        async with DashboardFeed(dify, 1.0, days=7, shared=shared):
            await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


def _client(fake: FakeDifyServer) -> AsyncDifyServer:
    return client(fake.base_url, 6, email=fake.email, password=fake.password)


async def shared_feeds(effort: Effort) -> Figures:
    """4 and 8 feeds with `shared`, and 8 without, against one feed; several refreshes."""
    refreshes = max(2, effort.sized(16))
    with RedisServer() as redis:
        alone = await _requests(1, None, refreshes)
        figures = {
            f"requests of {number} shared feeds / one feed": await _requests(number, redis.url, refreshes)
            / alone
            for number in (4, 8)
        }
    return figures | {
        "requests of 8 feeds that share nothing / one feed": await _requests(8, None, refreshes) / alone
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
        await _refreshes(fake, 1)  # from the beginning of one refresh to that of another
        started, before = clock(), fake.count("GET", "*/statistics/*")
        await _refreshes(fake, refreshes)
        requests = fake.count("GET", "*/statistics/*") - before
        return requests * _INTERVAL / (clock() - started)


async def takeover(effort: Effort) -> Figures:
    """From the end of a process that is killed while it refreshes to the snapshot of another feed."""
    times = [await _takeover() for _ in range(max(1, effort.sized(3)))]
    return {"a new snapshot after the refreshing process is killed": max(times) / _INTERVAL}


async def _takeover() -> float:
    clock = asyncio.get_running_loop().time
    with RedisServer() as redis:
        async with (
            FakeDifyServer(apps=6) as fake,
            _client(fake) as dify,
        ):
            arguments = fake.base_url, fake.email, fake.password, redis.url
            leader = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _LEADER, *arguments, stderr=DEVNULL
            )
            try:
                await _refreshes(fake, 1)
                async with DashboardFeed(dify, _INTERVAL, days=7, shared=redis.url) as feed:
                    before = await feed.get()
                    pause = fake.inject("/apps", delay=60)
                    while not pause.hits:  # noqa: ASYNC110 - there is no event
                        await asyncio.sleep(0.01)
                    leader.kill()
                    killed = clock()
                    pause.remove()
                    async for snapshot in feed:
                        if snapshot.fetched_at > before.fetched_at:
                            return clock() - killed
                raise RuntimeError("the feed ended")
            finally:
                if leader.returncode is None:
                    leader.kill()
                await leader.wait()


async def _refreshes(fake: FakeDifyServer, number: int) -> None:
    """Wait until so many refreshes have begun: each lists the apps once."""
    listed = fake.count("GET", "/apps")
    while fake.count("GET", "/apps") < listed + number:  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(0.01)
