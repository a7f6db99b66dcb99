"""The costs of the current month, with a projection. No I/O."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_async.dashboard import Period, Series
    from dify_async.statistics.metrics import Value

# Days that contain the current and the previous month, today included.
MONTH_DAYS: Final = 62
# The projection uses the mean of whole weeks, because weekends differ from working days.
_MEAN_DAYS: Final = 28


class MonthCosts(Struct, frozen=True, kw_only=True):
    """The costs of a month in one currency.

    Attributes:
        currency: Such as "USD".
        month: The month's first day.
        spent: From the first day until now.
        projected: At the end of the month, if each remaining day costs as much as the mean of the last 28
            complete days.
        previous: The whole previous month.
    """

    currency: str
    month: date
    spent: Decimal
    projected: Decimal
    previous: Decimal


def month_costs(costs: Mapping[str, Series], period: Period) -> list[MonthCosts]:
    """The costs per currency, from those of the last 62 days."""
    return [
        _costs(currency, dict(zip(period.days, series.values, strict=True)), period.today)
        for currency, series in costs.items()
    ]


def _costs(currency: str, by_day: Mapping[date, Value], today: date) -> MonthCosts:
    first = today.replace(day=1)
    previous = (first - timedelta(days=1)).replace(day=1)
    before_today = _sum(by_day, first, today)
    so_far = Decimal(by_day.get(today) or 0)
    mean = _sum(by_day, today - timedelta(days=_MEAN_DAYS), today) / _MEAN_DAYS
    days_left = calendar.monthrange(today.year, today.month)[1] - today.day
    return MonthCosts(
        currency=currency,
        month=first,
        spent=before_today + so_far,
        projected=before_today + max(so_far, mean) + days_left * mean,
        previous=_sum(by_day, previous, first),
    )


def _sum(by_day: Mapping[date, Value], start: date, end: date) -> Decimal:
    """The sum from `start` to `end`, which is exclusive; days with unknown prices do not count."""
    return sum((Decimal(value or 0) for day, value in by_day.items() if start <= day < end), Decimal(0))
