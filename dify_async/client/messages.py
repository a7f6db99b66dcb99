"""Messages, annotations and feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dify_async import _checks
from dify_async._api import endpoints
from dify_async._api.paging import iterate_cursor
from dify_async._ids import checked_id, id_of, optional_id

from ._calls import Calls, page_query, row_limit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dify_async._ids import AppOrId, Id
    from dify_async.models import Annotation, ChatMessage, CursorPage, Page


class MessageCalls(Calls):
    """Messages, annotations and feedback."""

    async def chat_messages(
        self, app_id: AppOrId, conversation_id: Id, *, first_id: Id | None = None, limit: int = 20
    ) -> CursorPage[ChatMessage]:
        """The last messages of a conversation, or those before `first_id`, oldest first.

        Does not mark the conversation as read, unlike GET /apps/{id}/chat-conversations/{id}, which this
        client never calls. Requires the editor role. Route: GET /apps/{id}/chat-messages.

        Args:
            app_id: The app.
            conversation_id: The conversation.
            first_id: The id of the first message of the previous page, to get the messages before it.
            limit: From 1 to 100.

        Raises:
            DifyNotFoundError: The app, conversation or message does not exist.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        conversation_id = checked_id("conversation_id", conversation_id)
        first_id = optional_id("first_id", first_id)
        query = (
            ("conversation_id", conversation_id),
            ("first_id", first_id),
            ("limit", row_limit("limit", limit)),
        )
        return await self._caller.call(endpoints.CHAT_MESSAGES, (app_id,), query)

    def iter_chat_messages(
        self, app_id: AppOrId, conversation_id: Id, *, page_size: int = 100
    ) -> AsyncIterator[ChatMessage]:
        """Iterate over the messages of a conversation, newest first, fetching pages when they are needed.

        Requires the editor role. `page_size` is from 1 to 100. Route: GET /apps/{id}/chat-messages.

        Raises:
            DifyNotFoundError: The app or conversation does not exist.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        conversation_id = checked_id("conversation_id", conversation_id)
        query = (("conversation_id", conversation_id),)
        return iterate_cursor(
            self._caller,
            endpoints.CHAT_MESSAGES,
            (app_id,),
            query,
            cursor="first_id",
            page_size=row_limit("page_size", page_size),
            is_backward=True,
        )

    async def annotations(
        self, app_id: AppOrId, *, page: int = 1, limit: int = 20, keyword: str | None = None
    ) -> Page[Annotation]:
        """One page of the app's annotations: questions with answers written by people.

        Requires the editor role. `page` is from 1 to 99,999 and `limit` from 1 to 100.
        Route: GET /apps/{id}/annotations.

        Raises:
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        query = (("keyword", keyword), *page_query(page, limit))
        return await self._caller.call(endpoints.ANNOTATIONS, (app_id,), query)

    async def export_feedbacks(
        self,
        app_id: AppOrId,
        *,
        format: Literal["csv", "json"] = "json",  # noqa: A002 - the server's name
        rating: str | None = None,
        from_source: str | None = None,
        has_comment: bool | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
    ) -> bytes:
        """The app's feedback as a JSON or CSV file. Requires the editor role. From Dify 1.10.1.

        Days are in UTC, not in the account's time zone. For all of November 2026, pass "2026-11-01" and
        "2026-12-01". Route: GET /apps/{id}/feedbacks/export.

        Args:
            app_id: The app.
            format: "json" or "csv".
            rating: "like" or "dislike".
            from_source: "user" or "admin".
            has_comment: True for feedback with a comment only, False for feedback without one.
            start_date: The first day, such as "2026-11-01".
            end_date: The day after the last one. It is exclusive, except that feedback given at exactly
                00:00:00 UTC is included.

        Raises:
            DifyNotFoundError: The app does not exist.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        _checks.one_of("format", format, ("csv", "json"))
        _checks.optional_boolean("has_comment", has_comment)
        query = (
            ("format", format),
            ("rating", rating),
            ("from_source", from_source),
            ("has_comment", has_comment),
            ("start_date", start_date),
            ("end_date", end_date),
        )
        return await self._caller.call(endpoints.FEEDBACKS, (app_id,), query)
