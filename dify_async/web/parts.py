"""The parts in which a page receives a dashboard, as JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import anyio
import msgspec

from .problems import problem_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dify_async.dashboard import Dashboard, DashboardUpdates

# Seconds between totals: they are computed over all apps, so not for each app that arrives.
_TOTALS_INTERVAL: Final = 0.2


def part_of(dashboard: Dashboard, done: int, total: int) -> bytes:
    """A part of a dashboard, with the progress, and the errors of its apps for people."""
    problems = {
        app.app_id: [problem_of(error) for error in app.errors.values()]
        for app in dashboard.apps
        if app.errors
    }
    body = {
        "done": done,
        "total": total,
        "problems": problems,
        "dashboard": msgspec.Raw(dashboard.to_json().encode()),
    }
    return msgspec.json.encode(body)


async def parts_of(updates: DashboardUpdates) -> AsyncIterator[bytes]:
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
