"""The costs of the month, and its projection."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dify_async import Period, Series
from dify_async.web.month import MONTH_DAYS, month_costs


def period_until(today: date) -> Period:
    days = tuple(today - timedelta(days=back) for back in range(MONTH_DAYS - 1, -1, -1))
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (days[0], today))
    return Period(start=start, end=end + timedelta(days=1), zone="UTC", days=days, today=today)


def costs_of(values: list[Decimal | None]) -> dict[str, Series]:
    return {"USD": Series(name="token_costs_USD", unit="USD", values=tuple(values), total=None)}


@pytest.mark.parametrize(
    ("today", "spent", "projected", "previous"),
    [
        (date(2026, 11, 15), 15, 30, 31),
        (date(2026, 11, 1), 1, 30, 31),  # no complete day of the month
        (date(2026, 10, 31), 31, 31, 30),
        (date(2026, 3, 31), 31, 31, 28),
        (date(2028, 2, 29), 29, 29, 31),
        (date(2027, 1, 1), 1, 31, 31),
    ],
)
def test_even_costs(today: date, spent: int, projected: int, previous: int) -> None:
    (costs,) = month_costs(costs_of([Decimal(1)] * MONTH_DAYS), period_until(today))
    assert (costs.currency, costs.month) == ("USD", today.replace(day=1))
    assert [costs.spent, costs.projected, costs.previous] == [
        Decimal(one) for one in (spent, projected, previous)
    ]


def test_the_rest_of_today_is_projected() -> None:
    today = date(2026, 11, 10)
    values: list[Decimal | None] = [Decimal(1)] * (MONTH_DAYS - 1)
    for so_far, projected in ((Decimal("0.25"), 30), (Decimal(5), 34)):
        (costs,) = month_costs(costs_of([*values, so_far]), period_until(today))
        assert costs.spent == 9 + so_far
        assert costs.projected == projected


def test_weekends_do_not_change_the_projection() -> None:
    """Two weeks of a month may have three weekends, so the mean is that of whole weeks."""
    projections = set()
    for day in range(8, 15):
        today = date(2026, 11, day)
        values = [Decimal(0) if one.weekday() >= 5 else Decimal(7) for one in period_until(today).days]
        (costs,) = month_costs(costs_of(list(values)), period_until(today))
        left = 30 - day + 1
        projections.add(costs.projected - (costs.spent - values[-1]) - left * 5)
    assert projections <= {Decimal(0), Decimal(2)}  # 2: what today has cost more than the mean


def test_unknown_prices_and_days_after_today() -> None:
    today = date(2026, 11, 10)
    values: list[Decimal | None] = [None, *[Decimal(1)] * (MONTH_DAYS - 2), None]
    (costs,) = month_costs(costs_of(values), period_until(today))
    assert [costs.spent, costs.projected, costs.previous] == [Decimal(9), Decimal(30), Decimal(31)]
