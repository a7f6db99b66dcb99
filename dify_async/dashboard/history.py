"""Rows of days that are over, which are got once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from .period import midnight

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from dify_async._times import When
    from dify_async.statistics.fan_out import GetRows
    from dify_async.statistics.results import Metric, Row

    GetRange = Callable[[Metric, str, When, When], Awaitable[Sequence[Row]]]

# Yesterday may still be counted, and the day before by a server whose clock is a day off.
_OPEN_DAYS: Final = 2


class _Kept(NamedTuple):
    first: date
    until: date
    rows: tuple[Row, ...]


class History:
    """What is known of days older than two, by app and metric."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Metric], _Kept] = {}
        self._zone = ""

    def forget(self) -> None:
        """Get every day again."""
        self._kept.clear()

    def keep_only(self, app_ids: Iterable[str]) -> None:
        """Forget the apps that are gone."""
        known = set(app_ids)
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] in known}

    def reader(self, get: GetRange, first: date, end: When, today: date, zone: str) -> GetRows:
        """Get the rows from a day on, but only those that are not known."""
        if zone != self._zone:
            # There, days are cut at other moments.
            self.forget()
            self._zone = zone
        over = max(first, today - timedelta(days=_OPEN_DAYS))

        async def get_rows(metric: Metric, app_id: str) -> Sequence[Row]:
            known = first
            old: tuple[Row, ...] = ()
            kept = self._kept.get((app_id, metric))
            if kept is not None and kept.first <= first:
                known = max(first, min(kept.until, over))
                old = tuple(row for row in kept.rows if first <= row.date < known)
            rows = (*old, *await get(metric, app_id, midnight(known), end))
            self._kept[app_id, metric] = _Kept(first, over, tuple(row for row in rows if row.date < over))
            return rows

        return get_rows
