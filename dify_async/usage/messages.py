"""The messages of one app, over all of its conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from dify_async._api import endpoints
from dify_async._concurrency import for_each_async
from dify_async.models import CompletionMessage
from dify_async.models.usage import Message, MessageMetadata

from . import routes
from .lists import AppLists
from .rows import model_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
    from zoneinfo import ZoneInfo

    from dify_async._api.caller import Caller
    from dify_async.models import App, ChatMessage
    from dify_async.models.usage import TokenUsage, UsageConversation


_OF_MESSAGE: Final = (
    "id",
    "created_at",
    "inputs",
    "query",
    "answer",
    "message_tokens",
    "answer_tokens",
    "provider_response_latency",
    "feedbacks",
    "workflow_run_id",
    "status",
    "error",
    "parent_message_id",
)
_OF_CONVERSATION: Final = (
    "from_source",
    "from_end_user_id",
    "from_end_user_session_id",
    "from_account_id",
    "from_account_name",
)


class AppMessages:
    """The messages of an app, for a `Paginator`.

    The conversation that was updated last comes first; in each, the newest message comes first.

    Args:
        select: Gets the app and the range; None if nothing is in the range.
        workers: How many conversations to read at once if all messages are awaited.
    """

    def __init__(self, select: Callable[[], Awaitable[MessageRange | None]], workers: int) -> None:
        self.route = "GET /apps/{}/chat-messages"
        self._select = select
        self._workers = workers

    async def result(self) -> list[Message]:
        """All messages; several conversations are read at once."""
        found: dict[int, list[Message]] = {}
        selected = await self._select()
        if selected is None:
            return []
        reader = _Reader(selected)

        async def read(numbered: tuple[int, UsageConversation]) -> None:
            number, conversation = numbered
            found[number] = [message async for message in reader.messages_of(conversation)]

        await for_each_async(_numbered(reader.conversations()), read, self._workers)
        return [message for number in sorted(found) for message in found[number]]

    async def rows(self) -> AsyncIterator[Message]:
        """The messages of one conversation after the other."""
        selected = await self._select()
        if selected is not None:
            reader = _Reader(selected)
            async for conversation in reader.conversations():
                async for message in reader.messages_of(conversation):
                    yield message


class MessageRange(NamedTuple):
    """An app, and a range in Unix seconds, of which `end` is exclusive."""

    caller: Caller
    app: App
    zone: ZoneInfo
    start: int | None
    end: int | None


class _Reader:
    def __init__(self, selected: MessageRange) -> None:
        self._lists = AppLists(selected.caller, selected.app.id, selected.zone)
        self._app = selected.app
        self._start = selected.start
        self._end = selected.end

    def conversations(self) -> AsyncGenerator[UsageConversation]:
        if self._app.mode == "completion":
            return self._lists.completions(routes.COMPLETIONS, self._start, self._end)
        return self._lists.conversations(routes.CONVERSATIONS, self._start)

    async def messages_of(self, conversation: UsageConversation) -> AsyncGenerator[Message]:
        if self._app.mode == "completion":
            if self._is_in_range(conversation.created_at):
                yield _completion(conversation, self._app)
        elif self._end is None or (conversation.created_at or 0) < self._end:
            batches = self._lists.messages(endpoints.CHAT_MESSAGES, conversation.id, self._start)
            async for batch in batches:
                for row in batch:
                    if self._is_in_range(row.created_at):
                        yield _message(row, conversation, self._app)

    def _is_in_range(self, at: int | None) -> bool:
        if at is None:
            return self._start is None and self._end is None
        return (self._start is None or at >= self._start) and (self._end is None or at < self._end)


async def _numbered(rows: AsyncGenerator[UsageConversation]) -> AsyncGenerator[tuple[int, UsageConversation]]:
    number = 0
    async for row in rows:
        yield number, row
        number += 1


def _message(row: ChatMessage, conversation: UsageConversation, app: App) -> Message:
    fields = {name: getattr(row, name) for name in _OF_MESSAGE}
    return Message(**fields, **_conversation_fields(conversation, app), usage=_usage_in(row.metadata))


def _completion(conversation: UsageConversation, app: App) -> Message:
    """A message without its id, tokens and usage, which only a call has that marks it as read."""
    message = conversation.message or CompletionMessage()
    return Message(
        **_conversation_fields(conversation, app),
        created_at=conversation.created_at,
        inputs=message.inputs,
        query=message.query,
        answer=message.answer,
    )


def _conversation_fields(conversation: UsageConversation, app: App) -> dict[str, Any]:
    provider, model = model_of(conversation, app)
    sender = {name: getattr(conversation, name) for name in _OF_CONVERSATION}
    return {"conversation_id": conversation.id, "model": model, "provider": provider, **sender}


def _usage_in(metadata: object) -> TokenUsage | None:
    try:
        return msgspec.convert(metadata, MessageMetadata | None, strict=False).usage
    except (msgspec.ValidationError, AttributeError):
        return None
