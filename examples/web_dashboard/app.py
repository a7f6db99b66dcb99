"""The service: one shared client, the page, and its stream of numbers."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import TypedDict, cast

import anyio
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dify_async import AppMode, AsyncDifyServer, Dashboard, DashboardUpdates, DifyError
from dify_async.testing import FakeDifyServer

DIFY = web.AppKey("dify", AsyncDifyServer)
ACTIVE = web.AppKey("active", dict[frozenset[tuple[str, object]], "Numbers"])
STATIC = Path(__file__).parent / "static"
MAX_DAYS = 366
# Without this header, nginx buffers the stream.
STREAM_HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
# Seconds between comments: proxies close streams without data for a minute.
KEEPALIVE = 15.0
# Seconds between totals: they are computed over all apps, so not for each app that arrives.
TOTALS_INTERVAL = 0.2
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(*, names: Iterable[str] = ()) -> web.Application:
    """The service, for requests to loopback names and to `names`."""
    app = web.Application(middlewares=[_check_host({"localhost", "127.0.0.1", "::1", *names})])
    app[ACTIVE] = {}
    app.cleanup_ctx.append(_client)
    app.on_response_prepare.append(_add_headers)
    app.router.add_get("/", _page)
    app.router.add_get("/numbers", _numbers)
    app.router.add_static("/static", STATIC)
    return app


async def _client(app: web.Application) -> AsyncIterator[None]:
    """One client for all requests, which share its connections, its session and its limits."""
    async with AsyncExitStack() as stack:
        if os.environ.get("DIFY_BASE_URL"):
            dify = AsyncDifyServer.from_env()
        else:
            fake = await stack.enter_async_context(FakeDifyServer(apps=24, latency=0.05))
            print("DIFY_BASE_URL is not set: using a fake console.")
            dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
        app[DIFY] = await stack.enter_async_context(dify)
        yield


def _check_host(names: set[str]) -> Middleware:
    """Reject other host names: protects against DNS rebinding."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.url.host not in names:
            raise web.HTTPForbidden(text="Unknown host name; see --name.")
        return await handler(request)

    return check


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _page(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


class Query(TypedDict, total=False):
    """The arguments of `stream_dashboard` that the page sets."""

    start: date
    end: date
    days: int
    mode: AppMode


def parse_query(query: Mapping[str, str]) -> Query:
    """Parse days=30, or start= and last= (both inclusive), and mode=."""
    found = Query(mode=cast("AppMode", query["mode"])) if query.get("mode") else Query()
    if "start" in query or "last" in query:
        start, last = (date.fromisoformat(query.get(name, "")) for name in ("start", "last"))
        # The server's end is exclusive.
        found |= Query(start=start, end=last + timedelta(days=1))
        days = (last - start).days + 1
    else:
        days = int(query.get("days", "30"))
        found |= Query(days=days)
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"the range must have 1 to {MAX_DAYS} days, got {days}")
    return found


class Numbers:
    """The events of one range, fetched once for all concurrent readers."""

    def __init__(self, dify: AsyncDifyServer, query: Query) -> None:
        self.events: list[bytes] = []
        self.more = asyncio.Event()
        self.readers = 0
        self.task = asyncio.create_task(self._fetch(dify, query))

    async def _fetch(self, dify: AsyncDifyServer, query: Query) -> None:
        try:
            async with dify.stream_dashboard(**query, compare=True) as updates:
                async for part in _parts(updates):
                    self._add("part", part)
            self._add("done", "{}")
        except DifyError as error:
            self._add("failed", json.dumps({"reason": str(error)}))
        finally:
            self.more.set()

    def _add(self, event: str, data: str) -> None:
        # to_json() and json.dumps() return one line, so an event has one line of data.
        self.events.append(f"event: {event}\ndata: {data}\n\n".encode())
        self.more.set()
        self.more = asyncio.Event()


async def _numbers(request: web.Request) -> web.StreamResponse:
    """Server-sent events: "part" for each app as it arrives, then "done"; or "failed" with a reason.

    Readers do not wait for each other. When the last one leaves, the requests are cancelled.
    """
    try:
        query = parse_query(request.query)
    except (ValueError, OverflowError) as error:
        raise web.HTTPBadRequest(text=f"Invalid range: {error}.") from None
    stream = web.StreamResponse(headers=STREAM_HEADERS)
    await stream.prepare(request)
    active, key = request.app[ACTIVE], frozenset(query.items())
    numbers = active.get(key)
    if numbers is None or numbers.task.done():
        numbers = active[key] = Numbers(request.app[DIFY], query)
    numbers.readers += 1
    try:
        await _follow(numbers, stream)
    finally:
        numbers.readers -= 1
        if numbers.readers == 0:
            numbers.task.cancel()
            if active.get(key) is numbers:
                del active[key]
    return stream


async def _follow(numbers: Numbers, stream: web.StreamResponse) -> None:
    sent = 0
    while sent < len(numbers.events) or not numbers.task.done():
        if sent < len(numbers.events):
            await stream.write(numbers.events[sent])
            sent += 1
            continue
        with anyio.move_on_after(KEEPALIVE) as quiet:
            await numbers.more.wait()
        if quiet.cancelled_caught:
            await stream.write(b": keepalive\n\n")


async def _parts(updates: DashboardUpdates) -> AsyncIterator[str]:
    """The range; then each app as it arrives, and the totals so far, at intervals."""
    empty = await updates.dashboard()
    yield _part(empty, 0, updates.total)
    done, shown, shown_at = 0, 0, 0.0
    while done < updates.total or shown < done:
        due = shown < done and (done == updates.total or time.monotonic() - shown_at > TOTALS_INTERVAL)
        update = None
        if not due:
            with anyio.move_on_after(TOTALS_INTERVAL if shown < done else None):
                update = await anext(updates)
        if update is None:
            so_far = await updates.dashboard()
            shown, shown_at = done, time.monotonic()
            yield _part(msgspec.structs.replace(so_far, apps=[]), done, updates.total)
        else:
            done = update.done
            yield _part(msgspec.structs.replace(empty, apps=[update.app]), done, updates.total)


def _part(dashboard: Dashboard, done: int, total: int) -> str:
    return f'{{"done": {done}, "total": {total}, "dashboard": {dashboard.to_json()}}}'
