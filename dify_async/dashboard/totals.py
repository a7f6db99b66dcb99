"""How days, and apps, are put together. Pure."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from dify_async.statistics.results import Metric

from .models import EXACT, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dify_async.statistics.results import Value

    from .models import AppDashboard

RATE_PERCENT: Final = "rate_percent"
TOKENS: Final = "tokens"
_MONEY: Final = f"{Metric.TOKEN_COSTS}_"


class Measure(NamedTuple):
    """What a number counts, and how it adds up."""

    unit: str
    kind: Literal["count", "users", "money", "average"] = "count"
    # The weight of a day's average is the product of these series on that day; none: it is not known.
    weighed_by: tuple[str, ...] = ()
    # A day of weight zero may still have some of these, which its average does not show.
    hides: str | None = None

    @property
    def zero(self) -> Value:
        """The number of a day without traffic."""
        return None if self.kind == "average" else Decimal(0) if self.kind == "money" else 0


# By the SQL of the statistics: a rate is likes by messages, a latency the mean over messages, tokens a
# second a sum of tokens by the sum of those latencies (and 0 if that sum is 0), interactions of a
# workflow runs by users. The interactions of a session are by the conversations that began that day,
# which no statistic counts. A message with two likes counts as two in a rate, so that the number of
# messages is not quite its weight.
_MEASURES: Final[Mapping[str, Measure]] = {
    Metric.DAILY_MESSAGES: Measure("messages"),
    Metric.DAILY_CONVERSATIONS: Measure("conversations"),
    Metric.DAILY_END_USERS: Measure("users", "users"),
    Metric.AVERAGE_SESSION_INTERACTIONS: Measure("messages per conversation", "average"),
    Metric.TOKENS_PER_SECOND: Measure(
        "tokens per second",
        "average",
        (Metric.AVERAGE_RESPONSE_TIME, Metric.DAILY_MESSAGES),
        hides=Metric.TOKEN_COSTS,
    ),
    Metric.USER_SATISFACTION_RATE: Measure("likes per 1000 messages", "average", (Metric.DAILY_MESSAGES,)),
    RATE_PERCENT: Measure("%", "average", (Metric.DAILY_MESSAGES,)),
    Metric.AVERAGE_RESPONSE_TIME: Measure("ms", "average", (Metric.DAILY_MESSAGES,)),
    Metric.WORKFLOW_DAILY_RUNS: Measure("runs"),
    Metric.WORKFLOW_DAILY_END_USERS: Measure("users", "users"),
    Metric.WORKFLOW_AVERAGE_INTERACTIONS: Measure(
        "runs per user", "average", (Metric.WORKFLOW_DAILY_END_USERS,)
    ),
    Metric.TOKEN_COSTS: Measure("tokens"),
    Metric.WORKFLOW_TOKEN_COSTS: Measure("tokens"),
    TOKENS: Measure("tokens"),
}


def money_name(currency: str) -> str:
    """The name of a series of money."""
    return f"{_MONEY}{currency}"


def measure_of(name: str) -> Measure:
    """The measure of a series."""
    return _MEASURES.get(name) or Measure(name.removeprefix(_MONEY), "money")


def in_order(names: Iterable[str]) -> list[str]:
    """Names of series as they are shown, money last."""
    order = {name: place for place, name in enumerate(_MEASURES)}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))


def added(values: Iterable[Value], zero: Value) -> Value:
    """The sum of what is known; None where there are values and none is known."""
    values = list(values)
    known = [value for value in values if value is not None]
    if values and not known:
        return None
    if isinstance(zero, Decimal):
        return reduce(EXACT.add, map(Decimal, known), zero)
    return sum(map(int, known))


def mean(pairs: Iterable[tuple[Value, Value]]) -> float | None:
    """The mean of values by their weights; None without values, and where a weight is missing.

    One value needs no weight. A value of weight zero counts for nothing.
    """
    known = [pair for pair in pairs if pair[0] is not None]
    if len(known) == 1:
        return float(known[0][0] or 0)
    weighed = [(float(value), float(weight)) for value, weight in known if None not in (value, weight)]  # type: ignore[arg-type]  # neither is None
    total = math.fsum(weight for _, weight in weighed)
    if len(weighed) < len(known) or not total:
        return None
    return math.fsum(value * weight for value, weight in weighed) / total


def total_of(measure: Measure, values: Sequence[Value], weights: Sequence[Value]) -> Value:
    """All days of one app together."""
    if measure.kind == "average":
        return mean(zip(values, weights, strict=True))
    if measure.kind == "users" and len(values) != 1:
        return None
    return added(values, measure.zero)


def weights_of(measure: Measure, values_of: Mapping[str, Sequence[Value]], days: int) -> Sequence[Value]:
    """The weight of each day; None where it is not known."""
    unknown = (None,) * days
    columns = [values_of.get(name, unknown) for name in measure.weighed_by]
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
    """All apps together, day by day and in all."""
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
