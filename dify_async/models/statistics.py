"""The rows of the statistics: one row per day with traffic, in the account's time zone."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - the field is called date
from decimal import Decimal

from .base import DifyModel

# gc=False: rows contain only dates and numbers, so they cannot be part of a reference cycle. In a dashboard
# of a thousand apps, the garbage collector would spend a tenth of the total time on half a million rows.


class DailyConversations(DifyModel, frozen=True, gc=False):
    """Conversations with at least one message on the day."""

    date: Date
    conversation_count: int


class DailyEndUsers(DifyModel, frozen=True, gc=False):
    """End users who were active on the day; console users are not counted."""

    date: Date
    terminal_count: int


class AverageSessionInteractions(DifyModel, frozen=True, gc=False):
    """Messages per conversation that started on the day, rounded to two decimals."""

    date: Date
    interactions: float


class TokensPerSecond(DifyModel, frozen=True, gc=False):
    """Answer tokens per second of the model's response time; 0 if the response time is 0."""

    date: Date
    tps: float


class UserSatisfactionRate(DifyModel, frozen=True, gc=False):
    """Likes per thousand messages, from 0 to 1000; a message with two likes counts as two messages."""

    date: Date
    rate: float


class TokenCosts(DifyModel, frozen=True, gc=False):
    """Tokens used on the day, and their price.

    Attributes:
        total_price: The price in `currency`; None if no message on the day has a price.
        currency: The currency's code, such as "USD".
    """

    date: Date
    token_count: int
    total_price: Decimal | None = None
    currency: str | None = None


class DailyMessages(DifyModel, frozen=True, gc=False):
    """Messages on the day."""

    date: Date
    message_count: int


class AverageResponseTime(DifyModel, frozen=True, gc=False):
    """Average response time on the day, in milliseconds."""

    date: Date
    latency: float


class WorkflowDailyRuns(DifyModel, frozen=True, gc=False):
    """Workflow runs on the day."""

    date: Date
    runs: int


class WorkflowTokenCosts(DifyModel, frozen=True, gc=False):
    """Tokens used by the day's workflow runs. The server does not report their price."""

    date: Date
    token_count: int
