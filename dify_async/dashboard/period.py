"""Ranges of days in the account's time zone. No I/O."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from dify_async import _checks
from dify_async._choices import PeriodName
from dify_async._times import When, begins_day, check_times, in_zone, minutes, wall_clock
from dify_async.errors import DifyConfigError
from dify_async.models.base import DifyModel, ShortRepr
from dify_async.statistics.results import days_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo


_DEFAULT_DAYS: Final = 30
_ONE_DAY: Final = timedelta(days=1)


class Period(ShortRepr, DifyModel, frozen=True, kw_only=True):
    """A range of time in the account's time zone.

    Attributes:
        start: The start (inclusive), in the account's time zone.
        end: The end (exclusive), in the account's time zone.
        zone: The account's time zone, such as "Europe/Berlin".
        days: All days of the range, including partial ones. The numbers of a partial day cover only
            the part within the range.
        today: The date in the account's time zone when the numbers were requested. From this day on, days
            are not over.
    """

    start: datetime
    end: datetime
    zone: str
    days: tuple[date, ...]
    today: date

    @property
    def bounds(self) -> tuple[str, str]:
        """Start and end in the account's time zone, as "YYYY-MM-DD HH:MM"."""
        start, end = (moment.isoformat(" ", "minutes") for moment in on_clock(self))
        return start, end

    @property
    def is_open(self) -> bool:
        """Whether the last day was not over when the numbers were requested, so they may still grow."""
        return bool(self.days) and self.days[-1] >= self.today

    def to_dict(self) -> dict[str, object]:
        """The start and the end in ISO 8601, `zone`, `days`, `today` and `is_open`."""
        return {**super().to_dict(), "is_open": self.is_open}

    def __rich_repr__(self) -> list[tuple[str, object]]:
        start, end = self.bounds
        return [("start", start), ("end", end), ("zone", self.zone), ("is_open", self.is_open)]


class Range(NamedTuple):
    """The range of a dashboard as its caller specifies it: a name; or a start, an end, a number of days."""

    start: When | None
    end: When | None
    days: int | None
    period: PeriodName | None


def checked_range(
    *,
    start: When | None = None,
    end: When | None = None,
    days: int | None = None,
    period: PeriodName | None = None,
) -> Range:
    """The range; whether it starts before it ends is checked once the account's time zone is known."""
    check_times(start=start, end=end)
    if days is not None:
        _checks.integer("days", days, maximum=date.max.toordinal())
    if period is not None:
        _checks.one_of("period", period, get_args(PeriodName))
        if (start, end, days) != (None, None, None):
            raise DifyConfigError("period must not be combined with start, end or days")
    if None not in (start, end, days):
        raise DifyConfigError("start, end and days must not be combined: two of them define the range")
    return Range(start, end, days, period)


def period_of(given: Range, zone: ZoneInfo, now: datetime) -> Period:
    """The period; without a start or an end, whole days up to and including today."""
    today = now.astimezone(zone).date()
    start, end, days, name = given
    if name is not None:
        first, last = _named(name, today)
        return _period(first, last + _ONE_DAY, zone, today)
    if start is not None and days is not None:
        local_start = wall_clock(start, zone)
        return _period(local_start, _shifted(midnight(local_start.date()), timedelta(days)), zone, today)
    local_end = midnight(today + _ONE_DAY) if end is None else wall_clock(end, zone)
    if start is None:
        start = _shifted(_next_midnight(local_end), -timedelta(days or _DEFAULT_DAYS))
    return _period(start, local_end, zone, today)


def period_before(period: Period, zone: ZoneInfo) -> Period:
    """The period of the same length that ends when this one starts."""
    start, end = on_clock(period)
    if not begins_day(start):
        # The server sends one row per day: the row of a day in both periods could not be divided.
        raise _checks.refused("start", "a midnight in the account's time zone to compare periods", str(start))
    return _period(_shifted(start, start - end), start, zone, period.today)


class Compared(NamedTuple):
    """The days whose totals are compared, as slices of the days of two periods."""

    new: slice
    old: slice


def compared_days(period: Period, previous: Period) -> Compared | None:
    """The complete days of a period, and as many of the previous one; None if no day is complete.

    If a range ends within a day, the previous period starts within a day: those parts of days have no
    counterpart of the same hours.
    """
    complete = bisect_left(period.days, period.today)
    if not complete:
        return None
    if complete == len(period.days):
        return Compared(slice(None), slice(None))
    first = 0 if begins_day(on_clock(previous)[0]) else 1
    return Compared(slice(complete), slice(first, first + complete))


def on_clock(period: Period) -> tuple[datetime, datetime]:
    """Start and end as naive datetimes in the account's time zone."""
    return period.start.replace(tzinfo=None), period.end.replace(tzinfo=None)


def midnight(day: date) -> datetime:
    """The midnight at which a day starts, as a naive datetime."""
    return datetime.combine(day, time.min)


def _named(name: PeriodName, today: date) -> tuple[date, date]:
    """The first and the last day of the named period."""
    month = today.replace(day=1)
    yesterday = today - _ONE_DAY
    ranges: Mapping[PeriodName, tuple[date, date]] = {
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "last_7_days": (today - timedelta(days=6), today),
        "last_30_days": (today - timedelta(days=29), today),
        "this_month": (month, today),
        "last_month": ((month - _ONE_DAY).replace(day=1), month - _ONE_DAY),
    }
    return ranges[name]


def _period(start: When, end: When, zone: ZoneInfo, today: date) -> Period:
    local_start, local_end = minutes(start, end, zone)
    days = tuple(days_of(local_start, local_end))
    start, end = in_zone(local_start, zone), in_zone(local_end, zone)
    return Period(start=start, end=end, zone=zone.key, days=days, today=today)


def _next_midnight(moment: datetime) -> datetime:
    day = midnight(moment.date())
    return day if day == moment else _shifted(day, _ONE_DAY)


def _shifted(moment: datetime, delta: timedelta) -> datetime:
    try:
        return moment + delta
    except OverflowError:
        raise DifyConfigError(f"{delta.days} days from {moment} are outside of the calendar") from None
