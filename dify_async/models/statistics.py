"""One row of each statistic: a day of the account's time zone. Days without traffic have no row."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - the field is called date
from decimal import Decimal

from msgspec import Struct

# gc=False: a row holds dates and numbers alone, so no cycle can go through it, and the collector would
# look at half a million of them for a dashboard of a thousand apps (a tenth of its time).


class DailyConversations(Struct, frozen=True, gc=False):
    """Conversations with at least one message that day."""

    date: Date
    conversation_count: int


class DailyEndUsers(Struct, frozen=True, gc=False):
    """End users who were active that day; people in the console count for none."""

    date: Date
    terminal_count: int


class AverageSessionInteractions(Struct, frozen=True, gc=False):
    """Messages a conversation, for the conversations that began that day; two decimals."""

    date: Date
    interactions: float


class TokensPerSecond(Struct, frozen=True, gc=False):
    """Answer tokens per second of the model's time; 0 where that time is 0."""

    date: Date
    tps: float


class UserSatisfactionRate(Struct, frozen=True, gc=False):
    """Likes per thousand messages: 0 to 1000; a message with two likes counts as two messages."""

    date: Date
    rate: float


class TokenCosts(Struct, frozen=True, gc=False):
    """Tokens of the day and what they cost.

    Attributes:
        total_price: In `currency`; None where no message of the day has a price.
        currency: As "USD".
    """

    date: Date
    token_count: int
    total_price: Decimal | None = None
    currency: str | None = None


class DailyMessages(Struct, frozen=True, gc=False):
    """Messages of the day."""

    date: Date
    message_count: int


class AverageResponseTime(Struct, frozen=True, gc=False):
    """Mean time to answer, in milliseconds."""

    date: Date
    latency: float


class WorkflowDailyRuns(Struct, frozen=True, gc=False):
    """Workflow runs of the day."""

    date: Date
    runs: int


class WorkflowTokenCosts(Struct, frozen=True, gc=False):
    """Tokens of the day's workflow runs; the server gives no price for them."""

    date: Date
    token_count: int
