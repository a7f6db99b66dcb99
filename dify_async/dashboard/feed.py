"""A dashboard that is refreshed in the background for any number of readers."""

from __future__ import annotations

import asyncio
import copy
import logging
import random
from typing import TYPE_CHECKING, Final, Self

from dify_async import _checks
from dify_async._concurrency import SingleFlight, cancel_and_wait
from dify_async._secrets import masked
from dify_async._uncopyable import Uncopyable
from dify_async.errors import DifyConfigError, DifyError

from .gather import DashboardSource, gather
from .history import History
from .layout import feed_key
from .query import checked_query
from .shared import SharedRefresh
from .snapshot import Outcome, Snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from types import TracebackType

    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster

    from dify_async._choices import AppMode, MetricName, PeriodName
    from dify_async._ids import AppOrId
    from dify_async.statistics.metrics import Metric

    from .dashboard import Dashboard
    from .gather import DashboardClient

logger: Final = logging.getLogger("dify_async")

# So that processes that start together do not refresh at the same time.
_JITTER: Final = 0.1


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
        apps: Only these apps, each an `App` or its id.
        mode: Only apps of this mode.
        name: Only apps whose name contains this text.
        metrics: Only these metrics.
        compare: Whether to compare with the previous period of the same length.
        shared: A Redis URL, or a `redis.asyncio` client, which is not closed. All feeds of the same account
            and arguments, in any process, refresh once per interval: one of them requests the numbers, and
            the others read them from Redis, with at most two commands per interval. If intervals differ,
            the shortest one applies. If the process that refreshes dies, another takes over within two
            intervals; if Redis is unavailable, each feed refreshes alone. The data is encrypted if the
            client's token store is a `RedisTokenStore` with an encryption key.

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
        shared: Redis | RedisCluster | str | None = None,
    ) -> None:
        shared = masked(shared)  # a URL may have a password
        source = getattr(dify, "dashboard_source", None)
        if not isinstance(source, DashboardSource):
            raise DifyConfigError(f"dify must be an AsyncDifyServer, got {_checks.described(dify)}")
        if not isinstance(shared, str | None):
            _checks.methods("shared", shared, ("get", "eval"), "a Redis URL or a redis.asyncio client")
        self._source = source
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
        self._shared = None if shared is None else self._share(shared)
        self._flight = SingleFlight()
        # One per caller that waits for a refresh, or for one of all days.
        self._want_refresh: set[object] = set()
        self._want_all_days: set[object] = set()
        self._outcome = Outcome()
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
                if self._shared is not None:
                    await self._shared.aclose()

    @property
    def latest(self) -> Snapshot | None:
        """The latest dashboard; None before the first refresh succeeds."""
        return self._outcome.snapshot

    async def get(self) -> Snapshot:
        """The latest dashboard, without waiting; the first call waits for the first refresh.

        Raises:
            DifyError: No refresh has succeeded, and the last one failed.
        """
        self._check()
        if self._outcome == Outcome():
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
        caller, waiting = object(), self._want_all_days if all_days else self._want_refresh
        waiting.add(caller)
        try:
            while caller in waiting:
                self._check()
                await self._flight.join(self._refresh)
        finally:
            waiting.discard(caller)
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
            latest = self.latest

    def _check(self) -> None:
        if self._task is None:
            raise DifyError("the feed is not open; use `async with DashboardFeed(dify) as feed:`")

    def _present(self) -> Snapshot:
        snapshot, error = self._outcome
        if snapshot is None:
            raise copy.copy(error or DifyError("the feed was closed"))
        return snapshot

    def _share(self, redis_or_url: Redis | RedisCluster | str) -> SharedRefresh:
        from dify_async._redis_snapshots import SnapshotStore  # noqa: PLC0415 - it imports redis

        key = feed_key(self._source.account, self._query)
        store = SnapshotStore(redis_or_url, key, self._source.seal)
        return SharedRefresh(store, self._interval, self._history, self._fetch)

    async def _run(self) -> None:
        while True:
            await self._flight.join(self._refresh)
            pause = self._interval * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
            await asyncio.sleep(pause if self._shared is None else self._shared.pause())

    async def _refresh(self, _: asyncio.Future[None]) -> None:
        """Refresh the dashboard, or read what another feed has fetched."""
        all_days = bool(self._want_all_days)
        is_refresh = self._shared is None or all_days or bool(self._want_refresh)
        if self._shared is None:
            self._outcome = await self._fetch(self._outcome, all_days=all_days)
        else:
            self._outcome = await self._shared.refresh(self._outcome, now=is_refresh, all_days=all_days)
        # Callers that came in the meantime joined this refresh.
        if is_refresh:
            self._want_refresh.clear()
        if all_days:
            self._want_all_days.clear()
        refreshed, self._refreshed = self._refreshed, asyncio.Event()
        refreshed.set()

    async def _fetch(self, known: Outcome, *, all_days: bool) -> Outcome:
        """Fetch the dashboard; if that fails, the latest one stays, with the error."""
        if all_days:
            self._history.clear()
        try:
            outcome = Outcome.of(await self._gather(known.snapshot))
        except Exception as error:  # noqa: BLE001 - readers receive it
            if known.error is None or str(known.error) != str(error):  # not at each refresh of an outage
                logger.warning("refreshing the dashboard failed: %s", error)
            return known.failed(error)
        if known.error is not None:
            logger.info("refreshing the dashboard works again")
        return outcome

    async def _gather(self, latest: Snapshot | None) -> Dashboard:
        async with gather(self._source, self._query, "collect", self._history) as updates:
            dashboard = await updates.collect()
        failed = {error.app_id for error in dashboard.errors}
        is_better = latest is None and dashboard.totals
        if 2 * len(failed) > len(dashboard.apps) and not is_better:
            # The server is down, not just some apps.
            raise dashboard.errors[0].error
        self._history.retain(app.app_id for app in dashboard.apps)
        return dashboard
