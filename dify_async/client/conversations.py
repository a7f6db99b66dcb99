"""Conversations of apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._api.endpoints import CHAT_CONVERSATIONS, COMPLETION_CONVERSATIONS
from dify_async._api.paging import iterate_pages

from ._calls import Calls, checked_limit, checked_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dify_async._http.urls import Query
    from dify_async._times import When
    from dify_async.models import ChatConversation, CompletionConversation, Page


class ConversationCalls(Calls):
    """Calls on conversations; they need an editor."""

    async def chat_conversations(
        self,
        app_id: str,
        *,
        page: int = 1,
        limit: int = 10,
        start: When | None = None,
        end: When | None = None,
        sort_by: str | None = None,
        annotation_status: str | None = None,
        keyword: str | None = None,
    ) -> Page[ChatConversation]:
        """One page of an app's conversations. Route: GET /apps/{id}/chat-conversations.

        Args:
            app_id: An app of mode chat, agent-chat or advanced-chat.
            page: From 1 to 99,999; past the end it is empty.
            limit: From 1 to 100.
            start: Inclusive, on the account's clock. The range filters the time that is sorted by.
            end: Inclusive with its whole minute.
            sort_by: "created_at" or "updated_at", with "-" for newest first; the server's default
                is "-updated_at".
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in a message, the conversation's name or the user's; "%" and "_" match anything.

        Raises:
            DifyNotFoundError: No such app, or one of another mode.
            DifyPermissionError: The account is no editor.
        """
        query = await self._conversation_filters(start, end, sort_by, annotation_status, keyword)
        return await self._caller.call(CHAT_CONVERSATIONS, (app_id,), (*query, *checked_page(page, limit)))

    async def iter_chat_conversations(
        self,
        app_id: str,
        *,
        start: When | None = None,
        end: When | None = None,
        sort_by: str | None = None,
        annotation_status: str | None = None,
        keyword: str | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[ChatConversation]:
        """All conversations that match, each once, page by page as they are used.

        Arguments and errors as `chat_conversations`. Nothing is open between two pages.
        """
        limit = checked_limit(page_size)
        query = await self._conversation_filters(start, end, sort_by, annotation_status, keyword)
        async for conversation in iterate_pages(
            self._caller, CHAT_CONVERSATIONS, (app_id,), query, page_size=limit
        ):
            yield conversation

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
        query = await self._conversation_filters(start, end, None, annotation_status, keyword)
        return await self._caller.call(
            COMPLETION_CONVERSATIONS, (app_id,), (*query, *checked_page(page, limit))
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
        query = await self._conversation_filters(start, end, None, annotation_status, keyword)
        async for row in iterate_pages(
            self._caller, COMPLETION_CONVERSATIONS, (app_id,), query, page_size=limit
        ):
            yield row

    async def _conversation_filters(
        self,
        start: When | None,
        end: When | None,
        sort_by: str | None,
        annotation_status: str | None,
        keyword: str | None,
    ) -> Query:
        first, last = await self._range(start, end, end_is_exclusive=False)
        return (
            ("start", first),
            ("end", last),
            ("sort_by", sort_by),
            ("annotation_status", annotation_status),
            ("keyword", keyword),
        )
