"""The latest conversations of an app, or its runs, and the messages of a conversation.

Messages are read from `chat-messages` only: Dify's routes for one conversation mark it as read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web
from msgspec import Struct

from dify_async.client import AsyncDifyServer
from dify_async.errors import DifyConfigError

if TYPE_CHECKING:
    from dify_async.models import (
        ChatConversation,
        ChatMessage,
        CompletionConversation,
        FeedbackStats,
        WorkflowAppLog,
    )

CLIENT: Final = web.AppKey("client", AsyncDifyServer)
_PAGE_SIZE: Final = 20


class Conversation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation of an app, or a run of a workflow app.

    Attributes:
        user: The end user's session id, or the name of the console user.
        at: The time of the last change, in Unix seconds.
        messages: The number of messages; None for a run.
        answer: The answer of a completion app, whose conversations have one message.
        status: The status of a run, with its tokens, its duration in seconds, and its error.
    """

    id: str
    name: str = ""
    user: str | None = None
    at: int | None = None
    messages: int | None = None
    likes: int = 0
    dislikes: int = 0
    answer: str | None = None
    status: str | None = None
    tokens: int | None = None
    seconds: float | None = None
    error: str | None = None


class Message(Struct, frozen=True, kw_only=True):
    """A question and its answer.

    Attributes:
        seconds: The response time of the model.
        usage: Dify's record of the use, such as prices; {} if there is none.
    """

    id: str
    query: str
    answer: str
    at: int | None
    input_tokens: int | None
    output_tokens: int | None
    seconds: float | None
    likes: int
    dislikes: int
    error: str | None
    usage: object


class Listing(Struct, frozen=True):
    """Rows of a page, and whether more follow."""

    rows: list[Conversation] | list[Message]
    has_more: bool


async def _conversations(request: web.Request) -> web.Response:
    """One page of an app's conversations, or of its runs, the latest first."""
    dify, app_id = request.app[CLIENT], request.match_info["app_id"]
    mode, page = request.query.get("mode", ""), request.query.get("page", "1")
    if not page.isdecimal():
        raise DifyConfigError(f"page must be a number, got {page!r}")
    number = int(page)
    if mode == "workflow":
        runs = await dify.workflow_app_logs(app_id, page=number, limit=_PAGE_SIZE)
        return _json(Listing([_run(run) for run in runs.data], runs.has_more))
    if mode == "completion":
        texts = await dify.completion_conversations(app_id, page=number, limit=_PAGE_SIZE)
        return _json(Listing([_completion(text) for text in texts.data], texts.has_more))
    chats = await dify.chat_conversations(app_id, page=number, limit=_PAGE_SIZE)
    return _json(Listing([_chat(chat) for chat in chats.data], chats.has_more))


async def _messages(request: web.Request) -> web.Response:
    """The last messages of a conversation, or those before the message `before`, the latest first."""
    found = await request.app[CLIENT].chat_messages(
        request.match_info["app_id"],
        request.match_info["conversation_id"],
        first_id=request.query.get("before"),
        limit=_PAGE_SIZE,
    )
    return _json(Listing([_message(message) for message in found.data], found.has_more))


def _chat(chat: ChatConversation) -> Conversation:
    return Conversation(
        id=chat.id,
        name=chat.name or chat.summary or "",
        user=chat.from_end_user_session_id or chat.from_account_name,
        at=chat.updated_at or chat.created_at,
        messages=chat.message_count,
        likes=_likes(chat.user_feedback_stats, chat.admin_feedback_stats),
        dislikes=_dislikes(chat.user_feedback_stats, chat.admin_feedback_stats),
    )


def _completion(text: CompletionConversation) -> Conversation:
    message = text.message
    query = None if message is None else message.query or message.message
    return Conversation(
        id=text.id,
        name=query if isinstance(query, str) else "",
        user=text.from_end_user_session_id or text.from_account_name,
        at=text.created_at,
        messages=1,
        likes=_likes(text.user_feedback_stats, text.admin_feedback_stats),
        dislikes=_dislikes(text.user_feedback_stats, text.admin_feedback_stats),
        answer=None if message is None else message.answer,
    )


def _run(log: WorkflowAppLog) -> Conversation:
    run, by_user, by_account = log.workflow_run, log.created_by_end_user, log.created_by_account
    return Conversation(
        id=log.id,
        user=by_user.session_id if by_user else by_account.name if by_account else None,
        at=log.created_at,
        status=run.status if run else None,
        tokens=run.total_tokens if run else None,
        seconds=run.elapsed_time if run else None,
        error=run.error if run else None,
    )


def _message(message: ChatMessage) -> Message:
    ratings = [feedback.rating for feedback in message.feedbacks or ()]
    return Message(
        id=message.id,
        query=message.query or "",
        answer=message.answer or "",
        at=message.created_at,
        input_tokens=message.message_tokens,
        output_tokens=message.answer_tokens,
        seconds=message.provider_response_latency,
        likes=ratings.count("like"),
        dislikes=ratings.count("dislike"),
        error=message.error,
        usage=(message.metadata or {}).get("usage") or {},
    )


def _likes(*feedback: FeedbackStats | None) -> int:
    return sum(stats.like for stats in feedback if stats)


def _dislikes(*feedback: FeedbackStats | None) -> int:
    return sum(stats.dislike for stats in feedback if stats)


def _json(listing: Listing) -> web.Response:
    return web.Response(body=msgspec.json.encode(listing), content_type="application/json")


ROUTES: Final = (
    web.get("/api/apps/{app_id}/conversations", _conversations),
    web.get("/api/apps/{app_id}/conversations/{conversation_id}", _messages),
)
