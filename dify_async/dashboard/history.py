"""A cache of the rows of past days, which are fetched only once."""

from __future__ import annotations

from datetime import date, timedelta
from types import GenericAlias
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from dify_async._times import span_of
from dify_async.statistics.metrics import Metric

from .period import midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from dify_async.statistics.fan_out import GetRows, GetSpan
    from dify_async.statistics.metrics import Row

# How many days before today may still change: yesterday, and also the day before if the server's clock is
# a day off.
_MUTABLE_DAYS: Final = 2


class _CachedRows(NamedTuple):
    """The final rows of one app and metric, from the day `first` up to the day before `until`."""

    first: date
    until: date
    rows: tuple[Row, ...]


# A time zone, and the cached rows of each app and metric. Each metric has its own type of rows.
_Shared = tuple[str, list[tuple[str, Metric, date, date, msgspec.Raw]]]


class History:
    """Caches the rows of days at least three days ago, which are treated as final, per app and metric."""

    def __init__(self) -> None:
        self._cache: dict[tuple[str, Metric], _CachedRows] = {}
        self._zone = ""

    def clear(self) -> None:
        """Empty the cache, so that every day is fetched again."""
        self._cache.clear()

    def encoded(self) -> bytes:
        """The cache as JSON, for another process."""
        shared = [
            (app_id, metric, cached.first, cached.until, msgspec.Raw(msgspec.json.encode(cached.rows)))
            for (app_id, metric), cached in self._cache.items()
        ]
        return msgspec.json.encode((self._zone, shared))

    def load(self, data: bytes) -> None:
        """Replace the cache by that of another process; a cache that cannot be decoded is ignored."""
        try:
            zone, shared = msgspec.json.decode(data, type=_Shared)
            cache = {
                (app_id, metric): _CachedRows(first, until, _rows_of(metric, rows))
                for app_id, metric, first, until, rows in shared
            }
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        self._zone, self._cache = zone, cache

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


def _rows_of(metric: Metric, data: msgspec.Raw) -> tuple[Row, ...]:
    rows: tuple[Row, ...] = msgspec.json.decode(data, type=GenericAlias(tuple, (metric.row_type, ...)))
    return rows
