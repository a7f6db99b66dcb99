"""Messages of apps, and the parts of the server's rows that their usage is computed from."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Raw, Struct

from .base import DifyModel
from .messages import CompletionMessage, Feedback
from .people import EndUser, WorkspaceUser


class TokenUsage(DifyModel, frozen=True, kw_only=True):
    """The tokens of a message and their price.

    Attributes:
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens of the answer.
        total_price: The price in `currency`; None if the server has none.
        currency: The currency's code, such as "USD".
        latency: The model's response time in seconds.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    total_price: Decimal | None = None
    currency: str | None = None
    latency: float | None = None


class Message(DifyModel, frozen=True, kw_only=True):
    """A message of an app, with its conversation's user and model. Times are Unix seconds.

    For completion apps, `id`, the tokens and `usage` are None: the server has them only in a call that marks
    the conversation as read.

    Attributes:
        usage: The tokens and their price; None if the server has none.
        provider_response_latency: The model's response time in seconds.
        model: The model's name; None for advanced-chat apps. Up to Dify 1.14, the app's present one.
        provider: The model's provider, such as "langgenius/openai/openai".
        from_source: "api" for end users, "console" for console users.
        from_end_user_session_id: The end user's name, as given by the calling application.
        parent_message_id: The message that this one follows in its conversation.
    """

    id: str | None = None
    conversation_id: str
    created_at: int | None = None
    inputs: dict[str, object] | None = None
    query: str | None = None
    answer: str | None = None
    message_tokens: int | None = None
    answer_tokens: int | None = None
    usage: TokenUsage | None = None
    provider_response_latency: float | None = None
    model: str | None = None
    provider: str | None = None
    from_source: str | None = None
    from_end_user_id: str | None = None
    from_end_user_session_id: str | None = None
    from_account_id: str | None = None
    from_account_name: str | None = None
    feedbacks: list[Feedback] | None = None
    workflow_run_id: str | None = None
    status: str | None = None
    error: str | None = None
    parent_message_id: str | None = None


class MessageMetadata(Struct, frozen=True):
    """The usage in the metadata that Dify stores with a message."""

    usage: TokenUsage | None = None


class Price(Struct, frozen=True, gc=False):
    """The price of a message."""

    total_price: Decimal | None = None
    currency: str | None = None


class PricedMetadata(Struct, frozen=True, gc=False):
    """The price in the metadata of a message."""

    usage: Price | None = None


class ModelName(Struct, frozen=True):
    """A model and its provider."""

    provider: str | None = None
    name: str | None = None


class ConversationModel(Struct, frozen=True):
    """The model in the configuration of a conversation."""

    model: ModelName | None = None


class UsageConversation(Struct, frozen=True, kw_only=True, gc=False):
    """A conversation of any mode: who had it, when, and with which model."""

    id: str
    from_source: str | None = None
    from_end_user_id: str | None = None
    from_end_user_session_id: str | None = None
    from_account_id: str | None = None
    from_account_name: str | None = None
    created_at: int | None = None
    updated_at: int | None = None
    # All null up to Dify 1.14, and for advanced-chat [1.11.2/06_chat_conversations_limit_5].
    model_config: ConversationModel | None = None
    message: CompletionMessage | None = None  # of a completion app


class UsageMessage(Struct, frozen=True, kw_only=True, gc=False):
    """The tokens of a message. `metadata` is whatever the server stored, so it is decoded separately."""

    id: str
    created_at: int | None = None
    message_tokens: int | None = None
    answer: str | None = None
    answer_tokens: int | None = None
    workflow_run_id: str | None = None
    metadata: Raw = Raw(b"null")
    status: str | None = None
    error: str | None = None


class UsageRun(Struct, frozen=True, kw_only=True):
    """A run of a workflow."""

    id: str
    status: str | None = None
    total_tokens: int | None = None
    created_at: int | None = None


class UsageLog(Struct, frozen=True, kw_only=True):
    """A row of a workflow app's log."""

    id: str
    workflow_run: UsageRun | None = None
    created_by_role: str | None = None
    created_by_account: WorkspaceUser | None = None
    created_by_end_user: EndUser | None = None
    created_at: int | None = None


class UsageNode(Struct, frozen=True, kw_only=True):
    """The execution of a node; `process_data` is whatever the node stored."""

    id: str
    process_data: Raw = Raw(b"null")


class ModelCall(Struct, frozen=True, kw_only=True):
    """What a node that calls a model stores [1.16.1/06_usage_node_executions_llm_and_classifier]."""

    model_provider: str | None = None
    model_name: str | None = None
    usage: TokenUsage | None = None
