"""What was said: completion conversations, messages, annotations, feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dify_async import _endpoints as endpoints
from dify_async.errors import DifyConfigError

from ._calls import Calls, checked_limit, checked_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dify_async._paths import Query
    from dify_async._times import When
    from dify_async.models import Annotation, ChatMessage, CompletionConversation, Cursor, Page


class MessageCalls(Calls):
    """Calls on what was said; they need an editor.

    Raises:
        DifyNotFoundError: No such app, or one of another mode.
        DifyPermissionError: The account is no editor.
    """

    async def completion_conversations(
        self,
        app_id: str,
        *,
        page: int = 1,
        limit: int = 10,
        start: When | None = None,
        end: When | None = None,
        annotation_status: str | None = None,
        keyword: str | None = None,
    ) -> Page[CompletionConversation]:
        """One page of the conversations of an app of mode completion, the newest first.

        Route: GET /apps/{id}/completion-conversations.

        Args:
            app_id: The app.
            page: From 1.
            limit: From 1 to 100.
            start: The first minute of those made from then on, as in `chat_conversations`.
            end: The last minute, included.
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in the question, the answer, or the user's name.
        """
        query = await self._completion_filters(start, end, annotation_status, keyword)
        return await self._pipeline.call(
            endpoints.COMPLETION_CONVERSATIONS, (app_id,), (*query, *checked_page(page, limit))
        )

    async def iter_completion_conversations(
        self,
        app_id: str,
        *,
        start: When | None = None,
        end: When | None = None,
        annotation_status: str | None = None,
        keyword: str | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[CompletionConversation]:
        """All of `completion_conversations`, each once, page by page as they are used."""
        limit = checked_limit(page_size)
        query = await self._completion_filters(start, end, annotation_status, keyword)
        async for row in self._pipeline.rows(endpoints.COMPLETION_CONVERSATIONS, (app_id,), query, limit):
            yield row

    async def chat_messages(
        self, app_id: str, conversation_id: str, *, first_id: str | None = None, limit: int = 20
    ) -> Cursor[ChatMessage]:
        """Messages of a conversation, in the order in which they were said; without `first_id` the last.

        Unlike GET …/chat-conversations/{id}, which this client does not call, it does not mark the
        conversation as read. Route: GET /apps/{id}/chat-messages.

        Args:
            app_id: The app.
            conversation_id: The conversation.
            first_id: The message before which to go on: the first of the later part.
            limit: From 1 to 100.

        Raises:
            DifyNotFoundError: No such app, conversation or message.
        """
        query = (
            ("conversation_id", conversation_id),
            ("first_id", first_id),
            ("limit", checked_limit(limit)),
        )
        return await self._pipeline.call(endpoints.CHAT_MESSAGES, (app_id,), query)

    def iter_chat_messages(
        self, app_id: str, conversation_id: str, *, page_size: int = 100
    ) -> AsyncIterator[ChatMessage]:
        """All messages of a conversation, each once, the last said first."""
        query = (("conversation_id", conversation_id),)
        return self._pipeline.cursor_rows(
            endpoints.CHAT_MESSAGES, (app_id,), query, "first_id", checked_limit(page_size), is_backward=True
        )

    async def annotations(
        self, app_id: str, *, page: int = 1, limit: int = 20, keyword: str | None = None
    ) -> Page[Annotation]:
        """One page of the questions to which people wrote the answers. Route: GET /apps/{id}/annotations."""
        query = (("keyword", keyword), *checked_page(page, limit))
        return await self._pipeline.call(endpoints.ANNOTATIONS, (app_id,), query)

    async def export_feedbacks(
        self,
        app_id: str,
        *,
        format: Literal["csv", "json"] = "json",  # noqa: A002 - the server's name
        rating: str | None = None,
        from_source: str | None = None,
        has_comment: bool | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
    ) -> bytes:
        """All feedback as a file of JSON or CSV. Route: GET /apps/{id}/feedbacks/export, from Dify 1.10.1.

        Args:
            app_id: The app.
            format: "json" or "csv".
            rating: "like" or "dislike".
            from_source: "user" or "admin".
            has_comment: Only with, or only without a comment.
            start_date: As "2026-11-01".
            end_date: As "2026-11-30", included.
        """
        if format not in {"csv", "json"}:
            raise DifyConfigError(f'format is {format!r}; it is "csv" or "json"')
        query = (
            ("format", format),
            ("rating", rating),
            ("from_source", from_source),
            ("has_comment", has_comment),
            ("start_date", start_date),
            ("end_date", end_date),
        )
        return await self._pipeline.call(endpoints.FEEDBACKS, (app_id,), query)

    async def _completion_filters(
        self, start: When | None, end: When | None, annotation_status: str | None, keyword: str | None
    ) -> Query:
        first, last = await self._range(start, end, end_is_exclusive=False)
        return (
            ("start", first),
            ("end", last),
            ("annotation_status", annotation_status),
            ("keyword", keyword),
        )
