"""Statistics that a test sets."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from dify_async.testing._console import own_values
from dify_async.testing._console.handlers.statistics import STATISTICS, Statistic
from dify_async.testing._console.history import Message
from dify_async.testing._console.models import FakeApp
from dify_async.testing._console.state import State
from dify_async.testing._console.traffic import Totals

StatisticValue = float | Decimal | Mapping[str, object] | None
"""A day's number, or the fields of its row; None for a day without a row."""

METRICS: Final = {
    "daily_messages": "/statistics/daily-messages",
    "daily_conversations": "/statistics/daily-conversations",
    "daily_end_users": "/statistics/daily-end-users",
    "token_costs": "/statistics/token-costs",
    "average_session_interactions": "/statistics/average-session-interactions",
    "user_satisfaction_rate": "/statistics/user-satisfaction-rate",
    "average_response_time": "/statistics/average-response-time",
    "tokens_per_second": "/statistics/tokens-per-second",
    "workflow_daily_runs": "/workflow/statistics/daily-conversations",
    "workflow_daily_end_users": "/workflow/statistics/daily-terminals",
    "workflow_token_costs": "/workflow/statistics/token-costs",
    "workflow_average_interactions": "/workflow/statistics/average-app-interactions",
}
_BY_PATH: Final = {statistic.path: statistic for statistic in STATISTICS}
_EXAMPLE: Final = Totals.from_messages([Message(0, 0, 1, 0, 1, 1, 1, 1, liked=True)])


def set_statistics(state: State, app: FakeApp, metric: str, days: Mapping[date, StatisticValue]) -> None:
    """Replace the generated rows of a statistic; further calls add days."""
    own_values.one_of("a metric", metric, METRICS)
    statistic = _BY_PATH[METRICS[metric]]
    if not _applies(statistic, app):
        others = ", ".join(name for name, path in METRICS.items() if _applies(_BY_PATH[path], app))
        raise ValueError(f"{metric} does not apply to mode {app.mode!r}, which has {others}.")
    if not isinstance(days, Mapping):
        raise ValueError(f"The numbers must be a mapping from dates to numbers, got {days!r}.")  # noqa: TRY004
    rows = {_checked(state, day): _row(state, metric, statistic, value) for day, value in days.items()}
    own = state.own_statistics.setdefault((app.id, statistic.path), {})
    for day, row in rows.items():
        if row is None:
            own.pop(day, None)
        else:
            own[day] = row
    state.statistics.clear()


def _applies(statistic: Statistic, app: FakeApp) -> bool:
    """Whether an app of this mode has this statistic."""
    if statistic.runs:
        return app.has_workflow and app.mode in (statistic.modes or (app.mode,))
    # Agents have the statistics of chats.
    mode = "chat" if app.mode == "agent" else app.mode
    return mode != "workflow" and mode in (statistic.modes or (mode,))


def _checked(state: State, day: date) -> date:
    if type(day) is not date:
        raise ValueError(f"The keys must be dates, got {day!r}.")
    if day > state.today:
        raise ValueError(f"{day} is after {state.today}, the last day of this fake.")
    return day


def _row(state: State, metric: str, statistic: Statistic, value: StatisticValue) -> dict[str, Any] | None:
    if value is None:
        return None
    example = statistic.values(_EXAMPLE)
    given = value if isinstance(value, Mapping) else {next(iter(example)): value}
    for name in given:
        own_values.one_of(f"a field of {metric}", name, example)
    row: dict[str, Any] = {}
    for name, kind in example.items():
        if isinstance(kind, int):
            row[name] = own_values.count(name, given.get(name, 0))
        elif isinstance(kind, float):
            row[name] = own_values.number(name, given.get(name, 0.0))
        elif name == "currency":
            row[name] = given.get(name, "USD")
        else:  # a price, which is unknown if it is not given
            price = given.get(name)
            row[name] = None if price is None else str(own_values.decimal(name, price))
        if name in statistic.text_numbers and state.rules.decimal_text:
            row[name] = str(row[name])
    return row
