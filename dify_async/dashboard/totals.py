"""Totals over days and over apps, and their changes. Pure."""

from __future__ import annotations

import math
from decimal import Context, Decimal, localcontext
from itertools import compress
from operator import mul
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .measures import in_order, measure_of
from .models import Change, Series, SeriesByKey
from .period import compared_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dify_async.statistics.metrics import Measure, Value

    from .models import AppDashboard
    from .period import Compared, Period

# Sums of money are exact, whatever the decimal context of the thread.
EXACT: Final = Context(prec=200)
_ALL_DAYS: Final = slice(None)


class Part(NamedTuple):
    """What an average is computed from. The parts of several days add up to the average over these days.

    Attributes:
        known: The number of known values.
        first: The first of them, since the average of a single value needs no weight.
        weighted: The sum of these values, each multiplied by its weight.
        weight: The sum of their weights; None if one of them is not known.
    """

    known: int
    first: float
    weighted: float
    weight: float | None


class Numbers(NamedTuple):
    """The numbers of a series in one period, by day.

    Attributes:
        values: One value per day.
        weights: Their weights, if they are averages of one app.
        parts: What they are computed from, if they are averages over apps.
    """

    values: tuple[Value, ...]
    weights: Sequence[Value] = ()
    parts: Sequence[Part] | None = None


def added(values: Sequence[Value], zero: Value) -> Value:
    """The sum of the known values; None if there are values but none is known."""
    known = [value for value in values if value is not None]
    if values and not known:
        return None
    if isinstance(zero, Decimal):
        with localcontext(EXACT):
            return sum(known, zero)
    return sum(known)


def part_of(values: Sequence[Any], weights: Sequence[Any]) -> Part:
    """The known ones of these values, for an average."""
    if None in values:
        known = [value is not None for value in values]
        values, weights = [*compress(values, known)], [*compress(weights, known)]
    if not values:
        return Part(0, 0, 0, 0)
    if None in weights:
        return Part(len(values), values[0], 0, None)
    return Part(len(values), values[0], math.fsum(map(mul, values, weights)), math.fsum(weights))


def average(parts: Iterable[Part]) -> float | None:
    """The weighted average of all parts; None if no value is known, or if a weight is missing."""
    parts = [part for part in parts if part.known]
    if len(parts) == 1 and parts[0].known == 1:
        return float(parts[0].first)
    weights = [part.weight for part in parts if part.weight is not None]
    if len(weights) < len(parts):
        return None
    total = math.fsum(weights)
    return math.fsum(part.weighted for part in parts) / total if total else None


def total_of(measure: Measure, numbers: Numbers, days: slice = _ALL_DAYS) -> Value:
    """The total over some days."""
    values = numbers.values[days]
    if measure.kind == "average":
        return average(numbers.parts[days] if numbers.parts else [part_of(values, numbers.weights[days])])
    if measure.kind == "users" and len(values) != 1:
        return None
    return added(values, measure.zero)


def weights_of(measure: Measure, values_of: Mapping[str, Sequence[Value]], days: int) -> Sequence[Value]:
    """The weight of each day; None if it is not known."""
    unknown = (None,) * days
    if not measure.weights or not values_of.keys() >= set(measure.weights):
        return unknown
    columns = [values_of[name] for name in measure.weights]
    if len(columns) == 1:
        return columns[0]
    weights = [None if None in day else math.prod(map(float, day)) for day in zip(*columns, strict=True)]
    if measure.hides is not None:
        hidden = values_of.get(measure.hides, unknown)
        weights = [
            None if weight == 0 and tokens != 0 else weight
            for weight, tokens in zip(weights, hidden, strict=True)
        ]
    return weights


def series_of(name: str, new: Numbers, old: Numbers | None, compared: Compared | None) -> Series:
    """A series with its total, its previous period and its change."""
    measure = measure_of(name)
    total = total_of(measure, new)
    if old is None:
        return Series(name=name, unit=measure.unit, values=new.values, total=total)
    previous = series_of(name, old, None, None)
    change = None
    if compared is not None:
        change = _change(total_of(measure, new, compared.new), total_of(measure, old, compared.old))
    return Series(
        name=name, unit=measure.unit, values=new.values, total=total, previous=previous, change=change
    )


def totals_of(apps: Sequence[AppDashboard], period: Period, previous: Period | None) -> SeriesByKey:
    """The series over all apps, with values per day and a total."""
    compared = compared_days(period, previous) if previous is not None else None
    new = [{name: series.values for name, series in app.series.items()} for app in apps]
    old = [
        {name: series.previous.values for name, series in app.series.items() if series.previous}
        for app in apps
    ]
    totals = SeriesByKey()
    for name in in_order({name for app in new for name in app}):
        before = None if previous is None else _over_apps(name, old, len(previous.days))
        totals[name] = series_of(name, _over_apps(name, new, len(period.days)), before, compared)
    return totals


def _over_apps(name: str, apps: Iterable[Mapping[str, Sequence[Value]]], days: int) -> Numbers:
    measure = measure_of(name)
    apps = [app for app in apps if name in app]
    by_day = zip(*[app[name] for app in apps], strict=True)
    if measure.kind == "average":
        weights = zip(*[weights_of(measure, app, days) for app in apps], strict=True)
        parts = [part_of(*day) for day in zip(by_day, weights, strict=True)]
        return Numbers(tuple([average([part]) for part in parts]), parts=parts)
    # Only money may be unknown.
    is_money = measure.kind == "money"
    return Numbers(tuple([added(day, measure.zero) for day in by_day] if is_money else map(sum, by_day)))


def _change(new: Value, old: Value) -> Change:
    if new is None or old is None:
        return Change(None, None)
    # Both are counts, money of one currency, or averages.
    if isinstance(new, Decimal):
        exact = EXACT.subtract(new, Decimal(old))
        return Change(exact, float(exact) / float(old) if old else None)
    absolute = new - float(old) if isinstance(new, float) else new - int(old)
    return Change(absolute, absolute / float(old) if old else None)
