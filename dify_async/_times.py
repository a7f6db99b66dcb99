"""Times in the server's format: "YYYY-MM-DD HH:MM" in the account's time zone. Performs no I/O."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar, overload

from . import _checks
from .errors import DifyConfigError

if TYPE_CHECKING:
    from datetime import tzinfo

When = datetime | date | str
"""A time: a datetime, a date (which means its midnight), or text in the format "YYYY-MM-DD HH:MM". Naive
datetimes, dates and text are in the account's time zone; aware datetimes are converted to it."""

# Without 24:00, which Python 3.14 parses as the next midnight and servers reject.
_TEXT_PATTERN: Final = re.compile(r"\d{4}-\d\d-\d\d (?!24)\d\d:\d\d", re.ASCII)
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_ACCEPTED_FORMATS: Final = 'a datetime, a date or text "YYYY-MM-DD HH:MM"'


class Dated(Protocol):
    """A row of a statistic, of which only the date is used here."""

    @property
    def date(self) -> date:
        """The day, in the account's time zone."""


RowT = TypeVar("RowT", bound=Dated)


class Span(NamedTuple):
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

    def rows_of(self, answer: list[RowT]) -> list[RowT]:
        """The rows of the server's answer that are kept."""
        if self.first is date.min and self.until is date.max:
            return answer
        return [row for row in answer if self.first <= row.date < self.until]


def is_aware(value: When | None) -> bool:
    """Whether the value has a time zone, and so must be converted to the account's."""
    return isinstance(value, datetime) and value.tzinfo is not None


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
    if isinstance(value, datetime):
        if value.tzinfo is None:
            moment = value
        elif zone is None:
            raise DifyConfigError("the datetime must be naive, or the account's time zone must be known")
        else:
            moment = value.astimezone(zone).replace(tzinfo=None)
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - in the account's time zone
    elif isinstance(value, str):
        moment = _parsed(value)
    else:
        raise _checks.refused("a time", _ACCEPTED_FORMATS, value)
    # Dify returns a 500 if a bound leaves the years 1 to 9999 in another zone [1.9.1/fmt_year_0001, _9999].
    if not date.min.year < moment.year < date.max.year:
        raise DifyConfigError(f"the year of a time must be from 2 to 9998, got {moment}")
    return moment


@lru_cache(maxsize=256)  # many calls use the same bounds
def _parsed(text: str) -> datetime:
    if not _TEXT_PATTERN.fullmatch(text):
        raise _checks.refused("a time", _ACCEPTED_FORMATS, text)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise _checks.refused("a time", _ACCEPTED_FORMATS, text, hint=str(error)) from None


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
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return in_zone(wall_clock(value), zone).astimezone(UTC)


def span_of(start: When | None, end: When | None, zone: tzinfo | None) -> Span:
    """The range to request for whole days.

    The server resolves an ambiguous midnight to the later one. How it resolves a midnight that the zone
    skips depends on the version. For such bounds, one more day is requested, and its row is dropped.

    Args:
        start: Inclusive.
        end: Exclusive.
        zone: The account's time zone. If it is None, no midnight is treated as ambiguous or skipped.
    """
    first, last = minutes(start, end, zone)
    span = Span(_formatted(first), _formatted(last))
    if first is not None and _is_odd_midnight(first, zone):
        span = span._replace(start=_formatted(first - _DAY), first=first.date())
    if last is not None and _is_odd_midnight(last, zone):
        span = span._replace(end=_formatted(last + _DAY), until=last.date())
    return span


def bounds(
    start: When | None, end: When | None, zone: tzinfo | None = None, *, end_is_exclusive: bool = True
) -> tuple[str | None, str | None]:
    """A range in the server's format, rounded outwards to whole minutes."""
    first, last = minutes(start, end, zone, end_is_exclusive=end_is_exclusive)
    return _formatted(first), _formatted(last)


@overload
def minutes(
    start: When, end: When, zone: tzinfo | None = None, *, end_is_exclusive: bool = True
) -> tuple[datetime, datetime]: ...
@overload
def minutes(
    start: When | None, end: When | None, zone: tzinfo | None = None, *, end_is_exclusive: bool = True
) -> tuple[datetime | None, datetime | None]: ...
def minutes(
    start: When | None, end: When | None, zone: tzinfo | None = None, *, end_is_exclusive: bool = True
) -> tuple[datetime | None, datetime | None]:
    """A range in the account's time zone, rounded outwards to whole minutes."""
    first = None if start is None else _floor_to_minute(wall_clock(start, zone))
    last = None if end is None else wall_clock(end, zone)
    if last is not None:
        floor = _floor_to_minute(last)
        # An inclusive end already includes its whole minute.
        last = floor + _MINUTE if end_is_exclusive and floor != last else floor
    if first is not None and last is not None and first > last:
        raise DifyConfigError(f"start {first} is after end {last}, in the account's time zone")
    return first, last


def _is_odd_midnight(moment: datetime, zone: tzinfo | None) -> bool:
    """Whether the moment is the start of a day whose midnight the zone repeats or skips."""
    if zone is None or not begins_day(moment):
        return False
    local = moment.replace(tzinfo=zone)
    return local.utcoffset() != local.replace(fold=1).utcoffset()


def _floor_to_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) if moment.second or moment.microsecond else moment


def _formatted(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(" ", "minutes")
