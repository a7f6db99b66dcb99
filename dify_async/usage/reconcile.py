"""Compares the usage of an app with the server's own statistics. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_async.dashboard.totals import EXACT
from dify_async.models import DailyMessages, TokenCosts, WorkflowDailyRuns, WorkflowTokenCosts
from dify_async.statistics.metrics import Metric, applicable

from .models import Group
from .tally import Sums, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from dify_async.models import App
    from dify_async.statistics.metrics import Row

    from .models import UsageRow

# The tokens of advanced-chat apps are those of their messages: those of the runs are the same ones.
_OF_MESSAGES: Final = (Metric.DAILY_MESSAGES, Metric.TOKEN_COSTS, Metric.WORKFLOW_DAILY_RUNS)
_OF_RUNS: Final = (Metric.WORKFLOW_DAILY_RUNS, Metric.WORKFLOW_TOKEN_COSTS)


def metrics_of(mode: str) -> list[Metric]:
    """The statistics that the usage of an app adds up to."""
    wanted = _OF_RUNS if mode == "workflow" else _OF_MESSAGES
    return [metric for metric in applicable(mode) if metric in wanted]


def unexplained(app: App, days: Mapping[date, Sums], statistics: Iterable[Row]) -> list[UsageRow]:
    """The statistics minus the usage, per day; days on which they agree are left out."""
    rest = {day: _negative(sums) for day, sums in days.items()}
    for row in statistics:
        sums = rest.setdefault(row.date, Sums())
        if isinstance(row, DailyMessages):
            sums.count(row.message_count, 0)
        elif isinstance(row, WorkflowDailyRuns):
            sums.count(0, row.runs)
        elif isinstance(row, TokenCosts):
            sums.use(Tokens(total=row.token_count, price=row.total_price, currency=row.currency or "USD"))
        elif isinstance(row, WorkflowTokenCosts):
            sums.use(Tokens(total=row.token_count))
    group = Group(app_id=app.id, app_name=app.name, mode=app.mode)
    return [_row(rest[day], group._replace(day=day)) for day in sorted(rest) if _is_left(rest[day])]


def _negative(sums: Sums) -> Sums:
    rest = Sums()
    rest.count(-sums.messages, -sums.runs)
    rest.total_tokens = -sums.total_tokens
    rest.cost = {currency: EXACT.minus(price) for currency, price in sums.cost.items()}
    return rest


def _is_left(sums: Sums) -> bool:
    return bool(sums.messages or sums.runs or sums.total_tokens or any(sums.cost.values()))


def _row(sums: Sums, group: Group) -> UsageRow:
    sums.cost = {currency: price for currency, price in sums.cost.items() if price}
    return sums.row(group)
