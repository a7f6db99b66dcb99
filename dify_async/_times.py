"""Times in the server's format: "YYYY-MM-DD HH:MM" in the account's time zone. Performs no I/O."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, overload

from msgspec import Struct, structs

from . import _checks
from .errors import DifyConfigError

if TYPE_CHECKING:
    from datetime import tzinfo

When = datetime | date | str
"""A time: a datetime, a date (which means its midnight), or an ISO 8601 string that `datetime.fromisoformat`
reads, such as "2026-10-01", "2026-10-01 08:00" or "2026-10-01T08:00:00Z". Naive times are in the account's
time zone; times with a UTC offset are converted to it."""

MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_RULE: Final = 'a datetime, a date or an ISO 8601 string such as "2026-10-01 08:00"'


class Dated(Protocol):
    """A row of a statistic, of which only the date is used here."""

    @property
    def date(self) -> date:
        """The day, in the account's time zone."""


RowT = TypeVar("RowT", bound=Dated)


class Span(Struct, frozen=True):
    """The range to request from the server, and the days whose rows are kept. See `span_of`.

    Attributes:
        start: The first minute to request.
        end: The minute after the last one to request.
        first: The first day whose row is kept.
        until: The day after the last day whose row is kept.
    """

    start: str | None
    end: str | None
    first: date = date.min
    until: date = date.max

    def rows_of(self, rows: list[RowT]) -> list[RowT]:
        """The rows of the response that are kept."""
        if self.first is date.min and self.until is date.max:
            return rows
        return [row for row in rows if self.first <= row.date < self.until]


def check_times(**times: When | None) -> None:
    """Check that these arguments are times, or None; an error names the argument."""
    for name, value in times.items():
        if value is not None:
            moment_of(value, name)


def moment_of(value: When, name: str = "a time") -> datetime:
    """The value as a datetime; it is naive if it is in the account's time zone."""
    moment: object = _parsed(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        return _checked_year(moment, name)
    if isinstance(moment, date):
        return _checked_year(datetime(moment.year, moment.month, moment.day), name)  # noqa: DTZ001 - naive
    raise _checks.refused(name, _RULE, value)


def is_aware(value: When | None) -> bool:
    """Whether the value has a UTC offset, and so must be converted to the account's time zone."""
    return value is not None and moment_of(value).tzinfo is not None


def begins_day(moment: datetime) -> bool:
    """Whether the moment is the start of its day.

    If the clocks go back to midnight, midnight occurs twice: the day starts at the first one; the second
    one has `fold=1`.
    """
    return moment.time() == time.min and not moment.fold


def wall_clock(value: When, zone: tzinfo | None = None) -> datetime:
    """The value as a naive datetime in the account's time zone.

    If the time occurs twice (at the end of DST), `fold=1` marks the later one.
    """
    moment = moment_of(value)
    if moment.tzinfo is None:
        return moment
    if zone is None:
        raise DifyConfigError("the datetime must be naive, or the account's time zone must be known")
    return _checked_year(moment.astimezone(zone).replace(tzinfo=None))


def _checked_year(moment: datetime, name: str = "a time") -> datetime:
    # Dify returns a 500 if a bound leaves the years 1 to 9999 in another zone [1.9.1/fmt_year_0001, _9999].
    if not date.min.year < moment.year < date.max.year:
        raise DifyConfigError(f"the year of {name} must be from 2 to 9998, got {moment}")
    return moment


@lru_cache(maxsize=256)  # many calls use the same bounds
def _parsed(text: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    return None


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The naive moment as an aware datetime in the zone.

    Ambiguous times resolve to the later one, and times that the zone skips are shifted by the length of
    the gap, as on the server [1.10.0]. An ambiguous midnight resolves to the earlier one, the start of the
    day, unless it has `fold=1`.
    """
    local = moment.replace(tzinfo=zone)
    return local if begins_day(moment) else max(local, local.replace(fold=1), key=datetime.timestamp)


def instant(value: When, zone: tzinfo) -> datetime:
    """The value as an aware datetime in UTC."""
    moment = moment_of(value)
    return (in_zone(moment, zone) if moment.tzinfo is None else moment).astimezone(UTC)


def span_of(start: When | None, end: When | None, zone: tzinfo | None) -> Span:
    """The range to request for whole days.

    The server resolves an ambiguous midnight to the later one. How it resolves a midnight that the zone
    skips depends on the version. For such bounds, one more day is requested, and its row is dropped.

    Args:
        start: Inclusive.
        end: Exclusive.
        zone: The account's time zone. If it is None, no midnight is treated as ambiguous or skipped.
    """
    return _span_of(start, end, zone, *_folds(start, end))


@lru_cache(maxsize=256)  # computing it takes a tenth of the time of a call
def _span_of(start: When | None, end: When | None, zone: tzinfo | None, *_: object) -> Span:
    first, last = minutes(start, end, zone)
    span = Span(formatted(first), formatted(last))
    if first is not None and _is_odd_midnight(first, zone):
        span = structs.replace(span, start=formatted(first - _DAY), first=first.date())
    if last is not None and _is_odd_midnight(last, zone):
        span = structs.replace(span, end=formatted(last + _DAY), until=last.date())
    return span


class ZoneUse(Enum):
    """What the account's time zone is needed for, to compute a range of days."""

    NOTHING = auto()
    MIDNIGHTS = auto()  # a bound is a midnight, which some zones repeat or skip
    CONVERSION = auto()  # a bound is aware


def zone_use(start: When | None, end: When | None) -> ZoneUse:
    """Check the bounds, and find out what they need the account's time zone for."""
    try:
        return _zone_use(start, end, *_folds(start, end))
    except TypeError:  # a value that is not hashable is not a time
        check_times(start=start, end=end)
        raise


@lru_cache(maxsize=256)
def _zone_use(start: When | None, end: When | None, *_: object) -> ZoneUse:
    check_times(start=start, end=end)
    if is_aware(start) or is_aware(end):
        return ZoneUse.CONVERSION
    bounds = minutes(start, end)  # checks their order
    if any(bound is not None and begins_day(bound) for bound in bounds):
        return ZoneUse.MIDNIGHTS
    return ZoneUse.NOTHING


def _folds(start: When | None, end: When | None) -> tuple[int, int]:
    """For keys of caches: datetimes that differ only by `fold` are equal."""
    return getattr(start, "fold", 0), getattr(end, "fold", 0)


@overload
def minutes(start: When, end: When, zone: tzinfo | None = None) -> tuple[datetime, datetime]: ...
@overload
def minutes(
    start: When | None, end: When | None, zone: tzinfo | None = None
) -> tuple[datetime | None, datetime | None]: ...
def minutes(
    start: When | None, end: When | None, zone: tzinfo | None = None
) -> tuple[datetime | None, datetime | None]:
    """A range in the account's time zone, rounded outwards to whole minutes."""
    first = None if start is None else floor_to_minute(wall_clock(start, zone))
    last = None if end is None else ceil_to_minute(wall_clock(end, zone))
    if first is not None and last is not None and first > last:
        raise DifyConfigError(f"start {first} is after end {last}, in the account's time zone")
    return first, last


def _is_odd_midnight(moment: datetime, zone: tzinfo | None) -> bool:
    """Whether the moment is the start of a day whose midnight the zone repeats or skips."""
    if zone is None or not begins_day(moment):
        return False
    local = moment.replace(tzinfo=zone)
    return local.utcoffset() != local.replace(fold=1).utcoffset()


def floor_to_minute(moment: datetime) -> datetime:
    """The start of the moment's minute."""
    return moment.replace(second=0, microsecond=0) if moment.second or moment.microsecond else moment


def ceil_to_minute(moment: datetime) -> datetime:
    """The start of the next minute, or the moment itself if it is the start of a minute."""
    floor = floor_to_minute(moment)
    return moment if floor == moment else floor + MINUTE


def formatted(moment: datetime | None) -> str | None:
    """The moment in the server's format."""
    return None if moment is None else moment.replace(tzinfo=None).isoformat(" ", "minutes")
