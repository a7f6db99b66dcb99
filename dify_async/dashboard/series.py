"""Build the series of one app, with one value per day, from its statistics. No I/O."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from dify_async.statistics.metrics import Metric, money_name
from dify_async.statistics.results import money_of

from .measures import RATE_PERCENT, TOKENS, in_order, measure_of
from .models import AppDashboard, SeriesByKey
from .period import compared_days
from .totals import Column, Numbers, added, series_of, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from dify_async.models import TokenCosts
    from dify_async.statistics.metrics import Value
    from dify_async.statistics.results import AppStatistics

    from .period import Period

    ByDay = dict[date, Value]

# All Dify versions report costs in this currency, so the zeros of an app without rows are in it too.
_CURRENCY: Final = "USD"


def app_dashboard(statistics: AppStatistics, period: Period, previous: Period | None) -> AppDashboard:
    """The series of an app; `statistics` contains the rows of both periods."""
    numbers = _numbers(statistics)
    new = _in_period(numbers, period)
    old = {} if previous is None else _in_period(numbers, previous)
    compared = None if previous is None else compared_days(period, previous)
    return AppDashboard(
        app_id=statistics.app_id,
        app_name=statistics.app_name,
        mode=statistics.mode,
        series=SeriesByKey(
            {name: series_of(name, one, old.get(name), compared) for name, one in new.items()}
        ),
        errors=statistics.errors,
    )


def _numbers(statistics: AppStatistics) -> dict[str, ByDay]:
    """The numbers per series and day, including derived series."""
    numbers: dict[str, ByDay] = {}
    for metric in Metric:
        rows = statistics.rows(metric)
        if rows is not None:
            # The first field of every row is the date, and the second is the value.
            numbers[str(metric)] = dict(map(attrgetter(*rows[0].__struct_fields__[:2]), rows)) if rows else {}
    if statistics.token_costs is not None:
        numbers |= _tokens_and_money(statistics.token_costs)
    if Metric.USER_SATISFACTION_RATE in numbers:
        rates = numbers[Metric.USER_SATISFACTION_RATE]
        # The rate is per thousand, with two decimals, so the percentage has three.
        numbers[RATE_PERCENT] = {day: round(float(rate or 0) / 10, 3) for day, rate in rates.items()}
    token_metric = Metric.WORKFLOW_TOKEN_COSTS if statistics.mode == "workflow" else Metric.TOKEN_COSTS
    if token_metric in numbers:
        numbers[TOKENS] = numbers[token_metric]
    return numbers


def _tokens_and_money(rows: Sequence[TokenCosts]) -> dict[str, ByDay]:
    """Tokens per day, and costs per currency and day; a day may have one row per currency."""
    prices: dict[str, list[tuple[date, Value]]] = {}
    for row in rows:
        for currency, price in money_of(row):
            prices.setdefault(money_name(currency), []).append((row.date, price))
    numbers = {name: _by_day(pairs, name) for name, pairs in prices.items()}
    tokens = [(row.date, row.token_count) for row in rows]
    numbers = {str(Metric.TOKEN_COSTS): _by_day(tokens, Metric.TOKEN_COSTS), **numbers}
    money_names = [name for name in numbers if name != Metric.TOKEN_COSTS] or [money_name(_CURRENCY)]
    # If the price of a day is unknown, its cost is None, not 0.
    unpriced = [row.date for row in rows if row.total_price is None]
    for name in money_names:
        by_day = numbers.setdefault(name, {})
        for day in unpriced:
            by_day.setdefault(day, None)
    return numbers


def _by_day(pairs: Sequence[tuple[date, Value]], name: str) -> ByDay:
    """The values by day; several values of one day are added."""
    by_day = dict(pairs)
    if len(by_day) < len(pairs):
        values_of: dict[date, list[Value]] = {}
        for day, value in pairs:
            values_of.setdefault(day, []).append(value)
        by_day = {day: added(values, measure_of(name).zero) for day, values in values_of.items()}
    return by_day


def _in_period(numbers: Mapping[str, ByDay], period: Period) -> dict[str, Numbers]:
    """The numbers of the days of a period, in the order of display."""
    measures = {name: measure_of(name) for name in in_order(numbers)}
    filled = {name: _filled(numbers[name], period, measure.zero) for name, measure in measures.items()}
    return {
        name: Numbers(values, [Column(values, weights_of(measures[name], filled, len(values)))])
        for name, values in filled.items()
    }


def _filled(by_day: ByDay, period: Period, zero: Value) -> tuple[Value, ...]:
    """One value per day of the period; `zero` for days without a row."""
    return tuple([by_day.get(day, zero) for day in period.days])
