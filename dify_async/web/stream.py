"""The numbers of a page as server-sent events, filled as answers arrive."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import anyio
import msgspec

from dify_async.errors import DifyError

from .problems import problem_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dify_async.client import AsyncDifyServer
    from dify_async.dashboard import Dashboard, DashboardUpdates, Period

    from .queries import PageQuery

# Seconds between totals: they are computed over all apps, so not for each app that arrives.
_TOTALS_INTERVAL: Final = 0.2


class Stream:
    """The events of one query, fetched once for all concurrent readers.

    Events: "part" for each app as it arrives and for totals, then "done"; or "failed" with a problem.
    """

    def __init__(self, dify: AsyncDifyServer, query: PageQuery, on_done: Callable[[Dashboard], None]) -> None:
        self.readers = 0
        self._events: list[bytes] = []
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._fetch(dify, query, on_done), name="dify_async web page")

    @property
    def is_over(self) -> bool:
        """Whether no more events will come."""
        return self._task.done()

    def cancel(self) -> None:
        """Cancel the requests."""
        self._task.cancel()

    async def events(self, keepalive: float) -> AsyncIterator[bytes]:
        """All events as bytes to send, and a comment after each `keepalive` seconds without one."""
        sent = 0
        while sent < len(self._events) or not self.is_over:
            if sent < len(self._events):
                yield self._events[sent]
                sent += 1
                continue
            more = self._more
            with anyio.move_on_after(keepalive) as quiet:
                await more.wait()
            if quiet.cancelled_caught:
                yield b": keepalive\n\n"

    async def _fetch(
        self, dify: AsyncDifyServer, query: PageQuery, on_done: Callable[[Dashboard], None]
    ) -> None:
        try:
            async with dify.stream_dashboard(**query.arguments, compare=True) as updates:
                async for part in _parts(updates):
                    self._add("part", part)
                on_done(await updates.dashboard())
            self._add("done", b"{}")
        except DifyError as error:
            self._add("failed", msgspec.json.encode(problem_of(error)))
        finally:
            self._more.set()

    def _add(self, event: str, data: bytes) -> None:
        # JSON has no line breaks outside of strings, and escapes those inside.
        self._events.append(b"event: %b\ndata: %b\n\n" % (event.encode(), data))
        self._more.set()
        self._more = asyncio.Event()


def part_of(dashboard: Dashboard, done: int, total: int) -> bytes:
    """A part of a dashboard as JSON, with the progress, today's date, and the apps' errors for people."""
    problems = {
        app.app_id: [problem_of(error) for error in app.errors.values()]
        for app in dashboard.apps
        if app.errors
    }
    body = {
        "done": done,
        "total": total,
        "today": today_in(dashboard.period),
        "problems": problems,
        "dashboard": msgspec.Raw(dashboard.to_json().encode()),
    }
    return msgspec.json.encode(body)


def today_in(period: Period) -> str:
    """Today's date in the time zone of the period, in ISO 8601: the day whose numbers are unfinished."""
    return datetime.now(ZoneInfo(period.zone)).date().isoformat()


async def _parts(updates: DashboardUpdates) -> AsyncIterator[bytes]:
    """The range; then each app as it arrives, and the totals so far, at intervals."""
    empty = await updates.dashboard()
    yield part_of(empty, 0, updates.total)
    done, shown, shown_at = 0, 0, 0.0
    while done < updates.total or shown < done:
        due = shown < done and (done == updates.total or time.monotonic() - shown_at > _TOTALS_INTERVAL)
        update = None
        if not due:
            with anyio.move_on_after(_TOTALS_INTERVAL if shown < done else None):
                update = await anext(updates)
        if update is None:
            so_far = await updates.dashboard()
            shown, shown_at = done, time.monotonic()
            yield part_of(msgspec.structs.replace(so_far, apps=[]), done, updates.total)
        else:
            done = update.done
            yield part_of(msgspec.structs.replace(empty, apps=[update.app]), done, updates.total)
