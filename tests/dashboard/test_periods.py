"""Named periods and numbers of days, in the account's time zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import example, given
from hypothesis import strategies as st

from dify_async import AsyncDifyServer, DashboardFeed, DifyConfigError, PeriodName
from dify_async.dashboard.period import checked_range, period_before, period_of
from dify_async.testing import FakeDifyServer
from tests.support import client

from .test_changes import ZONES

DAY = timedelta(days=1)
NAMES: tuple[PeriodName, ...] = get_args(PeriodName)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


def days_of(name: PeriodName, today: date) -> tuple[date, date]:
    """The first and the last day, by the names' documentation."""
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return {
        "today": (today, today),
        "yesterday": (today - DAY, today - DAY),
        "last_7_days": (today - 6 * DAY, today),
        "last_30_days": (today - 29 * DAY, today),
        "this_month": (date(today.year, today.month, 1), today),
        "last_month": (date(year, month, 1), date(year, month, monthrange(year, month)[1])),
    }[name]


@given(name=st.sampled_from(NAMES), zone=ZONES, now=MOMENTS)
@example("last_month", "Pacific/Kiritimati", datetime(2026, 2, 28, 10, tzinfo=UTC))  # 1 March there
@example("last_month", "Pacific/Pago_Pago", datetime(2028, 3, 1, 10, tzinfo=UTC))  # 29 February there
@example("this_month", "Pacific/Pago_Pago", datetime(2027, 1, 1, 10, 59, tzinfo=UTC))  # 31 December there
@example("yesterday", "Europe/Berlin", datetime(2026, 3, 29, 22, tzinfo=UTC))  # the clocks changed
@example("today", "America/Havana", datetime(2026, 11, 1, 5, 30, tzinfo=UTC))  # the second midnight
@example("today", "America/Santiago", datetime(2026, 9, 6, 4, 30, tzinfo=UTC))  # midnight was skipped
def test_named_periods_are_whole_days_in_the_accounts_zone(
    name: PeriodName, zone: str, now: datetime
) -> None:
    clock = ZoneInfo(zone)
    today = now.astimezone(clock).date()
    first, last = days_of(name, today)
    period = period_of(checked_range(period=name), clock, now)
    assert period.days == tuple(first + n * DAY for n in range((last - first).days + 1))
    assert period.bounds == (f"{first} 00:00", f"{last + DAY} 00:00")
    assert period.start == datetime.combine(first, time.min, clock)
    assert period.end == datetime.combine(last + DAY, time.min, clock)
    assert period.today == today
    assert period.is_open == (name not in {"yesterday", "last_month"})
    assert period.is_open == (period.start <= now < period.end)
    assert period_before(period, clock).days == tuple(day - len(period.days) * DAY for day in period.days)


@given(start=st.dates(date(2020, 1, 1), date(2040, 1, 1)), hour=st.integers(0, 23), days=st.integers(1, 400),
       zone=ZONES)  # fmt: skip
def test_days_from_a_start_and_days_up_to_an_end(start: date, hour: int, days: int, zone: str) -> None:
    clock, now = ZoneInfo(zone), datetime(2026, 11, 29, tzinfo=UTC)
    expected = tuple(start + n * DAY for n in range(days))
    end = start + days * DAY
    for given_range in (checked_range(start=start, days=days), checked_range(end=end, days=days)):
        period = period_of(given_range, clock, now)
        assert period.days == expected
        assert period.bounds == (f"{start} 00:00", f"{end} 00:00")
    # A bound within a day cuts that day.
    cut_start = datetime.combine(start, time(hour))
    assert period_of(checked_range(start=cut_start, days=days), clock, now).days == expected
    cut_end = datetime.combine(end - DAY, time(hour, 30))
    assert period_of(checked_range(end=cut_end, days=days), clock, now).days == expected


async def test_days_from_a_start(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Three days, not the two months since."""
    dashboard = await dify.dashboard(date(2026, 10, 1), days=3, metrics=["daily_messages"])
    assert dashboard.period.days == (date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3))
    assert fake.requests[-1].query == "start=2026-10-01%2000%3A00&end=2026-10-04%2000%3A00"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"start": date(2026, 10, 1), "end": date(2026, 10, 4), "days": 3}, "start, end and days"),
        ({"period": "today", "days": 1}, "period must not be combined"),
        ({"period": "today", "start": date(2026, 10, 1)}, "period must not be combined"),
        ({"period": "today", "end": date(2026, 10, 1)}, "period must not be combined"),
        ({"period": "last_7_day"}, "did you mean 'last_7_days'"),
        ({"period": "this-month"}, "did you mean 'this_month'"),
        ({"period": 7}, "period must be one of"),
        ({"start": date(9998, 12, 1), "days": 10**6}, "outside of the calendar"),
    ],
)
async def test_ranges_that_contradict_themselves(
    fake: FakeDifyServer, dify: AsyncDifyServer, wrong: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DifyConfigError, match=reason):
        await dify.dashboard(**wrong)
    with pytest.raises(DifyConfigError, match=reason):
        async with dify.stream_dashboard(**wrong):
            pass
    assert fake.count("GET", "*/statistics/*") == 0


async def test_a_feed_rejects_an_unknown_period(dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyConfigError, match="did you mean 'this_month'"):
        DashboardFeed(dify, period="this_moth")  # type: ignore[arg-type]
    with pytest.raises(DifyConfigError, match="must not be combined"):
        DashboardFeed(dify, period="today", days=1)


@pytest.mark.calendar
@pytest.mark.parametrize("name", NAMES)
async def test_named_periods_of_a_dashboard(name: PeriodName) -> None:
    """The days of an account that is ahead of UTC by 14 hours, or behind by 11."""
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        clock = ZoneInfo(zone)
        async with FakeDifyServer(timezone=zone, apps=2) as fake, client(fake) as dify:
            today = datetime.now(clock).date()
            dashboard = await dify.dashboard(period=name, compare=True)
            if datetime.now(clock).date() != today:
                continue  # midnight has passed
            days = dashboard.period.days
            assert (days[0], days[-1]) == days_of(name, today)
            assert dashboard.period.is_open == (days[-1] == today)
            for series in dashboard.totals.values():
                assert (series.change is None) == (days[0] == today)


def ranges(fake: FakeDifyServer) -> set[str]:
    return {request.query for request in fake.requests if "/statistics/" in request.path}


@pytest.mark.parametrize(
    ("zone", "moment", "later"),
    [
        ("Pacific/Kiritimati", "2026-10-31T09:55+00:00", "2026-10-31T10:05+00:00"),  # UTC+14
        ("Pacific/Pago_Pago", "2026-11-01T10:55+00:00", "2026-11-01T11:05+00:00"),  # UTC-11
    ],
)
async def test_a_feed_moves_on_at_midnight_in_the_accounts_zone(zone: str, moment: str, later: str) -> None:
    november = date(2026, 11, 1)
    expected: dict[PeriodName, tuple[date, date]] = {
        "yesterday": (november - DAY, november - DAY),
        "this_month": (november, november),
        "last_month": (date(2026, 10, 1), november - DAY),
    }
    for name, days in expected.items():
        with time_machine.travel(datetime.fromisoformat(moment)) as clock:
            async with (
                FakeDifyServer(timezone=zone, apps=2, today=november) as fake,
                client(fake) as dify,
                DashboardFeed(dify, 3600, period=name) as feed,
            ):
                before = await feed.get()
                assert before.dashboard.period.today == november - DAY
                clock.move_to(datetime.fromisoformat(later))
                after = await feed.refresh()
                assert after.error is None
                assert (after.dashboard.period.days[0], after.dashboard.period.days[-1]) == days
                assert after.dashboard == await dify.dashboard(period=name)
                assert after.dashboard.period != before.dashboard.period


async def test_a_feed_of_a_past_month_fetches_it_once() -> None:
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)):
        async with (
            FakeDifyServer(timezone="UTC", apps=3, today=date(2026, 11, 20)) as fake,
            client(fake) as dify,
            DashboardFeed(dify, 3600, period="last_month") as feed,
        ):
            first = await feed.get()
            assert ranges(fake) == {"start=2026-10-01%2000%3A00&end=2026-11-01%2000%3A00"}
            fake.reset_counters()
            again = await feed.refresh()
            assert again.error is None
            assert (fake.count("GET", "/apps"), ranges(fake)) == (1, set())
            assert again.dashboard == first.dashboard == await dify.dashboard(period="last_month")
            assert again.dashboard.totals["daily_messages"].total
            fake.reset_counters()
            await feed.refresh(all_days=True)
            assert ranges(fake) == {"start=2026-10-01%2000%3A00&end=2026-11-01%2000%3A00"}
