"""Build the series of one app, with one value per day, from its statistics. No I/O."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from dify_async.statistics.metrics import Metric, money_name
from dify_async.statistics.results import money_of

from .measures import RATE_PERCENT, TOKENS, in_order, measure_of
from .models import AppDashboard, SeriesByKey
from .period import compared_days
from .totals import Numbers, added, series_of, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from dify_async.models import TokenCosts
    from dify_async.statistics.metrics import Row, Value
    from dify_async.statistics.results import AppStatistics

    from .period import Period

    ByDay = dict[date, Value]

# All Dify versions report costs in this currency, so the zeros of an app without rows are in it too.
_CURRENCY: Final = "USD"


def app_dashboard(statistics: AppStatistics, period: Period, previous: Period | None) -> AppDashboard:
    """The series of an app; `statistics` contains the rows of both periods."""
    days = period.days if previous is None else previous.days + period.days
    columns = _columns(statistics, days)
    first = len(days) - len(period.days)
    new = _numbers({name: values[first:] for name, values in columns.items()})
    old = {} if previous is None else _numbers({name: values[:first] for name, values in columns.items()})
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


def _columns(statistics: AppStatistics, days: tuple[date, ...]) -> dict[str, tuple[Value, ...]]:
    """The values of each series, including derived series, in the order of display; one per day."""
    columns: dict[str, tuple[Value, ...]] = {}
    positions = _positions(days)
    for metric in Metric:
        rows = statistics.rows(metric)
        if rows is not None and metric is not Metric.TOKEN_COSTS:
            columns[metric] = _filled(metric, rows, positions)
    if statistics.token_costs is not None:
        for name, by_day in _tokens_and_money(statistics.token_costs).items():
            columns[name] = tuple(map(by_day.get, days, repeat(measure_of(name).zero)))
    if Metric.USER_SATISFACTION_RATE in columns:
        rates = columns[Metric.USER_SATISFACTION_RATE]
        columns[RATE_PERCENT] = tuple([rate and _percent(rate) for rate in rates])
    token_metric = Metric.WORKFLOW_TOKEN_COSTS if statistics.mode == "workflow" else Metric.TOKEN_COSTS
    if token_metric in columns:
        columns[TOKENS] = columns[token_metric]
    # Plain strings, since the repr and the export of a Metric differ from those of its name.
    return {str(name): columns[name] for name in in_order(columns)}


def _filled(metric: Metric, rows: Sequence[Row], positions: Mapping[date, int]) -> tuple[Value, ...]:
    """One value per day; zero for days without a row."""
    filled = [metric.measure.zero] * len(positions)
    # The first field of every row is the date, and the second is the value.
    value_of = attrgetter(metric.row_type.__struct_fields__[1])
    for row in rows:
        position = positions.get(row.date)
        if position is not None:
            filled[position] = value_of(row)
    return tuple(filled)


@lru_cache(maxsize=8)  # all apps of a dashboard have the same days
def _positions(days: tuple[date, ...]) -> Mapping[date, int]:
    return {day: position for position, day in enumerate(days)}


@lru_cache(maxsize=4096)  # to round a number takes as long as all else that is done with it
def _percent(rate: Value) -> float:
    # The rate is per thousand, with two decimals, so the percentage has three.
    return round(float(rate or 0) / 10, 3)


def _tokens_and_money(rows: Sequence[TokenCosts]) -> dict[str, ByDay]:
    """Tokens per day, and costs per currency and day; a day may have one row per currency."""
    tokens: dict[date, int] = {}
    costs: dict[str, ByDay] = defaultdict(dict)
    unpriced: list[date] = []
    for row in rows:
        day = row.date
        tokens[day] = tokens.get(day, 0) + row.token_count
        for currency, price in money_of(row):
            by_day = costs[currency]
            by_day[day] = added((by_day[day], price), Decimal(0)) if day in by_day else price
        if row.total_price is None:
            unpriced.append(day)
    costs = costs or {_CURRENCY: {}}
    # If the price of a day is unknown, its cost is None, not 0.
    for by_day in costs.values() if unpriced else ():
        for day in unpriced:
            by_day.setdefault(day, None)
    named = {money_name(currency): by_day for currency, by_day in costs.items()}
    return {str(Metric.TOKEN_COSTS): dict(tokens), **named}


def _numbers(columns: Mapping[str, tuple[Value, ...]]) -> dict[str, Numbers]:
    """The numbers of the days of a period."""
    return {
        name: Numbers(values, weights_of(measure_of(name), columns, len(values)))
        for name, values in columns.items()
    }
