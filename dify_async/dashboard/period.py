"""Ranges of days in the account's time zone. No I/O."""

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
    """A range of time in the account's time zone.

    Attributes:
        start: The start (inclusive), in the account's time zone.
        end: The end (exclusive), in the account's time zone.
        zone: The account's time zone, such as "Europe/Berlin".
        days: All days of the range, including partial ones. The numbers of a partial day cover only
            the part within the range.
    """

    start: datetime
    end: datetime
    zone: str
    days: tuple[date, ...]

    @property
    def bounds(self) -> tuple[str, str]:
        """Start and end in the account's time zone, as "YYYY-MM-DD HH:MM"."""
        start, end = (moment.isoformat(" ", "minutes") for moment in on_clock(self))
        return start, end


def period_of(start: When | None, end: When | None, days: int, zone: ZoneInfo, now: datetime) -> Period:
    """The period from start to end; by default, the `days` whole days up to the next midnight."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    local_end = midnight(tomorrow) if end is None else wall_clock(end, zone)
    if start is None:
        start = _shifted(_next_midnight(local_end), -timedelta(days=days))
    return _period(start, local_end, zone)


def period_before(period: Period, zone: ZoneInfo) -> Period:
    """The period of the same length that ends when this one starts."""
    start, end = on_clock(period)
    if not begins_day(start):
        # The server sends one row per day: the row of a day in both periods could not be divided.
        raise _checks.refused("start", "a midnight in the account's time zone to compare periods", str(start))
    return _period(_shifted(start, start - end), start, zone)


def on_clock(period: Period) -> tuple[datetime, datetime]:
    """Start and end as naive datetimes in the account's time zone."""
    return period.start.replace(tzinfo=None), period.end.replace(tzinfo=None)


def midnight(day: date) -> datetime:
    """The midnight at which a day starts, as a naive datetime."""
    return datetime.combine(day, time.min)


def _period(start: When, end: When, zone: ZoneInfo) -> Period:
    local_start, local_end = minutes(start, end, zone)
    days = tuple(days_of(local_start, local_end))
    return Period(start=in_zone(local_start, zone), end=in_zone(local_end, zone), zone=zone.key, days=days)


def _next_midnight(moment: datetime) -> datetime:
    day = midnight(moment.date())
    return day if day == moment else _shifted(day, timedelta(days=1))


def _shifted(moment: datetime, delta: timedelta) -> datetime:
    try:
        return moment + delta
    except OverflowError:
        raise DifyConfigError(f"{delta.days} days from {moment} are outside of the calendar") from None
