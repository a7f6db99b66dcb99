"""The arguments of a usage report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, get_args

from dify_async import _checks
from dify_async._ids import checked_apps
from dify_async.dashboard.period import checked_range, period_of

from .mark import UsageMark
from .models import UsageDimension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

    from dify_async._choices import PeriodName
    from dify_async._ids import AppOrId
    from dify_async._times import When
    from dify_async.dashboard.period import Period, Range

    Progress = Callable[[int, int], None]


class UsageQuery(NamedTuple):
    """The arguments of `AsyncDifyServer.usage`."""

    range: Range
    apps: tuple[AppOrId, ...] | None
    by: tuple[UsageDimension, ...]
    since: UsageMark | None
    progress: Progress | None

    @property
    def needs_models(self) -> bool:
        """Whether the models of workflows are wanted, which takes one request per run."""
        return "model" in self.by or "provider" in self.by

    def period(self, zone: ZoneInfo, now: datetime) -> Period:
        """The range; by default, 30 days that include today, or all since the mark."""
        given = self.range
        if self.since is not None and (given.start, given.days, given.period) == (None, None, None):
            given = given._replace(start=datetime.fromtimestamp(self.since.start, UTC))
        return period_of(given, zone, now)


def checked_query(
    *,
    start: When | None,
    end: When | None,
    days: int | None,
    period: PeriodName | None,
    apps: Iterable[AppOrId] | None,
    by: Iterable[str],
    since: UsageMark | None,
    progress: Progress | None,
) -> UsageQuery:
    """The arguments; that the range starts before it ends is checked with the account's time zone."""
    given = checked_range(start=start, end=end, days=days, period=period)
    if since is not None:
        _checks.instance("since", since, UsageMark, "a UsageMark, such as that of the last report")
    _checks.callback("progress", progress)
    names = (by,) if isinstance(by, str) else _checks.texts("by", by)
    for name in names:
        _checks.one_of("by", name, get_args(UsageDimension))
    chosen = None if apps is None else tuple(checked_apps(apps))
    return UsageQuery(given, chosen, tuple(dict.fromkeys(names)), since, progress)  # type: ignore[arg-type]  # they were checked
