"""A cache of the rows of past days, which are fetched only once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from dify_async._times import span_of

from .period import midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from dify_async.statistics.fan_out import GetRows, GetSpan
    from dify_async.statistics.metrics import Metric, Row

# How many days before today may still change: yesterday, and also the day before if the server's clock is
# a day off.
_MUTABLE_DAYS: Final = 2


class _CachedRows(NamedTuple):
    """The final rows of one app and metric, from the day `first` up to the day before `until`."""

    first: date
    until: date
    rows: tuple[Row, ...]


class History:
    """Caches the rows of days at least three days ago, which are treated as final, per app and metric."""

    def __init__(self) -> None:
        self._cache: dict[tuple[str, Metric], _CachedRows] = {}
        self._zone = ""

    def clear(self) -> None:
        """Empty the cache, so that every day is fetched again."""
        self._cache.clear()

    def retain(self, app_ids: Iterable[str]) -> None:
        """Keep only the rows of these apps."""
        ids = set(app_ids)
        self._cache = {key: cached for key, cached in self._cache.items() if key[0] in ids}

    def reader(self, get: GetSpan, first: date, end: datetime, today: date, zone: ZoneInfo) -> GetRows:
        """A function that gets the rows from `first` to `end`, and requests only those not in the cache."""
        if zone.key != self._zone:
            # In another time zone, days start at other times, so cached rows no longer apply.
            self.clear()
            self._zone = zone.key
        final_until = min(max(first, today - timedelta(days=_MUTABLE_DAYS)), end.date())

        async def get_rows(metric: Metric, app_id: str) -> Sequence[Row]:
            start = first
            known: tuple[Row, ...] = ()
            cached = self._cache.get((app_id, metric))
            if cached is not None and cached.first <= first:
                start = max(first, min(cached.until, final_until))
                known = tuple(row for row in cached.rows if first <= row.date < start)
            if midnight(start) == end:
                return known  # a period that is over, such as the last month
            rows = (*known, *await get(span_of(midnight(start), end, zone), metric, app_id))
            final = tuple(row for row in rows if row.date < final_until)
            self._cache[app_id, metric] = _CachedRows(first, final_until, final)
            return rows

        return get_rows
