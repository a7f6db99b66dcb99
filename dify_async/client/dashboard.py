"""The dashboard: every app's numbers in one call."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from dify_async._api.endpoints import APPS
from dify_async._api.paging import fetch_all
from dify_async._api.versions import AGENT_APPS, parse_version
from dify_async.dashboard.period import on_clock, period_before, period_of
from dify_async.dashboard.query import checked_query
from dify_async.dashboard.updates import DashboardUpdates
from dify_async.errors import DifyValidationError
from dify_async.statistics.fan_out import unique_apps

from .apps import AppCalls
from .many_statistics import ManyStatisticCalls, arriving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dify_async._times import When
    from dify_async.dashboard.history import History
    from dify_async.dashboard.models import Dashboard
    from dify_async.dashboard.query import DashboardQuery
    from dify_async.models import App
    from dify_async.statistics.fan_out import GetRows, OnError
    from dify_async.statistics.results import Metric

_PAGE: Final = 100


class DashboardCalls(AppCalls, ManyStatisticCalls):
    """Calls for the numbers of all apps together."""

    async def dashboard(
        self,
        start: When | None = None,
        end: When | None = None,
        *,
        days: int = 30,
        apps: Iterable[App | str] | None = None,
        mode: str | None = None,
        name: str | None = None,
        metrics: Iterable[Metric | str] | None = None,
        compare: bool = False,
        on_error: OnError = "collect",
    ) -> Dashboard:
        """The numbers of every app for each day of a range, with totals.

        It lists the apps and asks, at most `max_concurrency` at once, for what applies to the mode of
        each. Days are those of the account's time zone; which one is today is read from this machine's
        clock. Days to come have the numbers of days without traffic.

        Args:
            start: The first moment, as in `statistics`; without it the range has `days` days.
            end: Exclusive; without it the next midnight, so that today is included.
            days: The number of whole days where no start is given.
            apps: Only these, as `App`s or ids; one that is given twice counts once.
            mode: Only apps of this mode, as in `apps()`; without it those of mode "agent" too.
            name: Only apps with this part in their name, as in `apps()`.
            metrics: Only these. A weighted average needs the metric that it is weighed by.
            compare: Whether to get the previous period of the same length too. It comes with the same
                calls, and needs a start at midnight.
            on_error: "collect" what fails into `errors`, where it is one app's own; or "raise" it.

        Raises:
            DifyConfigError: An argument is wrong, or the account has no time zone.
            DifyError: The apps cannot be listed, or the session is refused.
        """
        query = checked_query(
            start=start, end=end, days=days, apps=apps, mode=mode, name=name, metrics=metrics, compare=compare
        )
        async with self._updates(query, on_error) as updates:
            return await updates.collect()

    @asynccontextmanager
    async def stream_dashboard(
        self,
        start: When | None = None,
        end: When | None = None,
        *,
        days: int = 30,
        apps: Iterable[App | str] | None = None,
        mode: str | None = None,
        name: str | None = None,
        metrics: Iterable[Metric | str] | None = None,
        compare: bool = False,
        on_error: OnError = "collect",
    ) -> AsyncIterator[DashboardUpdates]:
        """What `dashboard` gives, each app as soon as it is complete.

        Use: `async with dify.stream_dashboard() as updates: async for update in updates:`. Each update
        has an app, and how many are done of how many; `await updates.dashboard()` puts together what
        has come so far. Leaving the block early ends what is under way.
        """
        query = checked_query(
            start=start, end=end, days=days, apps=apps, mode=mode, name=name, metrics=metrics, compare=compare
        )
        async with self._updates(query, on_error) as updates:
            yield updates

    @asynccontextmanager
    async def _updates(
        self, query: DashboardQuery, on_error: OnError, history: History | None = None
    ) -> AsyncIterator[DashboardUpdates]:
        now = datetime.now(UTC)
        zone = await self._account_zone()
        period = period_of(query.start, query.end, query.days, zone, now)
        previous = period_before(period, zone) if query.compare else None
        first, end = on_clock(previous or period)[0], on_clock(period)[1]
        get_rows: GetRows
        if history is None:
            get_rows = partial(self._rows, first=first, last=end)
        else:
            today = now.astimezone(zone).date()
            get_rows = history.reader(self._rows, (previous or period).days[0], end, today, zone.key)
        fan_out = self._fan_out(get_rows, query.metrics, on_error)
        apps = unique_apps(await self._all_apps(query) if query.apps is None else query.apps)
        async with arriving(partial(fan_out.run, apps.values())) as stream:
            yield DashboardUpdates(stream, apps, period, previous)

    async def _all_apps(self, query: DashboardQuery) -> list[App]:
        found = await self._apps_at_once(query.mode, query.name)
        version = await self._probe.version()
        if query.mode is None and AGENT_APPS(version):
            try:
                # They are in no other list [1.15.0].
                found += await self._apps_at_once("agent", query.name)
            except DifyValidationError:
                if parse_version(version) is not None:
                    raise
        return found

    async def _apps_at_once(self, mode: str | None, name: str | None) -> list[App]:
        query = (("mode", mode), ("name", name))
        return await fetch_all(self._caller, APPS, query, _PAGE, self._max_concurrency)
