"""The measure of each series, and the order of display. Data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import structs

from dify_async.statistics.metrics import Measure, Metric, measure_of_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RATE_PERCENT: Final = "rate_percent"
TOKENS: Final = "tokens"


def _measures() -> Iterator[tuple[str, Measure]]:
    """The measure of each series in the order of display: messages first, tokens last, then money."""
    for metric in sorted(Metric, key=lambda one: (one.measure.unit == "tokens", one != "daily_messages")):
        yield metric, metric.measure
        if metric is Metric.USER_SATISFACTION_RATE:
            yield RATE_PERCENT, structs.replace(metric.measure, unit="%")
    yield TOKENS, Metric.TOKEN_COSTS.measure


_MEASURES: Final[Mapping[str, Measure]] = dict(_measures())
_ORDER: Final[Mapping[str, int]] = {name: place for place, name in enumerate(_MEASURES)}


def measure_of(name: str) -> Measure:
    """The measure of a series."""
    return measure_of_money(name) or _MEASURES[name]


def in_order(names: Iterable[str]) -> list[str]:
    """The names of series in the order of display."""
    return sorted(names, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
