"""A dashboard that is refreshed in the background for any number of readers."""

from __future__ import annotations

import asyncio
import copy
import logging
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from msgspec import Struct, structs

from dify_async import _checks
from dify_async._concurrency import SingleFlight, cancel_and_wait
from dify_async._uncopyable import Uncopyable
from dify_async.errors import DifyError

from .dashboard import Dashboard
from .gather import gather
from .history import History
from .query import checked_query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from types import TracebackType

    from dify_async._choices import AppMode, MetricName, PeriodName
    from dify_async._ids import AppOrId
    from dify_async.statistics import Metric

    from .gather import DashboardClient

logger: Final = logging.getLogger("dify_async")

# So that processes that start together do not refresh at the same time.
_JITTER: Final = 0.1


class Snapshot(Struct, frozen=True, kw_only=True):
    """The latest dashboard of a feed.

    Attributes:
        dashboard: The dashboard.
        fetched_at: When it was fetched, in UTC.
        monotonic_at: When it was fetched, by `time.monotonic()`.
        error: Why the last refresh failed; None if it succeeded.
    """

    dashboard: Dashboard
    fetched_at: datetime
    monotonic_at: float
    error: Exception | None = None

    @property
    def age(self) -> float:
        """Seconds since the dashboard was fetched."""
        return time.monotonic() - self.monotonic_at


class DashboardFeed(Uncopyable):
    """A dashboard that one task refreshes every `interval` seconds for all readers.

    Use it as an async context manager, inside that of the client. Days older than two are fetched once.
    Their numbers may still change (a late like, a conversation that continues):
    `refresh(all_days=True)` fetches them again. So does a change of the account's time zone, which is
    checked every five minutes.

    Args:
        dify: The client; the feed does not close it.
        interval: Seconds between two refreshes, plus or minus 10 %.
        days: The number of days, including today; by default 30.
        period: A named period instead, such as "this_month". Like `days`, it moves on at the first refresh
            after midnight in the account's time zone.
        apps: Only these `App`s or ids.
        mode: Only apps of this mode.
        name: Only apps whose name contains this text.
        metrics: Only these metrics.
        compare: Whether to compare with the previous period of the same length.

    Raises:
        DifyConfigError: An argument is wrong.
    """

    _instead = "create a feed in each process, or send its snapshots"

    def __init__(
        self,
        dify: DashboardClient,
        interval: float = 60.0,
        *,
        days: int | None = None,
        period: PeriodName | None = None,
        apps: Iterable[AppOrId] | None = None,
        mode: AppMode | None = None,
        name: str | None = None,
        metrics: Iterable[Metric | MetricName] | None = None,
        compare: bool = False,
    ) -> None:
        self._source = dify.dashboard_source
        self._interval = _checks.positive("interval", interval)
        self._query = checked_query(
            days=days,
            period=period,
            apps=apps,
            mode=mode,
            name=name,
            metrics=metrics,
            compare=compare,
        )
        self._history = History()
        self._flight = SingleFlight()
        self._want_all_days: set[object] = set()  # one per caller that waits for all days
        self._latest: Snapshot | None = None
        self._error: Exception | None = None
        self._refreshed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise DifyError("the feed is already open")
        self._task = asyncio.create_task(self._run(), name="dify_async dashboard feed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            try:
                await self._flight.close(0)
            finally:
                self._refreshed.set()
                await cancel_and_wait(task)

    @property
    def latest(self) -> Snapshot | None:
        """The latest dashboard; None before the first refresh succeeds."""
        return self._latest

    async def get(self) -> Snapshot:
        """The latest dashboard, without waiting; the first call waits for the first refresh.

        Raises:
            DifyError: No refresh has succeeded, and the last one failed.
        """
        self._check()
        if self._latest is None and self._error is None:
            await self._flight.join(self._refresh)
        return self._present()

    async def refresh(self, *, all_days: bool = False) -> Snapshot:
        """Refresh now; concurrent callers share one refresh.

        Args:
            all_days: Whether to fetch past days again. If another refresh is running, this one follows it,
                unless all callers that wait for it are cancelled.

        Raises:
            DifyError: No refresh has succeeded, and the last one failed.
        """
        self._check()
        if not all_days:
            await self._flight.join(self._refresh)
            return self._present()
        caller = object()
        self._want_all_days.add(caller)
        try:
            while caller in self._want_all_days:
                self._check()
                await self._flight.join(self._refresh)
        finally:
            self._want_all_days.discard(caller)
        return self._present()

    async def __aiter__(self) -> AsyncIterator[Snapshot]:
        """The latest dashboard, and a new one after each refresh, until the feed is closed."""
        seen: Snapshot | None = None
        latest: Snapshot | None = await self.get()
        while self._task is not None:
            if latest is not seen and latest is not None:
                seen = latest
                yield latest
            else:
                await self._refreshed.wait()
            latest = self._latest

    def _check(self) -> None:
        if self._task is None:
            raise DifyError("the feed is not open; use `async with DashboardFeed(dify) as feed:`")

    def _present(self) -> Snapshot:
        if self._latest is None:
            raise copy.copy(self._error or DifyError("the feed was closed"))
        return self._latest

    async def _run(self) -> None:
        while True:
            await self._flight.join(self._refresh)
            await asyncio.sleep(self._interval * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311

    async def _refresh(self, _: asyncio.Future[None]) -> None:
        """Refresh the dashboard; if it fails, the latest one stays, with the error."""
        all_days = bool(self._want_all_days)
        if all_days:
            self._history.clear()
        try:
            dashboard = await self._gather()
        except Exception as error:  # noqa: BLE001 - readers receive it
            logger.warning("refreshing the dashboard failed: %s", error)
            self._error = error
            if self._latest is not None:
                self._latest = structs.replace(self._latest, error=error)
        else:
            self._error = None
            self._latest = Snapshot(
                dashboard=dashboard, fetched_at=datetime.now(UTC), monotonic_at=time.monotonic()
            )
        if all_days:
            self._want_all_days.clear()  # callers that came in the meantime joined this refresh
        refreshed, self._refreshed = self._refreshed, asyncio.Event()
        refreshed.set()

    async def _gather(self) -> Dashboard:
        async with gather(self._source, self._query, "collect", self._history) as updates:
            dashboard = await updates.collect()
        failed = {error.app_id for error in dashboard.errors}
        is_better = self._latest is None and dashboard.totals
        if 2 * len(failed) > len(dashboard.apps) and not is_better:
            # The server is down, not just some apps.
            raise dashboard.errors[0].error
        self._history.retain(app.app_id for app in dashboard.apps)
        return dashboard
