"""Gathers a dashboard: lists the apps, requests their statistics, and streams them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dify_async._ids import unique_apps
from dify_async._times import span_of
from dify_async.statistics.fan_out import FanOut

from .period import on_clock, period_before, period_of
from .updates import DashboardUpdates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from dify_async._choices import AppMode, OnError
    from dify_async._redis_sealing import Seal
    from dify_async.models import App
    from dify_async.statistics.fan_out import GetApp, GetRows, GetSpan

    from .history import History
    from .query import DashboardQuery


class DashboardSource(NamedTuple):
    """The requests that a dashboard needs.

    Attributes:
        account: The account and its server, or the workspace of an admin key, as a text that reveals neither.
        seal: Encrypts what feeds share; None if the token store does not encrypt either.
    """

    now: Callable[[], datetime]
    get_zone: Callable[[], Awaitable[ZoneInfo]]
    list_apps: Callable[[AppMode | None, str | None], Awaitable[list[App]]]
    get_app: GetApp
    get_span: GetSpan
    max_concurrency: int
    account: str
    seal: Seal | None


class DashboardClient(Protocol):
    """A client that dashboards are gathered with."""

    @property
    def dashboard_source(self) -> DashboardSource:
        """The requests that a dashboard needs."""


@asynccontextmanager
async def gather(
    source: DashboardSource, query: DashboardQuery, on_error: OnError, history: History | None = None
) -> AsyncIterator[DashboardUpdates]:
    """The apps of a dashboard as they arrive; with a history, only new rows are requested."""
    fan_out = FanOut(
        source.get_app,
        source.get_span,
        metrics=query.metrics,
        on_error=on_error,
        workers=source.max_concurrency,
    )
    now = source.now()
    zone = await source.get_zone()
    period = period_of(query.range, zone, now)
    previous = period_before(period, zone) if query.compare else None
    start, end = on_clock(previous or period)[0], on_clock(period)[1]
    span, today = span_of(start, end, zone), now.astimezone(zone).date()

    def reader(get: GetSpan) -> GetRows:
        if history is None:
            return partial(get, span)
        return history.reader(get, (previous or period).days[0], end, today, zone)

    apps = await source.list_apps(query.mode, query.name) if query.apps is None else query.apps
    apps_by_id = unique_apps(apps)
    async with fan_out.stream(apps_by_id.values(), reader) as stream:
        yield DashboardUpdates(stream, apps_by_id, period, previous)
