"""Changes since the previous period: complete days are compared with complete days."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_async import (
    AppDashboard,
    AppStatistics,
    Change,
    DailyEndUsers,
    DailyMessages,
    Period,
    Series,
    TokenCosts,
    UserSatisfactionRate,
)
from dify_async.dashboard.period import checked_range, period_before, period_of
from dify_async.dashboard.series import app_dashboard
from dify_async.dashboard.totals import totals_of

DAY = timedelta(days=1)
TODAY = date(2026, 11, 29)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
# Ahead of and behind UTC; zones that repeat or skip a midnight.
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago",
     "America/Havana", "America/Santiago", "Asia/Kolkata", "Australia/Lord_Howe"]
)  # fmt: skip


def periods(
    zone: str, now: datetime, start: datetime | date, end: datetime | date | None = None
) -> tuple[Period, Period]:
    clock = ZoneInfo(zone)
    period = period_of(checked_range(start=start, end=end), clock, now)
    return period, period_before(period, clock)


def last_days(days: int) -> tuple[Period, Period]:
    return periods("UTC", NOW, TODAY - (days - 1) * DAY)


def dashboard_of(period: Period, previous: Period, messages: Callable[[date], int]) -> AppDashboard:
    days = {*previous.days, *period.days}
    rows = [DailyMessages(day, messages(day)) for day in sorted(days)]
    return app_dashboard(AppStatistics(app_id="a", mode="chat", daily_messages=rows), period, previous)


def test_a_constant_use_does_not_change_while_today_is_not_over() -> None:
    """7 days with 100 messages each, 20 so far today: not -11 %."""
    period, previous = last_days(7)
    assert period.is_open
    one = dashboard_of(period, previous, lambda day: 20 if day == TODAY else 100)
    series = one.series["daily_messages"]
    assert series.total == 620
    assert series.previous is not None
    assert series.previous.total == 700
    assert series.change == Change(0, 0.0)
    totals = totals_of([one, one], period, previous)
    assert totals["daily_messages"].total == 1240
    assert totals["daily_messages"].change == Change(0, 0.0)


def test_the_counterpart_of_today_is_left_out() -> None:
    """A busy day a week ago is compared with today, so with nothing yet."""
    period, previous = last_days(7)
    one = dashboard_of(period, previous, lambda day: 1000 if day == TODAY - 7 * DAY else 100)
    assert one.series["daily_messages"].change == Change(0, 0.0)
    other = dashboard_of(period, previous, lambda day: 160 if day == TODAY - DAY else 100)
    assert other.series["daily_messages"].change == Change(60, 0.1)


def test_a_past_period_is_compared_whole() -> None:
    period, previous = periods("UTC", NOW, TODAY - 14 * DAY, TODAY)
    assert not period.is_open
    one = dashboard_of(period, previous, lambda day: 150 if day >= TODAY - 14 * DAY else 100)
    assert one.series["daily_messages"].change == Change(14 * 50, 0.5)


@pytest.mark.parametrize(("first", "days"), [(TODAY, 1), (TODAY + DAY, 3)], ids=["today", "future"])
def test_without_a_complete_day_there_is_no_change(first: date, days: int) -> None:
    period, previous = periods("UTC", NOW, first, first + days * DAY)
    assert period.is_open
    one = dashboard_of(period, previous, lambda _: 5)
    assert one.series["daily_messages"].total == 5 * days
    assert one.series["daily_messages"].previous is not None
    assert one.series["daily_messages"].change is None
    assert totals_of([one], period, previous)["daily_messages"].change is None
    assert one.to_dict()["series"]["daily_messages"]["change"] is None  # type: ignore[index]


def test_an_empty_range_is_not_open() -> None:
    period, previous = periods("UTC", NOW, TODAY, TODAY)
    assert not period.is_open
    one = app_dashboard(AppStatistics(app_id="a", mode="chat", daily_messages=[]), period, previous)
    assert one.series["daily_messages"].change is None


def test_a_range_that_ends_within_a_day_is_compared_by_whole_days() -> None:
    """The previous period begins within a day, whose part has no counterpart."""
    noon = datetime.combine(TODAY, time(18))
    period, previous = periods("UTC", NOW, TODAY - 7 * DAY, noon)
    assert previous.start == datetime(2026, 11, 14, 6, tzinfo=UTC)
    one = dashboard_of(period, previous, lambda day: 20 if day in {TODAY, previous.days[0]} else 100)
    assert one.series["daily_messages"].change == Change(0, 0.0)


def test_a_past_range_that_ends_within_a_day_is_compared_whole() -> None:
    noon = datetime.combine(TODAY - DAY, time(12))
    period, previous = periods("UTC", NOW, TODAY - 7 * DAY, noon)
    one = dashboard_of(period, previous, lambda day: 50 if day in {TODAY - DAY, previous.days[0]} else 100)
    assert one.series["daily_messages"].change == Change(0, 0.0)


@given(
    zone=ZONES,
    now=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    offset=st.integers(-40, 10),
    days=st.integers(1, 40),
    uses=st.lists(st.integers(0, 10**6), min_size=80, max_size=80),
)
def test_the_days_that_are_over_are_compared(
    zone: str, now: datetime, offset: int, days: int, uses: list[int]
) -> None:
    clock = ZoneInfo(zone)
    start = now.date() + offset * DAY
    period, previous = periods(zone, now, start, start + days * DAY)

    def is_over(day: date) -> bool:
        return datetime.combine(day + DAY, time.min, clock) <= now

    pairs = [(new, old) for new, old in zip(period.days, previous.days, strict=True) if is_over(new)]
    assert all(new - old == days * DAY and is_over(old) for new, old in pairs)
    assert period.is_open == (len(pairs) < days)
    messages = dict(zip((*previous.days, *period.days), uses, strict=False))
    one = dashboard_of(period, previous, messages.__getitem__)
    assert one.series["daily_messages"].total == sum(messages[day] for day in period.days)
    change = one.series["daily_messages"].change
    assert totals_of([one], period, previous)["daily_messages"].change == change
    if not pairs:
        assert change is None
        return
    new, old = (sum(messages[day] for day in of) for of in zip(*pairs, strict=True))
    assert change is not None
    assert change.absolute == new - old
    assert change.relative == (pytest.approx((new - old) / old) if old else None)


def weighted(days: Iterable[tuple[int, int]]) -> Fraction | None:
    days = list(days)
    messages = sum(count for count, _ in days)
    return Fraction(sum(count * rate for count, rate in days), messages) if messages else None


USE = st.tuples(st.integers(0, 1000), st.integers(0, 1000))


@given(
    apps=st.lists(st.lists(USE, min_size=6, max_size=6), min_size=1, max_size=3), unfinished=st.integers(0, 3)
)
def test_averages_are_weighted_over_complete_days(apps: list[list[tuple[int, int]]], unfinished: int) -> None:
    """Days 0 to 2 are compared with days 3 to 5, without the last `unfinished` days of both."""
    first = date(2026, 11, 1)
    now = datetime.combine(first + (6 - unfinished) * DAY, time(8), UTC)
    period, previous = periods("UTC", now, first + 3 * DAY, first + 6 * DAY)
    made = []
    for number, uses in enumerate(apps):
        used = [(first + n * DAY, *use) for n, use in enumerate(uses) if use[0]]
        statistics = AppStatistics(
            app_id=str(number),
            mode="chat",
            daily_messages=[DailyMessages(day, count) for day, count, _ in used],
            user_satisfaction_rate=[UserSatisfactionRate(day, float(rate)) for day, _, rate in used],
            daily_end_users=[DailyEndUsers(day, count) for day, count, _ in used],
            token_costs=[TokenCosts(day, count, Decimal(rate), "EUR") for day, count, rate in used],
        )
        made.append(app_dashboard(statistics, period, previous))
    complete = 3 - unfinished
    groups = [(one.series, [uses]) for one, uses in zip(made, apps, strict=True)]
    for series, parts in [*groups, (totals_of(made, period, previous), apps)]:
        if not complete:
            assert {one.change for one in series.values()} == {None}
            continue
        old, new = ([use for uses in parts for use in uses[start : start + complete]] for start in (0, 3))
        expect(series["user_satisfaction_rate"], weighted(old), weighted(new))
        if "token_costs_EUR" in series:
            prices = [Fraction(sum(rate for count, rate in days if count)) for days in (old, new)]
            expect(series["token_costs_EUR"], *prices)
        # Users of several days are not known; those of one day are.
        users = [Fraction(sum(count for count, _ in days)) for days in (old, new)]
        expect(series["daily_end_users"], *(users if complete == 1 else (None, None)))


def expect(series: Series, old: Fraction | None, new: Fraction | None) -> None:
    change = series.change
    assert change is not None
    if old is None or new is None:
        assert change == Change(None, None)
        return
    assert change.absolute is not None
    assert float(change.absolute) == pytest.approx(float(new - old), abs=1e-9)
    assert change.relative == (pytest.approx(float((new - old) / old), abs=1e-9) if old else None)
