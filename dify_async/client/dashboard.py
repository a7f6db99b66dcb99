"""The dashboard: the numbers of all apps in one call."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from .apps import AppCalls
from .many_statistics import ManyStatisticCalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dify_async._choices import AppMode, MetricName, OnError, PeriodName
    from dify_async._ids import AppOrId
    from dify_async._redis_sealing import Seal
    from dify_async._times import When
    from dify_async.dashboard.dashboard import Dashboard
    from dify_async.dashboard.gather import DashboardSource
    from dify_async.dashboard.updates import DashboardUpdates
    from dify_async.models import App
    from dify_async.statistics.metrics import Metric


class DashboardCalls(AppCalls, ManyStatisticCalls):
    """Calls for the numbers of all apps."""

    _account_key: str
    _seal: Seal | None = None

    @property
    def dashboard_source(self) -> DashboardSource:
        """Internal: the requests of `DashboardFeed`."""
        from dify_async.dashboard.gather import DashboardSource  # noqa: PLC0415 - see `_LAZY` of the package

        return DashboardSource(
            now=self._now,
            get_zone=self._account_zone,
            list_apps=self._list_apps,
            get_app=self._get_app,
            get_span=self._statistic_rows,
            max_concurrency=self._max_concurrency,
            account=self._account_key,
            seal=self._seal,
        )

    async def dashboard(
        self,
        start: When | None = None,
        end: When | None = None,
        *,
        days: int | None = None,
        period: PeriodName | None = None,
        apps: Iterable[AppOrId] | None = None,
        mode: AppMode | None = None,
        name: str | None = None,
        metrics: Iterable[Metric | MetricName] | None = None,
        compare: bool = False,
        on_error: OnError = "collect",
    ) -> Dashboard:
        """The numbers of every app for each day of a range, with totals.

        It lists the apps and requests the metrics that apply to each app's mode, at most `max_concurrency`
        requests at once. Days are calendar days in the account's time zone; today's date is read from this
        machine's clock. Future days have the numbers of days without traffic.

        Args:
            start: Inclusive: a datetime, a date or an ISO 8601 string. By default, `days` before the end.
            end: Exclusive. By default, `days` after the start, or the next midnight, so that today is
                included.
            days: The number of days from the start or up to the end; 30 by default if no start is given.
            period: A named period instead: "today", "yesterday", "last_7_days" and "last_30_days" (both
                include today), "this_month" (until the end of today) or "last_month".
            apps: Only these apps, each an `App` or its id; duplicates are ignored.
            mode: Only apps of this mode. By default, all apps, including those of mode "agent".
            name: Only apps whose name contains this text.
            metrics: Only these metrics. A weighted average also needs the metric that it is weighted by.
            compare: Also get the previous period of the same length, in the same requests. The range must
                start at midnight. Changes are those of complete days.
            on_error: "collect" the errors of each app into its `errors`, or "raise" the first one.

        Raises:
            DifyConfigError: An argument is wrong, or the account has no time zone.
            DifyError: The apps could not be listed, or the session was rejected.
        """
        updates = self.stream_dashboard(
            start,
            end,
            days=days,
            period=period,
            apps=apps,
            mode=mode,
            name=name,
            metrics=metrics,
            compare=compare,
            on_error=on_error,
        )
        async with updates as stream:
            return await stream.collect()

    @asynccontextmanager
    async def stream_dashboard(
        self,
        start: When | None = None,
        end: When | None = None,
        *,
        days: int | None = None,
        period: PeriodName | None = None,
        apps: Iterable[AppOrId] | None = None,
        mode: AppMode | None = None,
        name: str | None = None,
        metrics: Iterable[Metric | MetricName] | None = None,
        compare: bool = False,
        on_error: OnError = "collect",
    ) -> AsyncIterator[DashboardUpdates]:
        """The numbers of every app for each day of a range, each app as soon as it is complete.

        Use: `async with dify.stream_dashboard() as updates: async for update in updates:`. Each update has
        an app and the progress; `await updates.dashboard()` returns the dashboard of the apps so far.
        Leaving the block cancels the remaining requests.

        Days are calendar days in the account's time zone; today's date is read from this machine's clock.

        Args:
            start: Inclusive: a datetime, a date or an ISO 8601 string. By default, `days` before the end.
            end: Exclusive. By default, `days` after the start, or the next midnight, so that today is
                included.
            days: The number of days from the start or up to the end; 30 by default if no start is given.
            period: A named period instead: "today", "yesterday", "last_7_days" and "last_30_days" (both
                include today), "this_month" (until the end of today) or "last_month".
            apps: Only these apps, each an `App` or its id; duplicates are ignored.
            mode: Only apps of this mode. By default, all apps, including those of mode "agent".
            name: Only apps whose name contains this text.
            metrics: Only these metrics. A weighted average also needs the metric that it is weighted by.
            compare: Also get the previous period of the same length, in the same requests. The range must
                start at midnight. Changes are those of complete days.
            on_error: "collect" the errors of each app into its `errors`, or "raise" the first one.

        Raises:
            DifyConfigError: An argument is wrong, or the account has no time zone.
            DifyError: The apps could not be listed, or the session was rejected.
        """
        from dify_async.dashboard.gather import gather  # noqa: PLC0415
        from dify_async.dashboard.query import checked_query  # noqa: PLC0415

        query = checked_query(
            start=start,
            end=end,
            days=days,
            period=period,
            apps=apps,
            mode=mode,
            name=name,
            metrics=metrics,
            compare=compare,
        )
        async with gather(self.dashboard_source, query, on_error) as updates:
            yield updates

    async def _list_apps(self, mode: AppMode | None, name: str | None) -> list[App]:
        return await self.apps(mode=mode, name=name)
