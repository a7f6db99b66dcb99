"""The rows of statistics, one per day with traffic in the account's time zone."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - the field is called date
from decimal import Decimal

from msgspec import Struct

# gc=False: rows contain only dates and numbers and so cannot be part of a reference cycle. For a dashboard
# of a thousand apps, the garbage collector would traverse half a million of them (a tenth of the time).


class DailyConversations(Struct, frozen=True, gc=False):
    """Conversations with at least one message on the day."""

    date: Date
    conversation_count: int


class DailyEndUsers(Struct, frozen=True, gc=False):
    """Active end users; console users are not counted."""

    date: Date
    terminal_count: int


class AverageSessionInteractions(Struct, frozen=True, gc=False):
    """Messages per conversation that started on the day, with two decimals."""

    date: Date
    interactions: float


class TokensPerSecond(Struct, frozen=True, gc=False):
    """Answer tokens per second of the model's response time; 0 if that time is 0."""

    date: Date
    tps: float


class UserSatisfactionRate(Struct, frozen=True, gc=False):
    """Likes per thousand messages, from 0 to 1000; a message with two likes counts as two messages."""

    date: Date
    rate: float


class TokenCosts(Struct, frozen=True, gc=False):
    """Tokens and their price.

    Attributes:
        total_price: In `currency`; None if no message of the day has a price.
        currency: For example "USD".
    """

    date: Date
    token_count: int
    total_price: Decimal | None = None
    currency: str | None = None


class DailyMessages(Struct, frozen=True, gc=False):
    """Messages on the day."""

    date: Date
    message_count: int


class AverageResponseTime(Struct, frozen=True, gc=False):
    """Average response time in milliseconds."""

    date: Date
    latency: float


class WorkflowDailyRuns(Struct, frozen=True, gc=False):
    """Workflow runs on the day."""

    date: Date
    runs: int


class WorkflowTokenCosts(Struct, frozen=True, gc=False):
    """Tokens of the day's workflow runs, for which the server has no price."""

    date: Date
    token_count: int
