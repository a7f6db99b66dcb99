"""The numbers of the page: as a stream, refreshed, of the month, and as CSV."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from dify_async.errors import DifyConfigError
from dify_async.statistics.metrics import Metric

from .feeds import Feeds
from .month import MONTH_DAYS, month_costs
from .parts import part_of, parts_of
from .problems import problem_of
from .queries import PageQuery, parse_query
from .stream import Streams

if TYPE_CHECKING:
    from dify_async.client import AsyncDifyServer
    from dify_async.dashboard import Dashboard

    from .stream import Add

# Finished dashboards that are kept for the export, each with the numbers of all apps.
_MAX_FINISHED: Final = 2
# Seconds: the costs of a month change slowly.
_MONTH_AGE: Final = 900.0


class Numbers:
    """What all pages share: streams under way, feeds, and finished dashboards."""

    def __init__(self, dify: AsyncDifyServer) -> None:
        self.dify = dify
        self.feeds: Feeds = Feeds(dify)
        self.streams: Streams = Streams()
        self._finished: dict[PageQuery, Dashboard] = {}

    async def fetch(self, query: PageQuery, add: Add) -> None:
        """Add a "part" for each app as it arrives, and for the totals."""
        async with self.dify.stream_dashboard(
            apps=query.apps, mode=query.mode, compare=True, **query.range
        ) as updates:
            async for part in parts_of(updates):
                add("part", part)
            self.keep(query, await updates.dashboard())

    async def dashboard(self, query: PageQuery) -> Dashboard:
        """The dashboard that a page shows, or a new one if this process has not kept it."""
        return self._finished.get(query) or await self.dify.dashboard(
            apps=query.apps, mode=query.mode, compare=True, **query.range
        )

    def keep(self, query: PageQuery, dashboard: Dashboard) -> None:
        """Keep a dashboard that a page shows, for its export."""
        self._finished.pop(query, None)
        self._finished[query] = dashboard
        while len(self._finished) > _MAX_FINISHED:
            del self._finished[next(iter(self._finished))]


NUMBERS: Final = web.AppKey("numbers", Numbers)


async def close(app: web.Application) -> None:
    """End all streams and feeds, so that no connection keeps the server from stopping."""
    numbers = app[NUMBERS]
    numbers.streams.cancel()
    await numbers.feeds.close()


async def _stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events, see `Numbers.fetch`."""
    query, numbers = parse_query(request.query), request.app[NUMBERS]
    return await numbers.streams.follow(request, query, partial(numbers.fetch, query))


async def _snapshot(request: web.Request) -> web.Response:
    """The numbers of the last days, at most `max_age` seconds old; only for ranges until today."""
    query, max_age = parse_query(request.query), request.query.get("max_age", "")
    if query.start is not None or not max_age.isdecimal():
        raise DifyConfigError("a snapshot needs days=, not start= and last=, and max_age= in whole seconds")
    numbers = request.app[NUMBERS]
    snapshot = await numbers.feeds.snapshot(query, float(max_age))
    dashboard = snapshot.dashboard
    numbers.keep(query, dashboard)
    # In a thread, because the JSON of 1000 apps takes tenths of a second.
    part = await asyncio.to_thread(part_of, dashboard, len(dashboard.apps), len(dashboard.apps))
    body = {
        "age": snapshot.age,
        "problem": None if snapshot.error is None else problem_of(snapshot.error),
        "part": msgspec.Raw(part),
    }
    return _json(body)


async def _month(request: web.Request) -> web.Response:
    """The costs of the current month, for all apps of a mode or for one app."""
    asked = parse_query(request.query)
    query = PageQuery(days=MONTH_DAYS, mode=asked.mode, apps=asked.apps)
    snapshot = await request.app[NUMBERS].feeds.snapshot(
        query, _MONTH_AGE, metrics=[Metric.TOKEN_COSTS], compare=False
    )
    dashboard = snapshot.dashboard
    costs = month_costs(dashboard.costs, dashboard.period)
    return _json({"costs": costs, "failed": len({error.app_id for error in dashboard.errors})})


async def _csv(request: web.Request) -> web.Response:
    """The numbers as a CSV file: one row per app, series and day."""
    dashboard = await request.app[NUMBERS].dashboard(parse_query(request.query))
    days = dashboard.period.days
    return web.Response(
        body=await asyncio.to_thread(_csv_of, dashboard),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="dify_{days[0]}_{days[-1]}.csv"'},
    )


def _csv_of(dashboard: Dashboard) -> bytes:
    with tempfile.TemporaryDirectory(prefix="dify_async") as folder:
        path = Path(folder) / "numbers.csv"
        dashboard.to_csv(path, encoding="utf-8-sig")  # for Excel
        return path.read_bytes()


def _json(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


ROUTES: Final = (
    web.get("/api/numbers", _stream),
    web.get("/api/snapshot", _snapshot),
    web.get("/api/month", _month),
    web.get("/api/numbers.csv", _csv),
)
