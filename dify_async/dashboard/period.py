"""Ranges of days on the account's wall clock. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from dify_async._times import When, begins_day, in_zone, minutes, wall_clock
from dify_async.errors import DifyConfigError
from dify_async.statistics.results import days_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Period(Struct, frozen=True, kw_only=True):
    """A range in the account's time zone.

    Attributes:
        start: Its first moment, in the account's time zone.
        end: The first moment after it.
        zone: The account's time zone, as "Europe/Berlin".
        days: Each day that it touches. A start or an end that is no midnight cuts its day, and the
            numbers of that day are those of the part.
    """

    start: datetime
    end: datetime
    zone: str
    days: tuple[date, ...]

    @property
    def bounds(self) -> tuple[str, str]:
        """Both ends on the account's clock, as "YYYY-MM-DD HH:MM"."""
        first, last = (one.isoformat(" ", "minutes") for one in on_clock(self))
        return first, last


def period_of(start: When | None, end: When | None, days: int, zone: ZoneInfo, now: datetime) -> Period:
    """The range from start to end.

    Without an end it goes to the next midnight, without a start it has so many whole days.
    """
    last = midnight(now.astimezone(zone).date() + timedelta(days=1)) if end is None else wall_clock(end, zone)
    if start is None:
        start = _moved(_next_midnight(last), -timedelta(days=days))
    return _period(start, last, zone)


def period_before(period: Period, zone: ZoneInfo) -> Period:
    """The range of the same length that ends where this one starts."""
    first, last = on_clock(period)
    if not begins_day(first):
        # A day of two periods would come as one row.
        raise DifyConfigError(f"start is {first}; to compare, it is a midnight of the account's clock")
    return _period(_moved(first, first - last), first, zone)


def on_clock(period: Period) -> tuple[datetime, datetime]:
    """Both ends, naive."""
    return period.start.replace(tzinfo=None), period.end.replace(tzinfo=None)


def midnight(day: date) -> datetime:
    """The first moment of a day, on the account's clock."""
    return datetime.combine(day, time.min)


def _period(start: When, end: When, zone: ZoneInfo) -> Period:
    first, last = minutes(start, end, zone)
    assert first is not None  # noqa: S101 - both were given, for the type checker
    assert last is not None  # noqa: S101
    days = tuple(days_of(first, last))
    return Period(start=in_zone(first, zone), end=in_zone(last, zone), zone=zone.key, days=days)


def _next_midnight(moment: datetime) -> datetime:
    day = midnight(moment.date())
    return day if day == moment else _moved(day, timedelta(days=1))


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        raise DifyConfigError(f"{by.days} days from {moment} leave the calendar") from None
