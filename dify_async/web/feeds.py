"""Dashboards that pages refresh automatically: one `DashboardFeed` per query, for all pages."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from dify_async.dashboard import DashboardFeed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dify_async.client import AsyncDifyServer
    from dify_async.dashboard import Snapshot
    from dify_async.statistics.metrics import Metric

    from .queries import PageQuery

    Key = tuple[PageQuery, frozenset[Metric] | None]

# Pages ask for each refresh; without pages, Dify is left alone.
_INTERVAL: Final = 86_400.0
# Feeds that stay open. Each keeps the numbers of all apps in memory.
_MAX_FEEDS: Final = 4


class _SharedFeed:
    def __init__(self, feed: DashboardFeed) -> None:
        self.feed = feed
        self.readers = 0
        self.stack = AsyncExitStack()


class Feeds:
    """Open feeds, the least recently used first."""

    def __init__(self, dify: AsyncDifyServer) -> None:
        self._dify = dify
        self._feeds: dict[Key, _SharedFeed] = {}

    async def snapshot(
        self,
        query: PageQuery,
        max_age: float,
        *,
        metrics: Iterable[Metric] | None = None,
        compare: bool = True,
    ) -> Snapshot:
        """The numbers of the last days, at most `max_age` seconds old unless the refresh fails.

        Concurrent callers share one refresh, which fetches only the last two days again.

        Raises:
            DifyError: No refresh has succeeded.
        """
        chosen = None if metrics is None else frozenset(metrics)
        async with self._open((query, chosen), compare=compare) as feed:
            latest = feed.latest
            return latest if latest is not None and latest.age <= max_age else await feed.refresh()

    async def close(self) -> None:
        """Close all feeds; their readers get an error."""
        while self._feeds:
            _, shared = self._feeds.popitem()
            await shared.stack.aclose()

    @asynccontextmanager
    async def _open(self, key: Key, *, compare: bool) -> AsyncIterator[DashboardFeed]:
        query, metrics = key
        shared = self._feeds.pop(key, None)
        if shared is None:
            feed = DashboardFeed(
                self._dify,
                _INTERVAL,
                days=query.days,
                mode=query.mode,
                apps=query.apps,
                metrics=metrics,
                compare=compare,
            )
            shared = _SharedFeed(feed)
            await shared.stack.enter_async_context(shared.feed)
        self._feeds[key] = shared
        shared.readers += 1
        try:
            yield shared.feed
        finally:
            shared.readers -= 1
            await self._close_unused()

    async def _close_unused(self) -> None:
        unused = [key for key, shared in self._feeds.items() if shared.readers == 0]
        for key in unused[: max(0, len(self._feeds) - _MAX_FEEDS)]:
            await self._feeds.pop(key).stack.aclose()
