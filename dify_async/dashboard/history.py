"""Rows of past days, which are fetched once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from dify_async._times import span_of

from .period import midnight

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from dify_async._times import Span
    from dify_async.statistics.fan_out import GetRows
    from dify_async.statistics.metrics import Metric, Row

    GetSpan = Callable[[Span, Metric, str], Awaitable[Sequence[Row]]]

# Yesterday's numbers may still change, and those of the day before if the server's clock is a day off.
_OPEN_DAYS: Final = 2


class _Past(NamedTuple):
    first: date
    until: date
    rows: tuple[Row, ...]


class History:
    """The rows of days older than two, by app and metric."""

    def __init__(self) -> None:
        self._past: dict[tuple[str, Metric], _Past] = {}
        self._zone = ""

    def clear(self) -> None:
        """Fetch every day again."""
        self._past.clear()

    def retain(self, app_ids: Iterable[str]) -> None:
        """Drop the rows of all other apps."""
        ids = set(app_ids)
        self._past = {key: past for key, past in self._past.items() if key[0] in ids}

    def reader(self, get: GetSpan, first: date, end: datetime, today: date, zone: ZoneInfo) -> GetRows:
        """A function that gets the rows since a day, and fetches only those that are not known."""
        if zone.key != self._zone:
            # Days begin at other moments.
            self.clear()
            self._zone = zone.key
        past_until = max(first, today - timedelta(days=_OPEN_DAYS))

        async def get_rows(metric: Metric, app_id: str) -> Sequence[Row]:
            start = first
            old: tuple[Row, ...] = ()
            past = self._past.get((app_id, metric))
            if past is not None and past.first <= first:
                start = max(first, min(past.until, past_until))
                old = tuple(row for row in past.rows if first <= row.date < start)
            rows = (*old, *await get(span_of(midnight(start), end, zone), metric, app_id))
            closed = tuple(row for row in rows if row.date < past_until)
            self._past[app_id, metric] = _Past(first, past_until, closed)
            return rows

        return get_rows
