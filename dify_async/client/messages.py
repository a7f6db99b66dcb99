"""Messages, annotations and feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dify_async import _checks
from dify_async._api import endpoints
from dify_async._api.paginator import Paginator
from dify_async._api.paging import Cursor, by_cursor, fixed, numbered
from dify_async._ids import checked_id, id_of, optional_id
from dify_async._ranges import utc_days
from dify_async._times import check_times

from ._calls import Calls, checked_limit, checked_page

if TYPE_CHECKING:
    from dify_async._api.paging import Select
    from dify_async._ids import AppOrId, Id
    from dify_async._times import When
    from dify_async.models import Annotation, ChatMessage, CursorPage, Page


class MessageCalls(Calls):
    """Messages, annotations and feedback."""

    def chat_messages(
        self, app_id: AppOrId, conversation_id: Id, *, first_id: Id | None = None, limit: int = 20
    ) -> Paginator[ChatMessage, CursorPage[ChatMessage]]:
        """The last messages of a conversation, or those before `first_id`, newest first.

        `async for` yields these messages and all earlier ones, each once.

        Does not mark the conversation as read, unlike GET /apps/{id}/chat-conversations/{id}, which this
        client never calls. Requires the editor role. Route: GET /apps/{id}/chat-messages.

        Args:
            app_id: The app.
            conversation_id: The conversation.
            first_id: The id of the last row of the previous page, to get the messages before it.
            limit: From 1 to 100.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyNotFoundError: The app, conversation or message does not exist.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        conversation_id = checked_id("conversation_id", conversation_id)
        first_id = optional_id("first_id", first_id)
        select: Select[ChatMessage] = fixed((("conversation_id", conversation_id),))
        cursor, size = Cursor("first_id", first_id), checked_limit(limit)
        return Paginator(
            by_cursor(
                self._caller,
                endpoints.CHAT_MESSAGES,
                (app_id,),
                select,
                cursor=cursor,
                limit=size,
                is_backward=True,
            )
        )

    def annotations(
        self, app_id: AppOrId, *, page: int = 1, limit: int = 20, keyword: str | None = None
    ) -> Paginator[Annotation, Page[Annotation]]:
        """One page of the app's annotations: questions with answers written by people.

        `async for` yields the rows of this page and of all later ones, each once.

        Requires the editor role. Route: GET /apps/{id}/annotations.

        Args:
            app_id: The app.
            page: From 1 to 99,999; a page after the last one is empty.
            limit: From 1 to 100.
            keyword: Text in the question or in the answer.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        select: Select[Annotation] = fixed((("keyword", keyword),))
        number, size = checked_page(page), checked_limit(limit)
        return Paginator(
            numbered(self._caller, endpoints.ANNOTATIONS, (app_id,), select, page=number, limit=size)
        )

    async def export_feedbacks(
        self,
        app_id: AppOrId,
        *,
        format: Literal["csv", "json"] = "json",  # noqa: A002 - the server's name
        rating: str | None = None,
        from_source: str | None = None,
        has_comment: bool | None = None,
        start_date: When | None = None,
        end_date: When | None = None,
    ) -> bytes:
        """The app's feedback as a JSON or CSV file. Requires the editor role. From Dify 1.10.1.

        Days are in UTC, not in the account's time zone. For all of November 2026, pass date(2026, 11, 1) and
        date(2026, 12, 1). Route: GET /apps/{id}/feedbacks/export.

        Args:
            app_id: The app.
            format: "json" or "csv".
            rating: "like" or "dislike".
            from_source: "user" or "admin".
            has_comment: True for feedback with a comment only, False for feedback without one.
            start_date: The first day. A time is in UTC if naive, and is rounded down to its day.
            end_date: The day after the last one. It is exclusive, except that feedback given at exactly
                00:00:00 UTC is included. A time is in UTC if naive, and is rounded up to the next day.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyNotFoundError: The app does not exist.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        _checks.one_of("format", format, ("csv", "json"))
        _checks.optional_boolean("has_comment", has_comment)
        check_times(start_date=start_date, end_date=end_date)
        first, last = utc_days(start_date, end_date)
        query = (
            ("format", format),
            ("rating", rating),
            ("from_source", from_source),
            ("has_comment", has_comment),
            ("start_date", first),
            ("end_date", last),
        )
        return await self._caller.call(endpoints.FEEDBACKS, (app_id,), query)
