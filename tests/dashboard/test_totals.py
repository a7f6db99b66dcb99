"""Properties of series and totals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dify_async import (
    AppStatistics,
    AverageResponseTime,
    AverageSessionInteractions,
    DailyEndUsers,
    DailyMessages,
    Metric,
    Period,
    TokenCosts,
    TokensPerSecond,
    UserSatisfactionRate,
    WorkflowDailyRuns,
)
from dify_async.dashboard.measures import measure_of
from dify_async.dashboard.period import checked_range, period_before, period_of
from dify_async.dashboard.series import app_dashboard
from dify_async.dashboard.totals import added, average, part_of, totals_of, weights_of
from dify_async.statistics.metrics import Value

ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo"])
DAYS = st.dates(date(2011, 1, 1), date(2040, 1, 1))
COUNTS = st.integers(0, 10**20)
PRICES = st.decimals(0, 10**6, places=7)


def period(first: date, days: int) -> Period:
    zone = ZoneInfo("UTC")
    given = checked_range(start=first, end=first + timedelta(days=days))
    return period_of(given, zone, datetime(2026, 1, 1, tzinfo=UTC))


@given(
    known=st.dictionaries(st.integers(-3, 13), st.tuples(COUNTS, PRICES | st.none(), st.sampled_from("AB"))),
    first=DAYS,
    days=st.integers(0, 10),
)
def test_totals_are_the_sum_of_the_days_in_range(
    known: dict[int, tuple[int, Decimal | None, str]], first: date, days: int
) -> None:
    rows = [TokenCosts(first + timedelta(days=n), *row) for n, row in known.items()]
    inside = [row for row in rows if first <= row.date < first + timedelta(days=days)]
    messages = [DailyMessages(row.date, row.token_count) for row in rows]
    statistics = AppStatistics(app_id="a", mode="chat", token_costs=rows, daily_messages=messages)
    one = app_dashboard(statistics, period(first, days), None)
    for series in one.series.values():
        assert len(series.values) == days
    by_day = {row.date: row.message_count for row in messages}
    expected = tuple(by_day.get(day, 0) for day in period(first, days).days)
    assert one.series["daily_messages"].values == expected
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
def test_totals_over_apps_match_a_single_app(apps: list[list[tuple[int, float]]]) -> None:
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
    totals = totals_of(made, range_, None)
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


class Sent(NamedTuple):
    """A message of a completion app, or a workflow run."""

    tokens: int
    answer_tokens: int
    milliseconds: int
    likes: int
    user: int


SENT = st.builds(
    lambda prompt, answer, time, likes, user: Sent(prompt + answer, answer, time, likes, user),
    st.integers(0, 50),
    st.integers(0, 500) | st.just(0),
    st.just(0) | st.integers(100, 9000),  # failed and cached answers take no time
    st.sampled_from((0, 0, 1, 2)),
    st.integers(0, 3),
)
# Messages per day and app.
TRAFFIC = st.lists(st.lists(st.lists(SENT, max_size=4), min_size=3, max_size=3), min_size=1, max_size=3)


def speed(messages: list[Sent]) -> float:
    """The numbers that the server reports for any range."""
    time = sum(one.milliseconds for one in messages)
    return round(sum(one.answer_tokens for one in messages) * 1000 / time, 4) if time else 0.0


def rate(messages: list[Sent]) -> float:
    """A left join of messages with their likes."""
    return round(sum(one.likes for one in messages) * 1000 / sum(max(1, one.likes) for one in messages), 2)


def latency(messages: list[Sent]) -> float:
    return round(sum(one.milliseconds for one in messages) / len(messages), 4)


def runs_per_user(runs: list[Sent]) -> float:
    return round(len(runs) / len({one.user for one in runs}), 2)


def statistics_of(number: int, mode: str, days: list[list[Sent]], first: date) -> AppStatistics:
    """The rows of a real server, by its SQL queries."""
    used = [(first + timedelta(days=n), messages) for n, messages in enumerate(days) if messages]
    if mode == "workflow":
        return AppStatistics(
            app_id=str(number),
            mode=mode,
            workflow_daily_runs=[WorkflowDailyRuns(day, len(runs)) for day, runs in used],
            workflow_daily_end_users=[DailyEndUsers(day, len({r.user for r in runs})) for day, runs in used],
            workflow_average_interactions=[
                AverageSessionInteractions(day, runs_per_user(runs)) for day, runs in used
            ],
        )
    return AppStatistics(
        app_id=str(number),
        mode=mode,
        daily_messages=[DailyMessages(day, len(messages)) for day, messages in used],
        token_costs=[TokenCosts(day, sum(one.tokens for one in messages)) for day, messages in used],
        tokens_per_second=[TokensPerSecond(day, speed(messages)) for day, messages in used],
        average_response_time=[AverageResponseTime(day, latency(messages)) for day, messages in used],
        user_satisfaction_rate=[UserSatisfactionRate(day, rate(messages)) for day, messages in used],
    )


def is_right(found: Value, expected: float) -> bool:
    """Whether a total matches all messages, apart from the rounding of each day."""
    return isinstance(found, float) and found == pytest.approx(expected, rel=1e-3, abs=0.01)


@given(TRAFFIC)
@example([[[Sent(500, 500, 0, 0, 0)] * 2, [Sent(100, 100, 2000, 0, 0)], []]])
@example([[[Sent(0, 0, 0, 0, 0)], [Sent(100, 100, 2000, 0, 0)], []]])
@example([[[Sent(9, 9, 1000, 2, 0)], [Sent(9, 9, 1000, 1, 0), *[Sent(9, 9, 1000, 0, 0)] * 3], []]])
def test_totals_of_random_messages_are_exact_or_none(apps: list[list[list[Sent]]]) -> None:
    """Compared with the server's formulas for the whole range; unknown totals are None."""
    first = date(2026, 11, 10)
    made = [
        app_dashboard(statistics_of(number, "completion", days, first), period(first, 3), None)
        for number, days in enumerate(apps)
    ]
    groups = [(one.series, [days]) for one, days in zip(made, apps, strict=True)]
    for totals, parts in [*groups, (totals_of(made, period(first, 3), None), apps)]:
        rows = [messages for days in parts for messages in days if messages]
        everything = [one for messages in rows for one in messages]
        assert totals["daily_messages"].total == len(everything)
        assert totals["token_costs"].total == sum(one.tokens for one in everything)
        speed_total = totals["tokens_per_second"].total
        hides_tokens = any(speed(m) == latency(m) == 0 and any(one.tokens for one in m) for m in rows)
        if not rows or (hides_tokens and len(rows) > 1):
            assert speed_total is None
        elif any(one.milliseconds for one in everything):
            assert is_right(speed_total, speed(everything))
        else:
            assert not speed_total
        if not rows:
            assert totals["average_response_time"].total is None
            assert totals["rate_percent"].total is None
            continue
        assert is_right(totals["average_response_time"].total, latency(everything))
        if len(rows) == 1 or all(one.likes < 2 for one in everything):
            assert is_right(totals["user_satisfaction_rate"].total, rate(everything))
            assert is_right(totals["rate_percent"].total, rate(everything) / 10)


@given(TRAFFIC)
def test_totals_of_random_runs_are_exact(apps: list[list[list[Sent]]]) -> None:
    """The average over users and days: a user counts on each day."""
    first = date(2026, 11, 10)
    made = [
        app_dashboard(statistics_of(number, "workflow", days, first), period(first, 3), None)
        for number, days in enumerate(apps)
    ]
    totals = totals_of(made, period(first, 3), None)
    runs = sum(len(day) for days in apps for day in days)
    users = sum(len({one.user for one in day}) for days in apps for day in days)
    assert totals["workflow_daily_runs"].total == runs
    assert totals["workflow_daily_end_users"].total is None
    mean_runs = totals["workflow_average_interactions"].total
    assert is_right(mean_runs, runs / users) if users else mean_runs is None


def test_a_message_with_two_likes() -> None:
    """Two likes on one message, and one on four: 40 %; the server reports 50 % for both days."""
    days = [[Sent(9, 9, 1000, 2, 0)], [Sent(9, 9, 1000, 1, 0), *[Sent(9, 9, 1000, 0, 0)] * 3]]
    first = date(2026, 11, 10)
    found = app_dashboard(statistics_of(0, "chat", days, first), period(first, 2), None)
    assert found.series["rate_percent"].values == (100.0, 25.0)
    assert found.series["rate_percent"].total == pytest.approx(40.0)
    assert rate([one for day in days for one in day]) == 500.0


def test_averages() -> None:
    def mean(values: list[float | None], weights: list[float | None]) -> float | None:
        # In one part, or in one part per value, as for an average over days.
        whole = average([part_of(values, weights)])
        assert whole == average(
            [part_of([one], [weight]) for one, weight in zip(values, weights, strict=True)]
        )
        return whole

    assert mean([], []) is None
    assert mean([None], [3]) is None
    assert mean([5.0, None], [None, None]) == 5.0
    assert mean([5.0, 6.0], [None, 2]) is None
    assert mean([5.0, 6.0], [0, 0]) is None
    assert mean([5.0, 6.0], [0, 2]) == 6.0
    assert mean([1.0, 4.0], [1, 2]) == 3.0


@given(st.lists(PRICES))
def test_money_is_exact(prices: list[Decimal]) -> None:
    prices = [*prices, Decimal("0E-7"), Decimal(10**30)]
    assert Fraction(str(added(prices, Decimal(0)))) == sum(map(Fraction, prices))


@given(day=DAYS, hour=st.integers(0, 23), days=st.integers(1, 400), zone=ZONES)
def test_the_default_range_has_whole_days_and_ends_after_today(
    day: date, hour: int, days: int, zone: str
) -> None:
    clock = ZoneInfo(zone)
    now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    found = period_of(checked_range(days=days), clock, now)
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


def test_a_day_of_weight_zero_with_unknown_tokens_has_no_weight() -> None:
    values = {"average_response_time": (0.0,), "daily_messages": (2,)}
    assert weights_of(measure_of(Metric.TOKENS_PER_SECOND), values, 1) == [None]
