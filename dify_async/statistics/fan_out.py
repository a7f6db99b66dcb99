"""Requests the statistics of many apps concurrently."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, get_args

import anyio

from dify_async import _checks
from dify_async._choices import OnError
from dify_async._concurrency import for_each, task_group
from dify_async._ids import id_of
from dify_async.errors import DifyError, affects_all_apps
from dify_async.models import App

from .metrics import Metric, applicable, checked_metrics
from .results import AppStatistics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
    from datetime import date

    from dify_async._choices import MetricName
    from dify_async._ids import AppOrId
    from dify_async._times import Span

    from .metrics import Row

    GetApp = Callable[[str], Awaitable[App]]
    GetSpan = Callable[[Span, Metric, str], Awaitable[Sequence[Row]]]
    GetRows = Callable[[Metric, str], Awaitable[Sequence[Row]]]
    Reader = Callable[[GetSpan], GetRows]
    OnApp = Callable[[int, AppStatistics], None]


class _Gate:
    """Gets rows; for a metric that has none because its gate has none in the same days, without a request."""

    def __init__(self, get: GetSpan) -> None:
        self._get = get
        # The span that was requested, and the last day with a row.
        self._answers: dict[tuple[str, str], tuple[Span, date | None]] = {}

    async def get(self, span: Span, metric: Metric, app_id: str) -> Sequence[Row]:
        if metric.gate is not None:
            answer = self._answers.get((app_id, metric.gate))
            if answer is not None and _has_no_row(*answer, span):
                return []
        rows = await self._get(span, metric, app_id)
        if metric.gate is None:
            self._answers[app_id, metric] = span, rows[-1].date if rows else None
        return rows


def _has_no_row(requested: Span, last_day: date | None, span: Span) -> bool:
    """Whether an answer whose last row is of `last_day` proves that there is none in this span."""
    # With a history, each metric is requested since the day up to which it is known.
    start = span.start or ""
    is_covered = requested.end == span.end and (requested.start or "") <= start
    return is_covered and (last_day is None or last_day.isoformat() < start[:10])


class _Job:
    """One app, the statistics received so far, and the number of pending ones."""

    __slots__ = ("app", "app_id", "errors", "gated", "index", "metrics", "pending", "rows")

    def __init__(self, index: int, app: AppOrId) -> None:
        self.index = index
        self.app = app if isinstance(app, App) else None
        self.app_id = id_of(app)
        self.metrics: list[Metric] = []
        self.pending = 0
        self.gated: dict[str, list[Metric]] = {}  # by their gate, which is requested first
        self.rows: dict[Metric, Sequence[Row]] = {}
        self.errors: dict[Metric, DifyError] = {}

    def choose(self, metrics: frozenset[Metric]) -> None:
        """Choose those of the metrics that apply to the app."""
        if self.app is not None:
            self.metrics = [metric for metric in applicable(self.app.mode) if metric in metrics]
        self.pending = len(self.metrics)

    def hold_gated(self) -> list[Metric]:
        """Hold the metrics back whose gate is requested; return the others, the gates first."""
        for metric in self.metrics:
            if metric.gate in self.metrics:
                self.gated.setdefault(metric.gate, []).append(metric)
        free = [metric for metric in self.metrics if metric.gate not in self.gated]
        return sorted(free, key=lambda metric: metric not in self.gated)

    def result(self) -> AppStatistics:
        app = self.app
        name, mode = (app.name, app.mode) if app is not None else ("", "")
        statistics = AppStatistics(app_id=self.app_id, app_name=name, mode=mode, errors=self.errors)
        for metric, rows in self.rows.items():
            setattr(statistics, metric, rows)
        # Keep no reference: the rows of a thousand apps use much memory, and a dashboard needs them only
        # until it has computed the series.
        self.rows = {}
        return statistics


class FanOut:
    """Requests the metrics that apply to each app, and delivers each app as soon as it is complete.

    A metric with a gate is requested after it, and only if the gate has rows or failed. If all requests fit
    at once, they are sent at once, because another round trip would take longer.
    """

    def __init__(
        self,
        get_app: GetApp,
        get_span: GetSpan,
        *,
        metrics: Iterable[Metric | MetricName] | None,
        on_error: OnError,
        workers: int,
    ) -> None:
        _checks.one_of("on_error", on_error, get_args(OnError))
        self._get_app = get_app
        self._get_span = get_span
        self._metrics = checked_metrics(metrics)
        self._on_error = on_error
        self._workers = workers

    async def run(self, apps: Iterable[AppOrId], reader: Reader, on_app: OnApp) -> None:
        """Call `on_app` with the index and the statistics of each app, in the order of completion."""
        jobs = [_Job(index, app) for index, app in enumerate(apps)]
        await for_each((job for job in jobs if job.app is None), self._fetch_app, self._workers)
        for job in jobs:
            job.choose(self._metrics)
            if not job.pending:
                on_app(job.index, job.result())
        is_gated = sum(job.pending for job in jobs) > self._workers
        requests = (
            (job, metric) for job in jobs for metric in (job.hold_gated() if is_gated else job.metrics)
        )
        get_rows = reader(_Gate(self._get_span).get)

        async def get(request: tuple[_Job, Metric]) -> list[tuple[_Job, Metric]]:
            job, metric = request
            try:
                job.rows[metric] = await get_rows(metric, job.app_id)
            except DifyError as error:
                if self._is_raised(error):
                    raise
                job.errors[metric] = error
            job.pending -= 1
            if not job.pending:
                on_app(job.index, job.result())
            return [(job, gated) for gated in job.gated.get(metric, ())]

        await for_each(requests, get, self._workers)

    @asynccontextmanager
    async def stream(
        self, apps: Iterable[AppOrId], reader: Reader
    ) -> AsyncIterator[AsyncIterator[AppStatistics]]:
        """Yield the apps' statistics in the order of completion; leaving the block cancels the rest."""
        send, receive = anyio.create_memory_object_stream[AppStatistics](math.inf)

        async def feed() -> None:
            with send:
                await self.run(apps, reader, lambda _, statistics: send.send_nowait(statistics))

        # The receiver stays open until all tasks have ended: a response may arrive while the block exits.
        with receive:
            async with task_group() as group:
                group.start_soon(feed)
                yield receive
                group.cancel_scope.cancel()

    async def _fetch_app(self, job: _Job) -> None:
        try:
            job.app = await self._get_app(job.app_id)
        except DifyError as error:
            if self._is_raised(error):
                raise
            job.errors = dict.fromkeys(sorted(self._metrics), error)

    def _is_raised(self, error: DifyError) -> bool:
        return affects_all_apps(error) or self._on_error == "raise"
