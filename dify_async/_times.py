"""Times as the server takes them: "YYYY-MM-DD HH:MM" on the wall clock of the account. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from .errors import DifyConfigError

if TYPE_CHECKING:
    from datetime import tzinfo

When = datetime | date | str
"""A moment: a datetime (naive is the account's wall clock, aware is converted to it), a date (its
midnight), or text "YYYY-MM-DD HH:MM"."""

# 24:00 is the next day to Python 3.14, and nothing to servers.
_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\d (?!24)\d\d:\d\d", re.ASCII)
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_FORMAT: Final = 'a datetime, a date or text "YYYY-MM-DD HH:MM"'


class Dated(Protocol):
    """A row of a statistic."""

    @property
    def date(self) -> date:
        """Its day, in the account's time zone."""


RowT = TypeVar("RowT", bound=Dated)


class Span(NamedTuple):
    """A range of days as the server takes it, and the days that are meant.

    Attributes:
        start: The first minute to ask for.
        end: The first minute after it.
        first: The first day whose row is kept.
        until: The first day whose row is not kept any more.
    """

    start: str | None
    end: str | None
    first: date = date.min
    until: date = date.max

    def rows_of(self, answer: list[RowT]) -> list[RowT]:
        """The rows that were meant."""
        if self.first is date.min and self.until is date.max:
            return answer
        return [row for row in answer if self.first <= row.date < self.until]


def is_aware(value: When | None) -> bool:
    """Whether it can't be read without the account's time zone."""
    return isinstance(value, datetime) and value.tzinfo is not None


def begins_day(moment: datetime) -> bool:
    """Whether a moment on the account's clock is where its day begins.

    If the clocks go back to midnight, midnight comes twice: the first one begins the day, the second
    has `fold=1`.
    """
    return moment.time() == time.min and not moment.fold


def wall_clock(value: When, zone: tzinfo | None = None) -> datetime:
    """The moment as a naive datetime on the account's clock, with `fold=1` for the later of two."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            moment = value
        elif zone is None:
            raise DifyConfigError("an aware datetime needs the account's time zone")
        else:
            moment = value.astimezone(zone).replace(tzinfo=None)
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the account's clock
    elif isinstance(value, str):
        moment = _parsed(value)
    else:
        raise DifyConfigError(f"{str(value)[:40]!r} is not {_FORMAT}")
    # Dify answers 500 where a bound leaves the calendar in another zone [1.9.1/fmt_year_0001, _9999].
    if not date.min.year < moment.year < date.max.year:
        raise DifyConfigError(f"the year of {moment} is out of range")
    return moment


@lru_cache(maxsize=256)  # many calls have the same bounds
def _parsed(text: str) -> datetime:
    if not _TEXT.fullmatch(text):
        raise DifyConfigError(f"{text[:40]!r} is not {_FORMAT}")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise DifyConfigError(f"{text!r} is no moment: {error}") from None


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """What a moment on the account's clock means.

    The server takes an ambiguous time for the later one, and moves one that the zone leaves out by an
    hour [1.10.0]. A day begins with the first of two midnights.
    """
    local = moment.replace(tzinfo=zone)
    return local if begins_day(moment) else max(local, local.replace(fold=1), key=datetime.timestamp)


def instant(value: When, zone: tzinfo) -> datetime:
    """The moment itself, in UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return in_zone(wall_clock(value), zone).astimezone(UTC)


def span_of(start: When | None, end: When | None, zone: tzinfo | None) -> Span:
    """A range of days, each of them whole.

    The server can't be asked for the first of two midnights, since it reads the later one, and its
    reading of one that the zone leaves out depends on the version. There, the day before or after is
    asked for too, and its row is not kept.

    Args:
        start: The first moment.
        end: The first moment after it.
        zone: The account's time zone; None if it is not known, and then every midnight counts as
            ordinary.
    """
    first, last = minutes(start, end, zone)
    span = Span(_text(first), _text(last))
    if first is not None and _is_odd_midnight(first, zone):
        span = span._replace(start=_text(first - _DAY), first=first.date())
    if last is not None and _is_odd_midnight(last, zone):
        span = span._replace(end=_text(last + _DAY), until=last.date())
    return span


def bounds(
    start: When | None, end: When | None, zone: tzinfo | None = None, *, end_is_exclusive: bool = True
) -> tuple[str | None, str | None]:
    """A range as the server takes it, in whole minutes that hold all that was asked for."""
    first, last = minutes(start, end, zone, end_is_exclusive=end_is_exclusive)
    return _text(first), _text(last)


def minutes(
    start: When | None, end: When | None, zone: tzinfo | None = None, *, end_is_exclusive: bool = True
) -> tuple[datetime | None, datetime | None]:
    """A range on the account's clock, in whole minutes that hold all that was asked for."""
    first = None if start is None else _floor(wall_clock(start, zone))
    last = None if end is None else wall_clock(end, zone)
    if last is not None:
        floor = _floor(last)
        # An inclusive end holds its whole minute; an exclusive one would lose it.
        last = floor + _MINUTE if end_is_exclusive and floor != last else floor
    if first is not None and last is not None and first > last:
        raise DifyConfigError(f"start {first} is after end {last} (on the account's clock)")
    return first, last


def _is_odd_midnight(moment: datetime, zone: tzinfo | None) -> bool:
    """Whether the zone repeats or leaves out the midnight at which a day begins."""
    if zone is None or not begins_day(moment):
        return False
    local = moment.replace(tzinfo=zone)
    return local.utcoffset() != local.replace(fold=1).utcoffset()


def _floor(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) if moment.second or moment.microsecond else moment


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(" ", "minutes")
