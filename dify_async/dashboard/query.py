"""The arguments of a dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_async import _checks
from dify_async._choices import AppMode
from dify_async._ids import checked_apps
from dify_async.errors import DifyConfigError
from dify_async.statistics.metrics import checked_metrics

from .period import checked_range

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async._choices import MetricName, PeriodName
    from dify_async._ids import AppOrId
    from dify_async._times import When
    from dify_async.statistics.metrics import Metric

    from .period import Range


class DashboardQuery(NamedTuple):
    """The arguments of `AsyncDifyServer.dashboard`."""

    range: Range
    apps: tuple[AppOrId, ...] | None
    mode: AppMode | None
    name: str | None
    metrics: frozenset[Metric]
    compare: bool


def checked_query(
    *,
    start: When | None = None,
    end: When | None = None,
    days: int | None,
    period: PeriodName | None,
    apps: Iterable[AppOrId] | None,
    mode: AppMode | None,
    name: str | None,
    metrics: Iterable[Metric | MetricName] | None,
    compare: bool,
) -> DashboardQuery:
    """The arguments; that the range starts before it ends is checked with the account's time zone."""
    given = checked_range(start=start, end=end, days=days, period=period)
    _checks.optional_choice("mode", mode, AppMode)
    if apps is not None and (mode, name) != (None, None):
        raise DifyConfigError("apps must not be combined with mode and name: they filter all apps")
    chosen = None if apps is None else tuple(checked_apps(apps))
    return DashboardQuery(given, chosen, mode, name, checked_metrics(metrics), compare)
