"""Totals over days and over apps. Pure."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Final

from dify_async.statistics.metrics import Measure, Metric

from .models import EXACT, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dify_async.statistics.metrics import Value

    from .models import AppDashboard

RATE_PERCENT: Final = "rate_percent"
TOKENS: Final = "tokens"
_MONEY: Final = f"{Metric.TOKEN_COSTS}_"


def _measures() -> Iterator[tuple[str, Measure]]:
    """The measure of each series in the order of display: messages first, tokens last, then money."""
    for metric in sorted(Metric, key=lambda one: (one.measure.unit == "tokens", one != "daily_messages")):
        yield metric, metric.measure
        if metric is Metric.USER_SATISFACTION_RATE:
            yield RATE_PERCENT, metric.measure._replace(unit="%")
    yield TOKENS, Metric.TOKEN_COSTS.measure


_MEASURES: Final[Mapping[str, Measure]] = dict(_measures())


def money_name(currency: str) -> str:
    """The name of a series of money."""
    return f"{_MONEY}{currency}"


def measure_of(name: str) -> Measure:
    """The measure of a series."""
    return _MEASURES.get(name) or Measure(name.removeprefix(_MONEY), "money")


def in_order(names: Iterable[str]) -> list[str]:
    """The names of series in the order of display."""
    order = {name: place for place, name in enumerate(_MEASURES)}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))


def added(values: Iterable[Value], zero: Value) -> Value:
    """The sum of the known values; None if there are values but none is known."""
    values = list(values)
    known = [value for value in values if value is not None]
    if values and not known:
        return None
    if isinstance(zero, Decimal):
        return reduce(EXACT.add, map(Decimal, known), zero)
    return sum(map(int, known))


def mean(pairs: Iterable[tuple[Value, Value]]) -> float | None:
    """The weighted mean of the known values; None if there are none, or if a weight is missing.

    A single value needs no weight.
    """
    known = [pair for pair in pairs if pair[0] is not None]
    if len(known) == 1:
        return float(known[0][0] or 0)
    weighted = [(float(value), float(weight)) for value, weight in known if None not in (value, weight)]  # type: ignore[arg-type]  # neither is None
    total = math.fsum(weight for _, weight in weighted)
    if len(weighted) < len(known) or not total:
        return None
    return math.fsum(value * weight for value, weight in weighted) / total


def total_of(measure: Measure, values: Sequence[Value], weights: Sequence[Value]) -> Value:
    """The total over all days of one app."""
    if measure.kind == "average":
        return mean(zip(values, weights, strict=True))
    if measure.kind == "users" and len(values) != 1:
        return None
    return added(values, measure.zero)


def weights_of(measure: Measure, values_of: Mapping[str, Sequence[Value]], days: int) -> Sequence[Value]:
    """The weight of each day; None if it is not known."""
    unknown = (None,) * days
    columns = [values_of.get(name, unknown) for name in measure.weights]
    if len(columns) < 2:
        return columns[0] if columns else unknown
    weights = [None if None in day else math.prod(map(float, day)) for day in zip(*columns, strict=True)]
    if measure.hides is not None:
        hidden = values_of.get(measure.hides, unknown)
        weights = [
            None if weight == 0 and tokens != 0 else weight
            for weight, tokens in zip(weights, hidden, strict=True)
        ]
    return weights


def totals_of(apps: Sequence[AppDashboard], days: int) -> dict[str, Series]:
    """The series over all apps, with values per day and a total."""
    names = in_order({name for app in apps for name in app.series})
    return {
        name: _over_apps(name, [app.series for app in apps if name in app.series], days) for name in names
    }


def _over_apps(name: str, apps: Sequence[Mapping[str, Series]], days: int) -> Series:
    measure = measure_of(name)
    if measure.kind == "average":
        values, total = _mean_over_apps(name, apps, days)
    else:
        columns = zip(*(app[name].values for app in apps), strict=True)
        values = tuple(added(day, measure.zero) for day in columns)
        total = total_of(measure, values, ())
    before = [{key: series.previous for key, series in app.items() if series.previous} for app in apps]
    previous = _over_apps(name, before, len(before[0][name].values)) if before[0] else None
    return Series(name=name, unit=measure.unit, values=values, total=total, previous=previous)


def _mean_over_apps(
    name: str, apps: Sequence[Mapping[str, Series]], days: int
) -> tuple[tuple[Value, ...], Value]:
    measure = measure_of(name)
    values = [app[name].values for app in apps]
    weights = [weights_of(measure, {key: series.values for key, series in app.items()}, days) for app in apps]
    by_day = zip(zip(*values, strict=True), zip(*weights, strict=True), strict=True)
    means = tuple(mean(zip(*day, strict=True)) for day in by_day)
    return means, mean(pair for app in zip(values, weights, strict=True) for pair in zip(*app, strict=True))
