"""What is asked of a dashboard."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from dify_async.errors import DifyConfigError
from dify_async.statistics.results import checked_apps, checked_metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async._times import When
    from dify_async.models import App
    from dify_async.statistics.results import Metric


class DashboardQuery(NamedTuple):
    """The arguments of `AsyncDifyServer.dashboard`."""

    start: When | None
    end: When | None
    days: int
    apps: tuple[App | str, ...] | None
    mode: str | None
    name: str | None
    metrics: frozenset[Metric]
    compare: bool


def checked_query(
    *,
    start: When | None = None,
    end: When | None = None,
    days: int,
    apps: Iterable[App | str] | None,
    mode: str | None,
    name: str | None,
    metrics: Iterable[Metric | str] | None,
    compare: bool,
) -> DashboardQuery:
    """The arguments, as far as they can be checked without the account's time zone."""
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= date.max.toordinal():
        raise DifyConfigError(f"days is {days!r}; it is a whole number of days from 1")
    if apps is not None and (mode, name) != (None, None):
        raise DifyConfigError("apps are given; mode and name choose among all apps of the workspace")
    chosen = None if apps is None else tuple(checked_apps(apps))
    return DashboardQuery(start, end, days, chosen, mode, name, checked_metrics(metrics), compare)
