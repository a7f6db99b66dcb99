"""What was said: messages, annotations, feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dify_async._api import endpoints
from dify_async._api.paging import iterate_cursor
from dify_async._http.urls import quote_id
from dify_async.errors import DifyConfigError

from ._calls import Calls, check_switches, checked_limit, checked_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dify_async.models import Annotation, ChatMessage, CursorPage, Page


class MessageCalls(Calls):
    """Calls on what was said; they need an editor.

    Raises:
        DifyNotFoundError: No such app, or one of another mode.
        DifyPermissionError: The account is no editor.
    """

    async def chat_messages(
        self, app_id: str, conversation_id: str, *, first_id: str | None = None, limit: int = 20
    ) -> CursorPage[ChatMessage]:
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
            ("conversation_id", quote_id(conversation_id)),
            ("first_id", first_id),
            ("limit", checked_limit(limit)),
        )
        return await self._caller.call(endpoints.CHAT_MESSAGES, (app_id,), query)

    def iter_chat_messages(
        self, app_id: str, conversation_id: str, *, page_size: int = 100
    ) -> AsyncIterator[ChatMessage]:
        """All messages of a conversation, each once, the last said first."""
        query = (("conversation_id", quote_id(conversation_id)),)
        return iterate_cursor(
            self._caller,
            endpoints.CHAT_MESSAGES,
            (app_id,),
            query,
            cursor="first_id",
            page_size=checked_limit(page_size),
            is_backward=True,
        )

    async def annotations(
        self, app_id: str, *, page: int = 1, limit: int = 20, keyword: str | None = None
    ) -> Page[Annotation]:
        """One page of the questions to which people wrote the answers. Route: GET /apps/{id}/annotations."""
        query = (("keyword", keyword), *checked_page(page, limit))
        return await self._caller.call(endpoints.ANNOTATIONS, (app_id,), query)

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

        The dates are days in UTC, whatever the account's time zone is. For all of November 2026, pass
        "2026-11-01" and "2026-12-01".

        Args:
            app_id: The app.
            format: "json" or "csv".
            rating: "like" or "dislike".
            from_source: "user" or "admin".
            has_comment: Only with, or only without a comment.
            start_date: The first day, as "2026-11-01".
            end_date: The day after the last. It is not included, except for feedback given at exactly
                00:00:00 UTC of it.
        """
        if format not in ("csv", "json"):
            raise DifyConfigError(f'format is {format!r:.20}; it is "csv" or "json"')
        check_switches(has_comment=has_comment)
        query = (
            ("format", format),
            ("rating", rating),
            ("from_source", from_source),
            ("has_comment", has_comment),
            ("start_date", start_date),
            ("end_date", end_date),
        )
        return await self._caller.call(endpoints.FEEDBACKS, (app_id,), query)
