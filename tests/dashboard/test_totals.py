"""The pure parts, by properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_async import AppStatistics, DailyMessages, Period, TokenCosts, UserSatisfactionRate
from dify_async.dashboard.period import period_before, period_of
from dify_async.dashboard.series import app_dashboard
from dify_async.dashboard.totals import added, mean, totals_of

ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo"])
DAYS = st.dates(date(2011, 1, 1), date(2040, 1, 1))
COUNTS = st.integers(0, 10**20)
PRICES = st.decimals(0, 10**6, places=7)


def period(first: date, days: int) -> Period:
    zone = ZoneInfo("UTC")
    return period_of(first, first + timedelta(days=days), 1, zone, datetime(2026, 1, 1, tzinfo=UTC))


@given(
    known=st.dictionaries(st.integers(-3, 13), st.tuples(COUNTS, PRICES | st.none(), st.sampled_from("AB"))),
    first=DAYS,
    days=st.integers(0, 10),
)
def test_filling_adds_up_what_is_inside_and_nothing_else(
    known: dict[int, tuple[int, Decimal | None, str]], first: date, days: int
) -> None:
    rows = [TokenCosts(first + timedelta(days=n), *row) for n, row in known.items()]
    inside = [row for row in rows if first <= row.date < first + timedelta(days=days)]
    one = app_dashboard(AppStatistics(app_id="a", mode="chat", token_costs=rows), period(first, days), None)
    for series in one.series.values():
        assert len(series.values) == days
    assert one.series["token_costs"].total == sum(row.token_count for row in inside)
    for currency in {row.currency for row in rows}:
        money = one.series[f"token_costs_{currency}"]
        prices = [row.total_price for row in inside if row.currency == currency]
        assert (money.total or 0) == sum(Fraction(price) for price in prices if price is not None)
        for day, value in zip(period(first, days).days, money.values, strict=True):
            mine = [row for row in inside if row.date == day]
            if not mine:
                assert value == 0
            elif mine[0].currency == currency:
                assert value == mine[0].total_price


RATES = st.lists(
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 1000)), min_size=3, max_size=3),
    min_size=1,
    max_size=4,
)


@given(RATES)
def test_all_apps_together_are_weighted_as_if_they_were_one(apps: list[list[tuple[int, float]]]) -> None:
    first = date(2026, 10, 1)
    range_ = period(first, 3)
    made = []
    for number, days in enumerate(apps):
        used = [(first + timedelta(days=n), *day) for n, day in enumerate(days) if day[0]]
        statistics = AppStatistics(
            app_id=str(number),
            mode="chat",
            daily_messages=[DailyMessages(day, count) for day, count, _ in used],
            user_satisfaction_rate=[UserSatisfactionRate(day, rate) for day, _, rate in used],
        )
        made.append(app_dashboard(statistics, range_, None))
    totals = totals_of(made, 3)
    everything = [day for days in apps for day in days if day[0]]
    messages = sum(count for count, _ in everything)
    assert totals["daily_messages"].total == messages
    rate = totals["user_satisfaction_rate"].total
    if not messages:
        assert rate is None
    else:
        assert isinstance(rate, float)
        exact = sum(count * Fraction(share) for count, share in everything) / messages
        assert rate == pytest.approx(float(exact), rel=1e-9, abs=1e-9)
        assert min(share for _, share in everything) <= rate * (1 + 1e-9) + 1e-9


def test_means() -> None:
    assert mean([]) is None
    assert mean([(None, 3)]) is None
    assert mean([(5.0, None), (None, None)]) == 5.0
    assert mean([(5.0, None), (6.0, 2)]) is None
    assert mean([(5.0, 0), (6.0, 0)]) is None
    assert mean([(5.0, 0), (6.0, 2)]) == 6.0
    assert mean([(1.0, 1), (4.0, 2)]) == 3.0


@given(st.lists(PRICES))
def test_money_is_exact(prices: list[Decimal]) -> None:
    prices = [*prices, Decimal("0E-7"), Decimal(10**30)]
    assert Fraction(str(added(prices, Decimal(0)))) == sum(map(Fraction, prices))


@given(day=DAYS, hour=st.integers(0, 23), days=st.integers(1, 400), zone=ZONES)
def test_the_default_range_has_so_many_days_and_ends_behind_today(
    day: date, hour: int, days: int, zone: str
) -> None:
    clock = ZoneInfo(zone)
    now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    found = period_of(None, None, days, clock, now)
    today = now.astimezone(clock).date()
    assert found.days[-1] == today
    assert len(found.days) == days
    assert found.bounds[1] == f"{today + timedelta(days=1)} 00:00"
    assert found.zone == zone
    assert now < found.end
    before = period_before(found, clock)
    assert before.end == found.start
    assert len(before.days) == days
    assert before.days[-1] < found.days[0]
