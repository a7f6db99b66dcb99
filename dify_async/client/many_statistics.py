"""All statistics of one app, or of many apps at once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from dify_async._api.endpoints import APP
from dify_async._ids import checked_apps

from .statistics import StatisticCalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dify_async._choices import MetricName, OnError
    from dify_async._ids import AppOrId
    from dify_async._times import When
    from dify_async.models import App
    from dify_async.statistics.fan_out import FanOut, Reader
    from dify_async.statistics.metrics import Metric
    from dify_async.statistics.results import AppStatistics


class ManyStatisticCalls(StatisticCalls):
    """Calls for all statistics of one app, or of many apps at once."""

    async def statistics(
        self,
        app: AppOrId,
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | MetricName] | None = None,
        on_error: OnError = "raise",
    ) -> AppStatistics:
        """All statistics of an app; only the metrics that apply to its mode are requested.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive.

        Args:
            app: An `App`, or its id, which costs one more request.
            start: A datetime, a date or an ISO 8601 string; aware datetimes are converted to the account's
                time zone. By default, since the beginning.
            end: A datetime, a date or an ISO 8601 string. By default, until now.
            metrics: Only these metrics, if they apply.
            on_error: "raise" the first error, or "collect" all into `AppStatistics.errors`. Wrong
                arguments and a rejected session are always raised.
        """
        found = await self.statistics_many([app], start, end, metrics=metrics, on_error=on_error)
        return found[0]

    async def statistics_many(
        self,
        apps: Iterable[AppOrId],
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | MetricName] | None = None,
        on_error: OnError = "collect",
    ) -> list[AppStatistics]:
        """The statistics of many apps, in the order given; at most `max_concurrency` requests at once.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive.

        Args:
            apps: The apps, each an `App`, or its id, which costs one more request.
            start: A datetime, a date or an ISO 8601 string; aware datetimes are converted to the account's
                time zone. By default, since the beginning.
            end: A datetime, a date or an ISO 8601 string. By default, until now.
            metrics: Only these metrics, if they apply to the app's mode.
            on_error: "collect" the errors of each app into its `AppStatistics.errors`, or "raise" the first
                one. Wrong arguments and a rejected session are always raised.
        """
        chosen, fan_out = checked_apps(apps), self._fan_out(metrics, on_error)
        found: dict[int, AppStatistics] = {}
        await fan_out.run(chosen, await self._reader(start, end), found.__setitem__)
        return [found[index] for index in sorted(found)]

    @asynccontextmanager
    async def stream_statistics(
        self,
        apps: Iterable[AppOrId],
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | MetricName] | None = None,
        on_error: OnError = "collect",
    ) -> AsyncIterator[AsyncIterator[AppStatistics]]:
        """The statistics of many apps, each app as soon as it is complete.

        Use: `async with dify.stream_statistics(apps) as stream: async for statistics in stream:`.
        Leaving the block cancels the remaining requests.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive.

        Args:
            apps: The apps, each an `App`, or its id, which costs one more request.
            start: A datetime, a date or an ISO 8601 string; aware datetimes are converted to the account's
                time zone. By default, since the beginning.
            end: A datetime, a date or an ISO 8601 string. By default, until now.
            metrics: Only these metrics, if they apply to the app's mode.
            on_error: "collect" the errors of each app into its `AppStatistics.errors`, or "raise" the first
                one. Wrong arguments and a rejected session are always raised.
        """
        chosen, fan_out = checked_apps(apps), self._fan_out(metrics, on_error)
        async with fan_out.stream(chosen, await self._reader(start, end)) as stream:
            yield stream

    def _fan_out(self, metrics: Iterable[Metric | MetricName] | None, on_error: OnError) -> FanOut:
        from dify_async.statistics.fan_out import FanOut  # noqa: PLC0415 - see `_LAZY` of the package

        return FanOut(
            self._get_app,
            self._statistic_rows,
            metrics=metrics,
            on_error=on_error,
            workers=self._max_concurrency,
        )

    async def _reader(self, start: When | None, end: When | None) -> Reader:
        # Converted once for all apps: the account's zone is not looked up in each request.
        span = await self._span(start, end)
        return lambda get: partial(get, span)

    async def _get_app(self, app_id: str) -> App:
        return await self._caller.call(APP, (app_id,))
