"""Ranges of days in the account's time zone. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from dify_async import _checks
from dify_async._times import When, begins_day, in_zone, minutes, wall_clock
from dify_async.errors import DifyConfigError
from dify_async.statistics.results import days_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class Period(Struct, frozen=True, kw_only=True):
    """A range in the account's time zone.

    Attributes:
        start: Inclusive, in the account's time zone.
        end: Exclusive, in the account's time zone.
        zone: The account's time zone, such as "Europe/Berlin".
        days: Every day of the range. If it starts or ends within a day, the numbers of that day cover
            only the part within the range.
    """

    start: datetime
    end: datetime
    zone: str
    days: tuple[date, ...]

    @property
    def bounds(self) -> tuple[str, str]:
        """Start and end in the account's time zone, as "YYYY-MM-DD HH:MM"."""
        first, last = (one.isoformat(" ", "minutes") for one in on_clock(self))
        return first, last


def period_of(start: When | None, end: When | None, days: int, zone: ZoneInfo, now: datetime) -> Period:
    """The range from start to end; by default `days` whole days that end at the next midnight."""
    last = midnight(now.astimezone(zone).date() + timedelta(days=1)) if end is None else wall_clock(end, zone)
    if start is None:
        start = _moved(_next_midnight(last), -timedelta(days=days))
    return _period(start, last, zone)


def period_before(period: Period, zone: ZoneInfo) -> Period:
    """The range of the same length that ends where this one starts."""
    first, last = on_clock(period)
    if not begins_day(first):
        # The server sends one row per day, even if the day belongs to both periods.
        raise _checks.refused("start", "a midnight in the account's time zone to compare periods", str(first))
    return _period(_moved(first, first - last), first, zone)


def on_clock(period: Period) -> tuple[datetime, datetime]:
    """Start and end as naive datetimes."""
    return period.start.replace(tzinfo=None), period.end.replace(tzinfo=None)


def midnight(day: date) -> datetime:
    """The first moment of a day, as a naive datetime."""
    return datetime.combine(day, time.min)


def _period(start: When, end: When, zone: ZoneInfo) -> Period:
    first, last = minutes(start, end, zone)
    days = tuple(days_of(first, last))
    return Period(start=in_zone(first, zone), end=in_zone(last, zone), zone=zone.key, days=days)


def _next_midnight(moment: datetime) -> datetime:
    day = midnight(moment.date())
    return day if day == moment else _moved(day, timedelta(days=1))


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        raise DifyConfigError(f"{by.days} days from {moment} are outside of the calendar") from None
