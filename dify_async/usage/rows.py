"""What the server's rows say about usage: persons, models and tokens. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_async._http.wire import UNREADABLE, decoder_of
from dify_async.models.usage import ModelCall, PricedMetadata

from .tally import Model, ModelTokens, Person, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    import msgspec

    from dify_async.models import App
    from dify_async.models.usage import (
        Price,
        TokenUsage,
        UsageConversation,
        UsageLog,
        UsageMessage,
        UsageNode,
        UsageRun,
    )

# The currency of all prices in Dify's own statistics, and its default for a message.
_CURRENCY: Final = "USD"
_UNFINISHED_RUNS: Final = ("running", "scheduled", "paused")
# These take the raw part of an answer too.
_decode_metadata: Final[Callable[[msgspec.Raw], PricedMetadata]] = decoder_of(PricedMetadata)
_decode_call: Final[Callable[[msgspec.Raw], ModelCall]] = decoder_of(ModelCall)


def tokens_of(message: UsageMessage) -> Tokens:
    """The tokens of a message, which the server has apart from their price."""
    asked, answered = message.message_tokens, message.answer_tokens
    return Tokens(asked, answered, (asked or 0) + (answered or 0), *_price_in(message.metadata))


def is_pending(message: UsageMessage) -> bool:
    """Whether the answer may still be generated; its tokens are stored at the end."""
    if message.message_tokens or message.answer_tokens or message.error:
        return False
    return message.status == "paused" or not message.answer


def is_pending_run(run: UsageRun) -> bool:
    """Whether the run has not ended; its tokens are stored at the end."""
    return run.status in _UNFINISHED_RUNS


def person_of(conversation: UsageConversation) -> Person:
    """Who had a conversation."""
    return Person(
        user=conversation.from_end_user_session_id or conversation.from_end_user_id,
        account=conversation.from_account_name or conversation.from_account_id,
        source=conversation.from_source,
    )


def person_of_run(log: UsageLog) -> Person:
    """Who started a run."""
    user, account = log.created_by_end_user, log.created_by_account
    return Person(
        user=None if user is None else user.session_id or user.id,
        account=None if account is None else account.name or account.id,
        source="console" if log.created_by_role == "account" else "api",
    )


def model_of(conversation: UsageConversation, app: App) -> Model:
    """A conversation's model; up to Dify 1.14, that of the app."""
    for config in (conversation.model_config, app.model_config):
        if config is not None and config.model is not None and config.model.name:
            return Model(config.model.provider, config.model.name)
    return Model()


def models_in(nodes: Iterable[UsageNode]) -> list[ModelTokens]:
    """The calls of models in a workflow run."""
    return [found for node in nodes if (found := _model_tokens(node)) is not None]


def _model_tokens(node: UsageNode) -> ModelTokens | None:
    try:
        call: ModelCall = _decode_call(node.process_data)
    except UNREADABLE:
        return None
    usage = call.usage
    if usage is None or not (call.model_provider or call.model_name):
        return None
    asked, answered = usage.prompt_tokens, usage.completion_tokens
    total = (asked or 0) + (answered or 0) if usage.total_tokens is None else usage.total_tokens
    return ModelTokens(call.model_provider, call.model_name, Tokens(asked, answered, total, *_price(usage)))


def _price_in(metadata: msgspec.Raw) -> tuple[Decimal | None, str]:
    """The price in a message's metadata, which is whatever the server stored."""
    try:
        found: PricedMetadata = _decode_metadata(metadata)
    except UNREADABLE:
        return _price(None)
    return _price(found.usage)


def _price(usage: Price | TokenUsage | None) -> tuple[Decimal | None, str]:
    if usage is None or usage.total_price is None or not usage.total_price.is_finite():
        return None, _CURRENCY
    return usage.total_price, usage.currency or _CURRENCY
