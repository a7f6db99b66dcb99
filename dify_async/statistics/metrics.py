"""The twelve statistics: one row per metric. Data."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from msgspec import Struct

from dify_async import _checks
from dify_async.models import (
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
    from collections.abc import Iterable

    from dify_async._choices import MetricName

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


class Measure(Struct, frozen=True):
    """What a number counts, and how it adds up.

    Attributes:
        unit: What is counted, such as "messages".
        kind: "users" add up over apps but not over days: the same users come again.
        weights: The weight of a day's average is the product of these metrics on that day. Without any,
            the weight is not known.
        hides: A day of weight zero may still have some of this metric, which its average does not show.
    """

    unit: str
    kind: Literal["count", "users", "money", "average"] = "count"
    weights: tuple[str, ...] = ()
    hides: str | None = None

    @property
    def zero(self) -> Value:
        """The number of a day without traffic."""
        return None if self.kind == "average" else Decimal(0) if self.kind == "money" else 0


# For other modes, some routes return the 404 of a deleted app, and others nothing of use. An advanced-chat
# app has both families, which are never added: its runs are its messages, counted again.
_CHAT: Final = frozenset({"chat", "agent-chat", "agent", "advanced-chat"})  # agent since 1.15
_COMPLETION: Final = frozenset({"completion"})
_WORKFLOW: Final = frozenset({"workflow"})
_RUNS: Final = _WORKFLOW | {"advanced-chat"}
_MESSAGES: Final = _CHAT | _COMPLETION
_MODES: Final = _MESSAGES | _WORKFLOW


class Metric(StrEnum):
    """The statistics; each value is the name of the method that gets it.

    Attributes:
        row_type: The type of its rows.
        route: Its path below /apps/{id}.
        modes: The modes of the apps that have it.
        measure: Its unit, and how it adds up.
        gate: The name of a metric that has a row for each day for which this metric has one, so that this
            one need not be requested if that one is empty; None if there is none.
    """

    _value_: str
    row_type: type[Row]
    route: str
    modes: frozenset[str]
    measure: Measure
    gate: str | None

    def __new__(cls, value: str, *row: Any) -> Self:
        """A metric with its row; type checkers also use this signature for `Metric("token_costs")`."""
        metric = str.__new__(cls, value)
        metric._value_ = value
        metric.row_type, metric.route, metric.modes, metric.measure, metric.gate = row
        return metric

    # Averages by Dify's SQL: a satisfaction rate is likes by messages, a response time the mean over
    # messages, tokens per second a sum of tokens by the sum of those response times (0 if that sum is 0),
    # and interactions of a workflow are runs by users. Messages per conversation are by the
    # conversations that began that day, which no statistic counts. A message with two likes counts as two
    # in a satisfaction rate, so the number of messages is not quite its weight.
    #
    # Gates by the same SQL [0.15.3 to 1.17.0]: a family selects the same messages, or the same runs, and
    # groups them by day. The number of conversations cannot be a gate: it alone leaves out debugging
    # [1.7.0 to 1.8.1]; messages per conversation have none, since they select by the day on which the
    # conversation began.
    # fmt: off
    DAILY_CONVERSATIONS = ("daily_conversations", DailyConversations,
        "statistics/daily-conversations", _MESSAGES, Measure("conversations"), "daily_messages")
    DAILY_END_USERS = ("daily_end_users", DailyEndUsers,
        "statistics/daily-end-users", _MESSAGES, Measure("users", "users"), "daily_messages")
    AVERAGE_SESSION_INTERACTIONS = ("average_session_interactions", AverageSessionInteractions,
        "statistics/average-session-interactions", _CHAT,
        Measure("messages per conversation", "average"), None)
    TOKENS_PER_SECOND = ("tokens_per_second", TokensPerSecond,
        "statistics/tokens-per-second", _MESSAGES,
        Measure("tokens per second", "average", ("average_response_time", "daily_messages"), "token_costs"),
        "daily_messages")
    USER_SATISFACTION_RATE = ("user_satisfaction_rate", UserSatisfactionRate,
        "statistics/user-satisfaction-rate", _MESSAGES,
        Measure("likes per 1000 messages", "average", ("daily_messages",)), "daily_messages")
    TOKEN_COSTS = ("token_costs", TokenCosts,
        "statistics/token-costs", _MESSAGES, Measure("tokens"), "daily_messages")
    DAILY_MESSAGES = ("daily_messages", DailyMessages,
        "statistics/daily-messages", _MESSAGES, Measure("messages"), None)
    AVERAGE_RESPONSE_TIME = ("average_response_time", AverageResponseTime,
        "statistics/average-response-time", _COMPLETION,
        Measure("ms", "average", ("daily_messages",)), "daily_messages")
    WORKFLOW_DAILY_RUNS = ("workflow_daily_runs", WorkflowDailyRuns,
        "workflow/statistics/daily-conversations", _RUNS, Measure("runs"), None)
    WORKFLOW_DAILY_END_USERS = ("workflow_daily_end_users", DailyEndUsers,
        "workflow/statistics/daily-terminals", _RUNS, Measure("users", "users"), "workflow_daily_runs")
    WORKFLOW_TOKEN_COSTS = ("workflow_token_costs", WorkflowTokenCosts,
        "workflow/statistics/token-costs", _RUNS, Measure("tokens"), "workflow_daily_runs")
    WORKFLOW_AVERAGE_INTERACTIONS = ("workflow_average_interactions", AverageSessionInteractions,
        "workflow/statistics/average-app-interactions", _WORKFLOW,
        Measure("runs per user", "average", ("workflow_daily_end_users",)), "workflow_daily_runs")
    # fmt: on


def applicable(mode: str) -> tuple[Metric, ...]:
    """The metrics of an app of this mode; of an unknown one, those of every mode with messages."""
    modes = {mode} if mode in _MODES else _MESSAGES
    return tuple(metric for metric in Metric if modes <= metric.modes)


def checked_metrics(metrics: Iterable[Metric | MetricName] | None) -> frozenset[Metric]:
    """The requested metrics; all of them if none are named."""
    if metrics is None:
        return frozenset(Metric)
    names: Iterable[object] = (metrics,) if isinstance(metrics, str) else metrics
    return frozenset(Metric(_checks.one_of("metrics", name, list(map(str, Metric)))) for name in names)


_MONEY: Final = f"{Metric.TOKEN_COSTS}_"


def money_name(currency: str) -> str:
    """The name of the costs in a currency, among the other series of an app."""
    return f"{_MONEY}{currency}"


def measure_of_money(name: str) -> Measure | None:
    """The measure of costs by their name; None for other names."""
    return Measure(name.removeprefix(_MONEY), "money") if name.startswith(_MONEY) else None
