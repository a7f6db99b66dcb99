"""The page as a service in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from dify_async.testing import FakeDifyServer
from dify_async.web import create_app
from tests.support import client

Events = list[tuple[str, dict[str, Any]]]


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """The URL of an application on loopback, served as `web.run_app` does."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def served(fake: FakeDifyServer, **options: Any) -> AsyncIterator[str]:
    """The URL of the page of a fake console."""
    async with client(fake) as dify, serving(create_app(dify, **options)) as url:
        yield url


@asynccontextmanager
async def page_of(fake: FakeDifyServer, **options: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """A session whose requests go to the page of a fake console."""
    async with (
        served(fake, **options) as url,
        aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        yield session


async def events_of(answer: aiohttp.ClientResponse) -> Events:
    assert answer.status == 200
    assert answer.content_type == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    blocks = (await answer.text()).split("\n\n")[:-1]
    pairs = [block.split("\n") for block in blocks]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in pairs]


def streams() -> list[asyncio.Task[Any]]:
    """The streams under way."""
    return [task for task in asyncio.all_tasks() if task.get_name() == "dify_async web page"]
