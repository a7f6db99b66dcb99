"""From the rows of one app to its series: a value for each day. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_async.statistics import Metric, values_of

from .models import AppDashboard, Series
from .totals import (
    RATE_PERCENT,
    TOKENS,
    added,
    in_order,
    measure_of,
    money_name,
    total_of,
    weights_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from dify_async.statistics import AppStatistics, Value

    from .period import Period

    ByDay = dict[date, Value]

# What every version of Dify names in each row; an app without rows has its zeros in it.
_CURRENCY: Final = "USD"


def app_dashboard(statistics: AppStatistics, period: Period, previous: Period | None) -> AppDashboard:
    """The series of an app out of its rows, which may be of both periods."""
    numbers = _numbers(statistics)
    before = {} if previous is None else _series(numbers, previous, {})
    return AppDashboard(
        app_id=statistics.app_id,
        app_name=statistics.app_name,
        mode=statistics.mode,
        series=_series(numbers, period, before),
        errors=statistics.errors,
    )


def _numbers(statistics: AppStatistics) -> dict[str, ByDay]:
    """The numbers by name and day, derived ones too."""
    numbers: dict[str, ByDay] = {}
    for metric in Metric:
        rows = statistics.rows(metric)
        if rows is None:
            continue
        numbers[str(metric)] = {}
        for row in rows:
            for name, value in values_of(metric, row):
                by_day = numbers.setdefault(name, {})
                # Only tokens may come in several rows a day, one a currency.
                again = metric is Metric.TOKEN_COSTS and row.date in by_day
                by_day[row.date] = added((by_day[row.date], value), measure_of(name).zero) if again else value
    if Metric.TOKEN_COSTS in numbers and statistics.token_costs is not None:
        _fill_money(numbers, {row.date for row in statistics.token_costs if row.total_price is None})
    if Metric.USER_SATISFACTION_RATE in numbers:
        rates = numbers[Metric.USER_SATISFACTION_RATE]
        # The server's two decimals are four of a share; more digits are only those of the division.
        numbers[RATE_PERCENT] = {day: round(float(rate or 0) / 10, 3) for day, rate in rates.items()}
    tokens = Metric.WORKFLOW_TOKEN_COSTS if statistics.mode == "workflow" else Metric.TOKEN_COSTS
    if tokens in numbers:
        numbers[TOKENS] = numbers[tokens]
    return numbers


def _fill_money(numbers: dict[str, ByDay], unpriced: set[date]) -> None:
    """A day of which no price is known is not a day that cost nothing."""
    currencies = [name for name in numbers if measure_of(name).kind == "money"]
    for name in currencies or [money_name(_CURRENCY)]:
        by_day = numbers.setdefault(name, {})
        for day in unpriced:
            by_day.setdefault(day, None)


def _series(
    numbers: Mapping[str, ByDay], period: Period, previous: Mapping[str, Series]
) -> dict[str, Series]:
    filled = {
        name: tuple([by_day.get(day, measure_of(name).zero) for day in period.days])
        for name, by_day in numbers.items()
    }
    series = {}
    for name in in_order(filled):
        measure = measure_of(name)
        weights = weights_of(measure, filled, len(period.days))
        series[name] = Series(
            name=name,
            unit=measure.unit,
            values=filled[name],
            total=total_of(measure, filled[name], weights),
            previous=previous.get(name),
        )
    return series
