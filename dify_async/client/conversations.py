"""The conversations of apps."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from dify_async import _checks
from dify_async._api.endpoints import CHAT_CONVERSATIONS, COMPLETION_CONVERSATIONS
from dify_async._api.paginator import Paginator
from dify_async._api.paging import Selection, numbered
from dify_async._choices import AnnotationStatus, ConversationSort
from dify_async._ids import id_of
from dify_async._ranges import is_empty

from ._calls import Calls, checked_limit, checked_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dify_async._api.paging import RowT, Select
    from dify_async._http.urls import Query
    from dify_async._ids import AppOrId
    from dify_async._times import When
    from dify_async.models import ChatConversation, CompletionConversation, Page

_created_at: Final = attrgetter("created_at")
_updated_at: Final = attrgetter("updated_at")


class ConversationCalls(Calls):
    """Methods that list the conversations of apps."""

    def chat_conversations(
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
    ) -> Paginator[ChatConversation, Page[ChatConversation]]:
        """One page of an app's conversations, by default with the most recently updated first.

        `async for` yields the rows of this page and of all later ones, each once.

        Requires the editor role. Route: GET /apps/{id}/chat-conversations.

        Args:
            app_id: An app of mode chat, agent-chat or advanced-chat.
            page: From 1 to 99,999; a page after the last one is empty.
            limit: From 1 to 100.
            start: Inclusive, in the account's time zone if naive; seconds are rounded down. `start` and `end`
                apply to the time that the conversations are sorted by.
            end: Exclusive, in the account's time zone if naive; seconds are rounded up.
            sort_by: "created_at" or "updated_at"; add the prefix "-" for newest first.
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in a message, in the conversation's name or in the end user's name; "%" and "_"
                are wildcards.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        _checks.optional_choice("sort_by", sort_by, ConversationSort)
        _checks.optional_choice("annotation_status", annotation_status, AnnotationStatus)
        app_id = id_of(app_id)
        # `start` and `end` apply to the time that the list is sorted by
        # [1.11.2/06_chat_conversations_range_filters_updated_at_by_default].
        is_by_creation = isinstance(sort_by, str) and sort_by.endswith("created_at")
        select = self._conversations_between(
            start,
            end,
            _created_at if is_by_creation else _updated_at,
            (("sort_by", sort_by), ("annotation_status", annotation_status), ("keyword", keyword)),
        )
        number, size = checked_page(page), checked_limit(limit)
        return Paginator(
            numbered(self._caller, CHAT_CONVERSATIONS, (app_id,), select, page=number, limit=size)
        )

    def iter_chat_conversations(
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
        """Iterate over an app's conversations, by default with the most recently updated first.

        Yields each conversation once, and fetches each page when it is needed. You can leave the loop at any
        time: no connection is held between pages.

        Requires the editor role. Route: GET /apps/{id}/chat-conversations.

        Args:
            app_id: An app of mode chat, agent-chat or advanced-chat.
            start: Inclusive, in the account's time zone if naive; seconds are rounded down. `start` and `end`
                apply to the time that the conversations are sorted by.
            end: Exclusive, in the account's time zone if naive; seconds are rounded up.
            sort_by: "created_at" or "updated_at"; add the prefix "-" for newest first.
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in a message, in the conversation's name or in the end user's name; "%" and "_"
                are wildcards.
            page_size: Rows per request, from 1 to 100.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        _checks.optional_choice("sort_by", sort_by, ConversationSort)
        _checks.optional_choice("annotation_status", annotation_status, AnnotationStatus)
        app_id = id_of(app_id)
        found = self.chat_conversations(
            app_id,
            limit=checked_limit(page_size, name="page_size"),
            start=start,
            end=end,
            sort_by=sort_by,
            annotation_status=annotation_status,
            keyword=keyword,
        )
        return aiter(found)

    def completion_conversations(
        self,
        app_id: AppOrId,
        *,
        page: int = 1,
        limit: int = 10,
        start: When | None = None,
        end: When | None = None,
        annotation_status: AnnotationStatus | None = None,
        keyword: str | None = None,
    ) -> Paginator[CompletionConversation, Page[CompletionConversation]]:
        """One page of a completion app's conversations, newest first.

        `async for` yields the rows of this page and of all later ones, each once.

        Requires the editor role. Route: GET /apps/{id}/completion-conversations.

        Args:
            app_id: An app of mode completion.
            page: From 1 to 99,999; a page after the last one is empty.
            limit: From 1 to 100.
            start: The earliest creation time, in the account's time zone if naive; seconds are rounded down.
            end: The end of the creation times, exclusive; seconds are rounded up.
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in the question, in the answer or in the end user's name.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        _checks.optional_choice("annotation_status", annotation_status, AnnotationStatus)
        app_id = id_of(app_id)
        query = (("annotation_status", annotation_status), ("keyword", keyword))
        select = self._conversations_between(start, end, _created_at, query)
        number, size = checked_page(page), checked_limit(limit)
        return Paginator(
            numbered(self._caller, COMPLETION_CONVERSATIONS, (app_id,), select, page=number, limit=size)
        )

    def _conversations_between(
        self, start: When | None, end: When | None, time_of: Callable[[RowT], int | None], query: Query
    ) -> Select[RowT]:
        is_known_empty = is_empty(start, end)

        async def select() -> Selection[RowT] | None:
            found = None if is_known_empty else await self._minute_range(start, end)
            if found is None:
                return None
            bounds = ("start", found.start), ("end", found.end)
            return Selection((*bounds, *query), lambda row: found.includes(time_of(row)))

        return select
