"""The conversations of apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async import _checks
from dify_async._api.endpoints import CHAT_CONVERSATIONS, COMPLETION_CONVERSATIONS
from dify_async._api.paging import iterate_pages
from dify_async._choices import AnnotationStatus, ConversationSort
from dify_async._ids import id_of

from ._calls import Calls, page_query, row_limit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dify_async._http.urls import Query
    from dify_async._ids import AppOrId
    from dify_async._times import When
    from dify_async.models import ChatConversation, CompletionConversation, Page


class ConversationCalls(Calls):
    """Methods that list the conversations of apps."""

    async def chat_conversations(
        self,
        app_id: AppOrId,
        *,
        page: int = 1,
        limit: int = 10,
        start: When | None = None,
        end: When | None = None,
        sort_by: ConversationSort | None = None,
        annotation_status: AnnotationStatus | None = None,
        keyword: str | None = None,
    ) -> Page[ChatConversation]:
        """One page of an app's conversations, by default with the most recently updated first.

        Requires the editor role. Route: GET /apps/{id}/chat-conversations.

        Args:
            app_id: An app of mode chat, agent-chat or advanced-chat.
            page: From 1 to 99,999; a page after the last one is empty.
            limit: From 1 to 100.
            start: The first minute, in the account's time zone if naive. `start` and `end` apply to the
                time that the conversations are sorted by.
            end: The last minute, inclusive.
            sort_by: "created_at" or "updated_at"; add the prefix "-" for newest first.
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in a message, in the conversation's name or in the end user's name; "%" and "_"
                are wildcards.

        Raises:
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        _checks.optional_choice("sort_by", sort_by, ConversationSort)
        _checks.optional_choice("annotation_status", annotation_status, AnnotationStatus)
        app_id = id_of(app_id)
        query = await self._conversation_filters(start, end, sort_by, annotation_status, keyword)
        return await self._caller.call(CHAT_CONVERSATIONS, (app_id,), (*query, *page_query(page, limit)))

    async def iter_chat_conversations(
        self,
        app_id: AppOrId,
        *,
        start: When | None = None,
        end: When | None = None,
        sort_by: ConversationSort | None = None,
        annotation_status: AnnotationStatus | None = None,
        keyword: str | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[ChatConversation]:
        """Iterate over an app's conversations, without duplicates, fetching each page when it is needed.

        For the filters and errors, see `chat_conversations()`. No connection is held between
        pages. Requires the editor role. Route: GET /apps/{id}/chat-conversations.
        """
        _checks.optional_choice("sort_by", sort_by, ConversationSort)
        _checks.optional_choice("annotation_status", annotation_status, AnnotationStatus)
        app_id = id_of(app_id)
        limit = row_limit("page_size", page_size)
        query = await self._conversation_filters(start, end, sort_by, annotation_status, keyword)
        async for conversation in iterate_pages(
            self._caller, CHAT_CONVERSATIONS, (app_id,), query, page_size=limit
        ):
            yield conversation

    async def completion_conversations(
        self,
        app_id: AppOrId,
        *,
        page: int = 1,
        limit: int = 10,
        start: When | None = None,
        end: When | None = None,
        annotation_status: AnnotationStatus | None = None,
        keyword: str | None = None,
    ) -> Page[CompletionConversation]:
        """One page of a completion app's conversations, newest first.

        Requires the editor role. Route: GET /apps/{id}/completion-conversations.

        Args:
            app_id: An app of mode completion.
            page: From 1 to 99,999; a page after the last one is empty.
            limit: From 1 to 100.
            start: The earliest minute of creation, in the account's time zone if naive.
            end: The latest minute of creation, inclusive.
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in the question, in the answer or in the end user's name.

        Raises:
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        _checks.optional_choice("annotation_status", annotation_status, AnnotationStatus)
        app_id = id_of(app_id)
        query = await self._conversation_filters(start, end, None, annotation_status, keyword)
        return await self._caller.call(
            COMPLETION_CONVERSATIONS, (app_id,), (*query, *page_query(page, limit))
        )

    async def iter_completion_conversations(
        self,
        app_id: AppOrId,
        *,
        start: When | None = None,
        end: When | None = None,
        annotation_status: AnnotationStatus | None = None,
        keyword: str | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[CompletionConversation]:
        """Iterate over a completion app's conversations, fetching each page when it is needed.

        For the filters and errors, see `completion_conversations()`. No connection is held between
        pages. Requires the editor role. Route: GET /apps/{id}/completion-conversations.
        """
        _checks.optional_choice("annotation_status", annotation_status, AnnotationStatus)
        app_id = id_of(app_id)
        limit = row_limit("page_size", page_size)
        query = await self._conversation_filters(start, end, None, annotation_status, keyword)
        async for conversation in iterate_pages(
            self._caller, COMPLETION_CONVERSATIONS, (app_id,), query, page_size=limit
        ):
            yield conversation

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
