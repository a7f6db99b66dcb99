"""A dashboard that is kept fresh for any number of readers."""

from __future__ import annotations

import asyncio
import copy
import logging
import math
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from msgspec import Struct, structs

from dify_async._auth.single_flight import SingleFlight
from dify_async._tasks import end
from dify_async._uncopyable import Uncopyable
from dify_async.errors import DifyConfigError, DifyError

from .history import History
from .models import Dashboard
from .query import checked_query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from types import TracebackType

    from dify_async.client import AsyncDifyServer
    from dify_async.models import App
    from dify_async.statistics.results import Metric

logger: Final = logging.getLogger("dify_async")

# Feeds of many processes that were started together drift apart.
_JITTER: Final = 0.1


class Snapshot(Struct, frozen=True, kw_only=True):
    """The last good dashboard of a feed.

    Attributes:
        dashboard: The dashboard.
        fetched_at: When it was got, in UTC.
        error: Why the last refresh failed; None where it is that of the last refresh.
        at: The same moment as `fetched_at` on `time.monotonic()`.
    """

    dashboard: Dashboard
    fetched_at: datetime
    at: float
    error: Exception | None = None

    @property
    def age(self) -> float:
        """Seconds since it was got."""
        return time.monotonic() - self.at


class DashboardFeed(Uncopyable):
    """A dashboard of the last days, got again every `interval` seconds by one task for all readers.

    Use it as an async context manager, within that of the client. Days older than two are got once and
    kept: what still changes in them (a like that comes later, a conversation that goes on) is seen
    after `refresh(all_days=True)`. A change of the account's time zone, which is looked at every five
    minutes, gets all days again.

    Args:
        dify: The client, which stays the caller's.
        interval: Seconds between two refreshes, give or take a tenth.
        days: As in `AsyncDifyServer.dashboard`, and so are all others.
        apps: Only these apps.
        mode: Only apps of this mode.
        name: Only apps with this in their name.
        metrics: Only these metrics.
        compare: Whether to compare with the previous period.

    Raises:
        DifyConfigError: An argument is wrong.
    """

    _instead = "create a feed in each process, or pass on its snapshots"

    def __init__(
        self,
        dify: AsyncDifyServer,
        interval: float = 60.0,
        *,
        days: int = 30,
        apps: Iterable[App | str] | None = None,
        mode: str | None = None,
        name: str | None = None,
        metrics: Iterable[Metric | str] | None = None,
        compare: bool = False,
    ) -> None:
        if isinstance(interval, bool) or not isinstance(interval, int | float) or not 0 < interval < math.inf:
            raise DifyConfigError(f"interval is {interval!r}; it is a number of seconds greater than 0")
        self._dify = dify
        self._interval = interval
        self._query = checked_query(
            days=days, apps=apps, mode=mode, name=name, metrics=metrics, compare=compare
        )
        self._history = History()
        self._flight = SingleFlight()
        self._want_all_days: set[object] = set()  # one for each caller who waits for all days
        self._latest: Snapshot | None = None
        self._error: Exception | None = None
        self._refreshed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise DifyError("the feed is open already")
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
                await end(task)

    @property
    def latest(self) -> Snapshot | None:
        """The last good dashboard; None before the first."""
        return self._latest

    async def get(self) -> Snapshot:
        """The last good dashboard at once; the first one is waited for.

        Raises:
            DifyError: There was none yet, and the last refresh failed.
        """
        self._check()
        if self._latest is None and self._error is None:
            await self._flight.join(self._refresh)
        return self._present()

    async def refresh(self, *, all_days: bool = False) -> Snapshot:
        """Get it now, together with all callers who do so at the same time.

        Args:
            all_days: Whether to get the days again that are over. If a refresh of the other days is under
                way, one of all days follows it, unless all callers who wait for that are cancelled.
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
        """What `get` gives, and again after each refresh, until the feed ends."""
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
            raise DifyError("the feed is not open: use it as `async with DashboardFeed(dify) as feed:`")

    def _present(self) -> Snapshot:
        if self._latest is None:
            raise copy.copy(self._error or DifyError("the feed was closed"))
        return self._latest

    async def _run(self) -> None:
        while True:
            await self._flight.join(self._refresh)
            await asyncio.sleep(self._interval * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311

    async def _refresh(self, _: asyncio.Future[None]) -> None:
        """Get it; what goes wrong is kept beside the last good one."""
        all_days = bool(self._want_all_days)
        if all_days:
            self._history.forget()
        try:
            dashboard = await self._gathered()
        except Exception as error:  # noqa: BLE001 - readers get it
            logger.warning("the dashboard was not refreshed: %s", error)
            self._error = error
            if self._latest is not None:
                self._latest = structs.replace(self._latest, error=error)
        else:
            self._error = None
            self._latest = Snapshot(dashboard=dashboard, fetched_at=datetime.now(UTC), at=time.monotonic())
        if all_days:
            self._want_all_days.clear()  # also of those who came in the meantime: they joined this one
        refreshed, self._refreshed = self._refreshed, asyncio.Event()
        refreshed.set()

    async def _gathered(self) -> Dashboard:
        updates = self._dify._updates(self._query, "collect", self._history)  # noqa: SLF001 - of this package
        async with updates as coming:
            dashboard = await coming.collect()
        failed = {error.app_id for error in dashboard.errors}
        is_better = self._latest is None and dashboard.totals
        if 2 * len(failed) > len(dashboard.apps) and not is_better:
            # Not a failure of some apps: the server is down, or went down meanwhile.
            raise dashboard.errors[0].error
        self._history.keep_only(app.app_id for app in dashboard.apps)
        return dashboard
