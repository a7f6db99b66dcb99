"""Statistics of an app: which there are, which apply to a mode, and all of one app together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from dify_async._times import When, begins_day, wall_clock
from dify_async.errors import DifyConfigError, DifyError
from dify_async.models import (
    App,
    AverageResponseTime,
    AverageSessionInteractions,
    DailyConversations,
    DailyEndUsers,
    DailyMessages,
    TokenCosts,
    TokensPerSecond,
    UserSatisfactionRate,
    WorkflowDailyRuns,
    WorkflowTokenCosts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


class Metric(StrEnum):
    """The statistics; each value is the name of the method that gets it."""

    DAILY_CONVERSATIONS = "daily_conversations"
    DAILY_END_USERS = "daily_end_users"
    AVERAGE_SESSION_INTERACTIONS = "average_session_interactions"
    TOKENS_PER_SECOND = "tokens_per_second"
    USER_SATISFACTION_RATE = "user_satisfaction_rate"
    TOKEN_COSTS = "token_costs"  # noqa: S105 - no secret
    DAILY_MESSAGES = "daily_messages"
    AVERAGE_RESPONSE_TIME = "average_response_time"
    WORKFLOW_DAILY_RUNS = "workflow_daily_runs"
    WORKFLOW_DAILY_END_USERS = "workflow_daily_end_users"
    WORKFLOW_TOKEN_COSTS = "workflow_token_costs"  # noqa: S105 - no secret
    WORKFLOW_AVERAGE_INTERACTIONS = "workflow_average_interactions"


Row = (
    DailyConversations
    | DailyEndUsers
    | AverageSessionInteractions
    | TokensPerSecond
    | UserSatisfactionRate
    | TokenCosts
    | DailyMessages
    | AverageResponseTime
    | WorkflowDailyRuns
    | WorkflowTokenCosts
)

Value = int | float | Decimal | None
"""A number of a statistic: a count, an average, or money."""

_OF_ANY_MODE: Final = (
    Metric.DAILY_CONVERSATIONS,
    Metric.DAILY_END_USERS,
    Metric.TOKENS_PER_SECOND,
    Metric.USER_SATISFACTION_RATE,
    Metric.TOKEN_COSTS,
    Metric.DAILY_MESSAGES,
)
_OF_CHATS: Final = (*_OF_ANY_MODE, Metric.AVERAGE_SESSION_INTERACTIONS)
_OF_RUNS: Final = (Metric.WORKFLOW_DAILY_RUNS, Metric.WORKFLOW_DAILY_END_USERS, Metric.WORKFLOW_TOKEN_COSTS)

# For another mode some routes answer the 404 of a deleted app, and others nothing of use. What
# advanced-chat counts as runs stands in its messages too: the two families are never added.
_BY_MODE: Final[Mapping[str, tuple[Metric, ...]]] = {
    "chat": _OF_CHATS,
    "agent-chat": _OF_CHATS,
    "agent": _OF_CHATS,  # since 1.15
    "completion": (*_OF_ANY_MODE, Metric.AVERAGE_RESPONSE_TIME),
    "advanced-chat": (*_OF_CHATS, *_OF_RUNS),
    "workflow": (*_OF_RUNS, Metric.WORKFLOW_AVERAGE_INTERACTIONS),
}

# What is averaged, and so not added up.
AVERAGES: Final = frozenset(
    {
        Metric.AVERAGE_SESSION_INTERACTIONS,
        Metric.TOKENS_PER_SECOND,
        Metric.USER_SATISFACTION_RATE,
        Metric.AVERAGE_RESPONSE_TIME,
        Metric.WORKFLOW_AVERAGE_INTERACTIONS,
    }
)

_ROW_OF: Final[Mapping[Metric, Callable[..., Row]]] = {
    Metric.DAILY_CONVERSATIONS: DailyConversations,
    Metric.DAILY_END_USERS: DailyEndUsers,
    Metric.AVERAGE_SESSION_INTERACTIONS: AverageSessionInteractions,
    Metric.TOKENS_PER_SECOND: TokensPerSecond,
    Metric.USER_SATISFACTION_RATE: UserSatisfactionRate,
    Metric.TOKEN_COSTS: TokenCosts,
    Metric.DAILY_MESSAGES: DailyMessages,
    Metric.AVERAGE_RESPONSE_TIME: AverageResponseTime,
    Metric.WORKFLOW_DAILY_RUNS: WorkflowDailyRuns,
    Metric.WORKFLOW_DAILY_END_USERS: DailyEndUsers,
    Metric.WORKFLOW_TOKEN_COSTS: WorkflowTokenCosts,
    Metric.WORKFLOW_AVERAGE_INTERACTIONS: AverageSessionInteractions,
}

_ONE_DAY: Final = timedelta(days=1)


def applicable(mode: str) -> tuple[Metric, ...]:
    """The statistics that an app of this mode has."""
    return _BY_MODE.get(mode, _OF_ANY_MODE)


def checked_apps(apps: Iterable[App | str]) -> list[App | str]:
    """The apps asked for."""
    if isinstance(apps, str | App) or not isinstance(apps, Iterable):
        given = "one app" if isinstance(apps, str | App) else f"of type {type(apps).__name__}"
        raise DifyConfigError(f"apps is {given}; pass a list")
    found = list(apps)
    if not all(isinstance(app, str | App) for app in found):
        raise DifyConfigError("apps holds what is neither an App nor an id")
    return found


def checked_metrics(metrics: Iterable[Metric | str] | None) -> frozenset[Metric]:
    """The metrics asked for; all of them where none is named."""
    if metrics is None:
        return frozenset(Metric)
    if isinstance(metrics, str):
        metrics = (metrics,)
    try:
        return frozenset(map(Metric, metrics))
    except ValueError as error:
        raise DifyConfigError(f"{error}; it is one of {', '.join(Metric)}") from None


class AppStatistics(Struct, kw_only=True):
    """The statistics of one app, each a list of rows in the order of their days.

    A statistic is None where it was not asked for, does not apply to the app's mode, or failed; then
    `errors` says why.

    Attributes:
        app_id: The app.
        app_name: Its name; "" where the app itself could not be got.
        mode: Its mode; "" likewise.
        errors: What failed, by metric.
    """

    app_id: str
    app_name: str = ""
    mode: str = ""
    daily_conversations: list[DailyConversations] | None = None
    daily_end_users: list[DailyEndUsers] | None = None
    average_session_interactions: list[AverageSessionInteractions] | None = None
    tokens_per_second: list[TokensPerSecond] | None = None
    user_satisfaction_rate: list[UserSatisfactionRate] | None = None
    token_costs: list[TokenCosts] | None = None
    daily_messages: list[DailyMessages] | None = None
    average_response_time: list[AverageResponseTime] | None = None
    workflow_daily_runs: list[WorkflowDailyRuns] | None = None
    workflow_daily_end_users: list[DailyEndUsers] | None = None
    workflow_token_costs: list[WorkflowTokenCosts] | None = None
    workflow_average_interactions: list[AverageSessionInteractions] | None = None
    errors: dict[Metric, DifyError] = {}

    def rows(self, metric: Metric) -> Sequence[Row] | None:
        """The rows of one statistic."""
        rows: Sequence[Row] | None = getattr(self, metric)
        return rows

    def filled(self, start: When, end: When) -> AppStatistics:
        """The same with every day of the range: those without traffic as zeros.

        An average of a day without traffic reads 0 here, though there is nothing to be averaged.

        Args:
            start: The first day.
            end: Exclusive, as in the calls; a moment within a day includes that day.

        Raises:
            DifyConfigError: A bound is no moment of the account's wall clock.
        """
        days = list(days_of(start, end))
        currency = next((row.currency for row in self.token_costs or ()), None)
        filled: dict[str, list[Row]] = {}
        for metric in Metric:
            rows = self.rows(metric)
            if rows is not None:
                known = {row.date: row for row in rows}
                filled[metric] = [known.get(day) or _zero(metric, day, currency) for day in days]
        return structs.replace(self, **filled)

    def to_rows(self) -> list[dict[str, object]]:
        """One dict a number: app_id, app_name, mode, metric, date, value.

        Money is a metric of its own, "token_costs_<currency>", beside the tokens of "token_costs".
        """
        app = {"app_id": self.app_id, "app_name": self.app_name, "mode": self.mode}
        return [
            {**app, "metric": name, "date": row.date, "value": value}
            for metric in Metric
            for row in self.rows(metric) or ()
            for name, value in values_of(metric, row)
        ]

    def to_columns(self) -> dict[str, list[object]]:
        """The same as `to_rows`, as one list a column, for a data frame."""
        rows = self.to_rows()
        return {
            column: [row[column] for row in rows]
            for column in ("app_id", "app_name", "mode", "metric", "date", "value")
        }


def days_of(start: When, end: When) -> Iterator[date]:
    """Every day of a range, of which the end is exclusive."""
    first, last = wall_clock(start), wall_clock(end)
    day = first.date()
    while day < last.date() or (day == last.date() and not begins_day(last)):
        yield day
        day += _ONE_DAY


def _zero(metric: Metric, day: date, currency: str | None) -> Row:
    if metric is Metric.TOKEN_COSTS:
        return TokenCosts(day, 0, Decimal(0), currency)
    return _ROW_OF[metric](day, 0.0 if metric in AVERAGES else 0)


def values_of(metric: Metric, row: Row) -> Iterator[tuple[str, Value]]:
    """The numbers of a row by name."""
    # The date is the first field of every row, its number the second.
    yield str(metric), getattr(row, row.__struct_fields__[1])
    if isinstance(row, TokenCosts):
        yield from money_of(row)


def money_of(row: TokenCosts) -> Sequence[tuple[str, Decimal | None]]:
    """The price by the name of its series; without a currency in "XXX", which is ISO 4217's none."""
    if row.currency is None and row.total_price is None:
        return ()
    return ((f"{Metric.TOKEN_COSTS}_{row.currency or 'XXX'}", row.total_price),)
