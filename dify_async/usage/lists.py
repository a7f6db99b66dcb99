"""The lists of conversations, messages and runs from some time on, each row once."""

from __future__ import annotations

from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from dify_async._api.paging import Cursor, by_cursor, fixed, numbered
from dify_async._ranges import minute_range
from dify_async.errors import DifyNotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import tzinfo

    from dify_async._api.caller import Caller
    from dify_async._api.endpoints import Endpoint
    from dify_async._http.urls import Query
    from dify_async.models import CursorPage, Page

    RowT = TypeVar("RowT")
    OnPage = Callable[[Page[RowT]], None]


class _Listed(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def created_at(self) -> int | None: ...


class _Updated(_Listed, Protocol):
    @property
    def updated_at(self) -> int | None: ...


ListedT = TypeVar("ListedT", bound=_Listed)
UpdatedT = TypeVar("UpdatedT", bound=_Updated)

PAGE_SIZE: Final = 100
_FROM_NEWEST: Final = Cursor("first_id", None)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# In seconds. A message is created a moment after its conversation was updated, and perhaps by another clock.
_MARGIN: Final = 120
# In seconds. Some versions log a run when it has ended.
_LONGEST_RUN: Final = 3600


class AppLists:
    """The lists of one app, from some time on (in Unix seconds), each row once."""

    def __init__(self, caller: Caller, app_id: str, zone: tzinfo) -> None:
        self._caller = caller
        self._ids = (app_id,)
        self._zone = zone

    async def conversations(
        self, endpoint: Endpoint[Page[UpdatedT]], start: int | None, on_page: OnPage[UpdatedT] | None = None
    ) -> AsyncGenerator[UpdatedT]:
        """The conversations that were updated since `start`, most recently updated first.

        A conversation that is updated while the pages are read moves to the first page, and may be on none of
        the pages that follow. So the first pages are read again, until there is nothing new.
        """
        seen: set[str] = set()
        while True:
            count, newest = 0, start
            query = (("start", _listed_from(start, self._zone)), ("sort_by", "-updated_at"))
            async with aclosing(self._pages(endpoint, query, on_page)) as rows:
                async for row in rows:
                    if not count:
                        newest = row.updated_at
                    count += 1
                    if row.id not in seen:
                        seen.add(row.id)
                        yield row
            if count <= PAGE_SIZE:
                return
            start = newest

    async def completions(
        self,
        endpoint: Endpoint[Page[ListedT]],
        start: int | None,
        end: int | None,
        on_page: OnPage[ListedT] | None = None,
    ) -> AsyncGenerator[ListedT]:
        """The conversations of a completion app, which have one message each, newest first."""
        query = (("start", _listed_from(start, self._zone)), ("end", _listed_until(end, self._zone)))
        async with aclosing(self._pages(endpoint, query, on_page)) as rows:
            async for row in rows:
                yield row

    async def logs(
        self,
        endpoint: Endpoint[Page[ListedT]],
        bounds: tuple[int, int] | None,
        start: int,
        on_page: OnPage[ListedT],
    ) -> AsyncGenerator[ListedT]:
        """The log of a workflow app from `start` on, newest first; `bounds` if the server filters by time."""
        query: Query = ()
        if bounds is not None:
            first, last = (_moment(at).isoformat() for at in (bounds[0], bounds[1] + _LONGEST_RUN))
            query = (("created_at__after", first), ("created_at__before", last))
        async with aclosing(self._pages(endpoint, query, on_page)) as rows:
            async for row in rows:
                if _is_before(row, start):
                    return
                yield row

    async def messages(
        self, endpoint: Endpoint[CursorPage[ListedT]], conversation_id: str, start: int | None
    ) -> AsyncGenerator[list[ListedT]]:
        """The messages of a conversation from `start` on, newest first, by page; none if it was deleted."""
        query = (("conversation_id", conversation_id),)
        pages = by_cursor(
            self._caller,
            endpoint,
            self._ids,
            fixed(query),
            cursor=_FROM_NEWEST,
            limit=PAGE_SIZE,
            is_backward=True,
        )
        with suppress(DifyNotFoundError):
            async with aclosing(pages.batches()) as batches:
                async for batch in batches:
                    new = [row for row in batch if not _is_before(row, start)]
                    yield new
                    if len(new) < len(batch):
                        return

    def _pages(
        self, endpoint: Endpoint[Page[ListedT]], query: Query, on_page: OnPage[ListedT] | None
    ) -> AsyncGenerator[ListedT]:
        pages = numbered(self._caller, endpoint, self._ids, fixed(query), limit=PAGE_SIZE, on_page=on_page)
        return pages.rows()


def _is_before(row: _Listed, start: int | None) -> bool:
    return start is not None and row.created_at is not None and row.created_at < start


def _listed_from(start: int | None, zone: tzinfo) -> str | None:
    """The start of a list in the server's format, early enough for all rows since `start`."""
    found = None if start is None else minute_range(_moment(start - _MARGIN), None, zone)
    return None if found is None else found.start


def _listed_until(end: int | None, zone: tzinfo) -> str | None:
    found = None if end is None else minute_range(None, _moment(end + _MARGIN), zone)
    return None if found is None else found.end


def _moment(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)
