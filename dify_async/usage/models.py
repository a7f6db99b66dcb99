"""The rows of a usage report, and how they are grouped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from dify_async.errors import DifyError
from dify_async.models.base import DifyModel

UsageDimension = Literal["app", "mode", "day", "user", "account", "source", "model", "provider"]
"""What usage can be grouped by."""

FIELDS_OF: Final[Mapping[UsageDimension, tuple[str, ...]]] = {
    "app": ("app_id", "app_name"),
    "mode": ("mode",),
    "day": ("day",),
    "user": ("user",),
    "account": ("account",),
    "source": ("source",),
    "model": ("model",),
    "provider": ("provider",),
}


class Group(NamedTuple):
    """The group of a row; None for what the report is not grouped by, and for what is not known."""

    app_id: str | None = None
    app_name: str | None = None
    mode: str | None = None
    day: date | None = None
    user: str | None = None
    account: str | None = None
    source: str | None = None
    model: str | None = None
    provider: str | None = None


class UsageRow(DifyModel, frozen=True, kw_only=True):
    """The usage of one group. What the usage is not grouped by is None.

    Attributes:
        app_id: The app's id.
        app_name: The app's name.
        mode: The app's mode.
        day: The day of the messages or runs, in the account's time zone.
        user: The end user's session id, as given by the calling application, or else the end user's id;
            None for console users.
        account: The name of the console user; None for end users.
        source: "api" for end users, and "console" for console users, debugging included.
        model: The model's name; None if it is not known.
        provider: The model's provider, such as "langgenius/openai/openai".
        messages: Messages. A message that used several models counts in the row of each.
        conversations: Conversations with at least one of these messages.
        input_tokens: Tokens of the prompts; None if the server reports them for none of the messages.
        output_tokens: Tokens of the answers; None if the server reports them for none of the messages.
        total_tokens: Tokens of messages and of workflow runs. Those that the server reports only as totals
            (workflow runs) are in neither `input_tokens` nor `output_tokens`.
        cost: The exact cost per currency; empty if the server reports no price.
        runs: Workflow runs, those of advanced-chat messages included.
    """

    app_id: str | None = None
    app_name: str | None = None
    mode: str | None = None
    day: date | None = None
    user: str | None = None
    account: str | None = None
    source: str | None = None
    model: str | None = None
    provider: str | None = None
    messages: int = 0
    conversations: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int = 0
    cost: Mapping[str, Decimal] = {}
    runs: int = 0


class UsageError(DifyModel, frozen=True, kw_only=True):
    """An app that could not be read, and why.

    Attributes:
        app_id: The app's id.
        app_name: The app's name; empty if it is not known.
        error: What failed.
        has_rows: Whether only the app's statistics failed: all of its usage is in the rows, but it has no
            row in `Usage.unexplained`.
    """

    app_id: str
    app_name: str
    error: DifyError
    has_rows: bool = False
