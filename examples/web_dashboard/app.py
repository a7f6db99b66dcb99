"""The service: one client for its whole life, the page, and a stream of numbers for it."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import TypedDict

import anyio
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dify_async import AsyncDifyServer, Dashboard, DashboardUpdates, DifyError
from dify_async.testing import FakeDifyServer

DIFY = web.AppKey("dify", AsyncDifyServer)
UNDER_WAY = web.AppKey("under_way", dict[frozenset[tuple[str, object]], "Numbers"])
STATIC = Path(__file__).parent / "static"
MAX_RANGE = 366
# nginx holds an answer back until a buffer is full, unless it is told not to.
STREAM_HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
# Proxies cut a stream off on which nothing comes for a minute.
KEEP_OPEN = 15.0
# Totals are put together anew for as many apps as there are: not for each that comes.
BETWEEN_TOTALS = 0.2
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(*, names: Iterable[str] = ()) -> web.Application:
    """The service, for a request under a loopback name or one of `names`."""
    app = web.Application(middlewares=[_only_under({"localhost", "127.0.0.1", "::1", *names})])
    app[UNDER_WAY] = {}
    app.cleanup_ctx.append(_client)
    app.on_response_prepare.append(_add_headers)
    app.router.add_get("/", _page)
    app.router.add_get("/numbers", _numbers)
    app.router.add_static("/static", STATIC)
    return app


async def _client(app: web.Application) -> AsyncIterator[None]:
    """One client for all requests: they share its connections, its session, and its limit."""
    async with AsyncExitStack() as stack:
        if os.environ.get("DIFY_BASE_URL"):
            dify = AsyncDifyServer.from_env()
        else:
            fake = await stack.enter_async_context(FakeDifyServer(apps=24, latency=0.05))
            print("No DIFY_BASE_URL in the environment: this is a fake console.")
            dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
        app[DIFY] = await stack.enter_async_context(dify)
        yield


def _only_under(names: set[str]) -> Middleware:
    """No other name: a page elsewhere could give its own name this address, and read along."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.url.host not in names:
            raise web.HTTPForbidden(text="This host name is not served; see --name.")
        return await handler(request)

    return check


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _page(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


class Wanted(TypedDict, total=False):
    """The part of `stream_dashboard`'s arguments that the page chooses."""

    start: date
    end: date
    days: int
    mode: str


def wanted(query: Mapping[str, str]) -> Wanted:
    """days=30, or start= and last= as days that are both included; and mode=."""
    found = Wanted(mode=query["mode"]) if query.get("mode") else Wanted()
    if "start" in query or "last" in query:
        start, last = (date.fromisoformat(query.get(name, "")) for name in ("start", "last"))
        # The server's end is exclusive.
        found |= Wanted(start=start, end=last + timedelta(days=1))
        days = (last - start).days + 1
    else:
        days = int(query.get("days", "30"))
        found |= Wanted(days=days)
    if not 1 <= days <= MAX_RANGE:
        raise ValueError(f"a range has 1 to {MAX_RANGE} days, and not {days}")
    return found


class Numbers:
    """The events of one range, asked for once for all who want them at the same time."""

    def __init__(self, dify: AsyncDifyServer, query: Wanted) -> None:
        self.events: list[bytes] = []
        self.more = asyncio.Event()
        self.readers = 0
        self.task = asyncio.create_task(self._ask(dify, query))

    async def _ask(self, dify: AsyncDifyServer, query: Wanted) -> None:
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
        # to_json() and json.dumps() give one line, and an event has one line of data.
        self.events.append(f"event: {event}\ndata: {data}\n\n".encode())
        self.more.set()
        self.more = asyncio.Event()


async def _numbers(request: web.Request) -> web.StreamResponse:
    """Server-sent events: "part" for each app as it comes, then "done"; or "failed" with a reason.

    Each reader goes on at its own pace; the last one to leave ends what was asked for.
    """
    try:
        query = wanted(request.query)
    except (ValueError, OverflowError) as error:
        raise web.HTTPBadRequest(text=f"The range cannot be read: {error}.") from None
    stream = web.StreamResponse(headers=STREAM_HEADERS)
    await stream.prepare(request)
    under_way, key = request.app[UNDER_WAY], frozenset(query.items())
    numbers = under_way.get(key)
    if numbers is None or numbers.task.done():
        numbers = under_way[key] = Numbers(request.app[DIFY], query)
    numbers.readers += 1
    try:
        await _follow(numbers, stream)
    finally:
        numbers.readers -= 1
        if numbers.readers == 0:
            numbers.task.cancel()
            if under_way.get(key) is numbers:
                del under_way[key]
    return stream


async def _follow(numbers: Numbers, stream: web.StreamResponse) -> None:
    sent = 0
    while sent < len(numbers.events) or not numbers.task.done():
        if sent < len(numbers.events):
            await stream.write(numbers.events[sent])
            sent += 1
            continue
        with anyio.move_on_after(KEEP_OPEN) as quiet:
            await numbers.more.wait()
        if quiet.cancelled_caught:
            await stream.write(b": nothing new\n\n")


async def _parts(updates: DashboardUpdates) -> AsyncIterator[str]:
    """The range; then each app as it comes, and the totals so far where nothing comes for a moment."""
    nothing = await updates.dashboard()
    yield _part(nothing, 0, updates.total)
    done, shown, shown_at = 0, 0, 0.0
    while done < updates.total or shown < done:
        due = shown < done and (done == updates.total or time.monotonic() - shown_at > BETWEEN_TOTALS)
        update = None
        if not due:
            with anyio.move_on_after(BETWEEN_TOTALS if shown < done else None):
                update = await anext(updates)
        if update is None:
            so_far = await updates.dashboard()
            shown, shown_at = done, time.monotonic()
            yield _part(msgspec.structs.replace(so_far, apps=[]), done, updates.total)
        else:
            done = update.done
            yield _part(msgspec.structs.replace(nothing, apps=[update.app]), done, updates.total)


def _part(dashboard: Dashboard, done: int, total: int) -> str:
    return f'{{"done": {done}, "total": {total}, "dashboard": {dashboard.to_json()}}}'
