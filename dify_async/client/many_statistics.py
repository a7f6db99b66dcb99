"""All statistics that apply, of one app or of many at once."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio

from dify_async._api.endpoints import APP
from dify_async._tasks import task_group
from dify_async.statistics.fan_out import FanOut
from dify_async.statistics.results import (
    AppStatistics,
    checked_apps,
    checked_metrics,
)

from .statistics import StatisticCalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from dify_async._times import When
    from dify_async.models import App
    from dify_async.statistics.fan_out import GetRows, OnError, Run
    from dify_async.statistics.results import Metric, Row


class ManyStatisticCalls(StatisticCalls):
    """Calls for all statistics at once; bounds and rows as of each of them."""

    async def statistics(
        self,
        app: App | str,
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "raise",
    ) -> AppStatistics:
        """All statistics that apply to the app's mode, at once.

        Args:
            app: An `App`, or its id for one request more.
            start: The first moment, on the account's clock where it is naive; by default of all time.
            end: The first moment that is no longer asked for. Likewise.
            metrics: Only these, where they apply.
            on_error: "raise", or "collect" into `errors`; wrong arguments and a refused session are
                raised in both cases.
        """
        found = await self.statistics_many([app], start, end, metrics=metrics, on_error=on_error)
        return found[0]

    async def statistics_many(
        self,
        apps: Iterable[App | str],
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "collect",
    ) -> list[AppStatistics]:
        """What `statistics` gives, for many apps at once, in the order given.

        No more than `max_concurrency` requests are under way.

        Args:
            apps: `App`s, or ids for one request more each.
            start: As in `statistics`.
            end: As in `statistics`; exclusive.
            metrics: Only these, where they apply.
            on_error: With "collect", an app that fails keeps its place, with its `errors`.
        """
        found: dict[int, AppStatistics] = {}
        run = await self._prepared(apps, start, end, metrics, on_error)
        await run(found.__setitem__)
        return [found[index] for index in sorted(found)]

    @asynccontextmanager
    async def stream_statistics(
        self,
        apps: Iterable[App | str],
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "collect",
    ) -> AsyncIterator[AsyncIterator[AppStatistics]]:
        """What `statistics_many` gives, each app as soon as it is complete; arguments as there.

        Use: `async with dify.stream_statistics(apps) as arriving: async for statistics in arriving:`.
        Leaving the block early ends what is under way.
        """
        run = await self._prepared(apps, start, end, metrics, on_error)
        async with arriving(run) as stream:
            yield stream

    async def _prepared(
        self,
        apps: Iterable[App | str],
        start: When | None,
        end: When | None,
        metrics: Iterable[Metric | str] | None,
        on_error: OnError,
    ) -> Run:
        """The fan-out, with its arguments checked and its range on one clock."""
        chosen = checked_apps(apps)
        first, last = await self._range(start, end)
        get_rows = partial(self._rows, first=first, last=last)
        return partial(self._fan_out(get_rows, metrics, on_error).run, chosen)

    def _fan_out(
        self, get_rows: GetRows, metrics: Iterable[Metric | str] | None, on_error: OnError
    ) -> FanOut:
        return FanOut(
            metrics=checked_metrics(metrics),
            on_error=on_error,
            workers=self._max_concurrency,
            get_app=lambda app_id: self._caller.call(APP, (app_id,)),
            get_rows=get_rows,
        )

    async def _rows(
        self, metric: Metric, app_id: str, first: When | None, last: When | None
    ) -> Sequence[Row]:
        rows: Sequence[Row] = await getattr(self, metric)(app_id, first, last)
        return rows


@asynccontextmanager
async def arriving(run: Run) -> AsyncIterator[AsyncIterator[AppStatistics]]:
    """The fan-out as a stream; leaving the block ends what is under way."""
    send, receive = anyio.create_memory_object_stream[AppStatistics](math.inf)

    async def feed() -> None:
        with send:
            await run(lambda _, statistics: send.send_nowait(statistics))

    # It takes what comes in until the group has ended: an answer may be there in the moment of leaving.
    with receive:
        async with task_group() as group:
            group.start_soon(feed)
            yield receive
            group.cancel_scope.cancel()
