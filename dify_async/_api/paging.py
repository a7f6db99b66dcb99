"""Lists of several pages, by page number or by cursor."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, Self, TypeVar

from msgspec import Struct, structs

from dify_async._concurrency import for_each
from dify_async._http.urls import Query
from dify_async.errors import DifyDecodeError
from dify_async.models import CursorPage, Page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from dify_async._http.urls import QueryValue

    from .caller import Caller
    from .endpoints import Endpoint


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


RowT = TypeVar("RowT", bound=_HasId)
PageT = TypeVar("PageT", bound="Page[Any] | CursorPage[Any]")

MAX_PAGE: Final = 99_999  # of Dify
# The total is what the server reports, and may be wrong.
_MAX_CONCURRENT_PAGES: Final = 100
# A list may grow while it is read, but at most to twice its length and these pages.
_SPARE_PAGES: Final = 10
# The pages of a list are full but for the last one and for rows that the server filters out.
_MAX_SPARSE_PAGES: Final = 100
_MIN_FILL: Final = 0.1


class Position(Protocol):
    """Where a page begins."""

    @property
    def parameter(self) -> tuple[str, QueryValue]:
        """The query parameter for it."""

    def next(self, last_id: str | None) -> Self:
        """Where the next page begins, given the last row of this one."""


class PageNumber(Struct, frozen=True):
    """A page by its number, from 1."""

    number: int = 1

    @property
    def parameter(self) -> tuple[str, QueryValue]:
        """The query parameter for it."""
        return "page", self.number

    def next(self, _: str | None) -> Self:
        """The next number."""
        return structs.replace(self, number=self.number + 1)


class Cursor(Struct, frozen=True):
    """The page after the row whose id is the value of a parameter."""

    name: str
    row_id: str | None

    @property
    def parameter(self) -> tuple[str, QueryValue]:
        """The query parameter for it."""
        return self.name, self.row_id

    def next(self, last_id: str | None) -> Self:
        """The cursor after the last row."""
        return structs.replace(self, row_id=last_id)


class Selection(Struct, Generic[RowT], frozen=True):
    """The rows of a list to get.

    Attributes:
        query: The filters that the server applies.
        includes: A filter of the server's rows, for what the server cannot express.
    """

    query: Query = ()
    includes: Callable[[RowT], bool] | None = None


# Called for each await and each iteration, since filters depend on the server's version and on the account's
# time zone. None means that no row can match.
Select = Callable[[], Awaitable[Selection[RowT] | None]]


class Pages(Generic[RowT, PageT]):
    """A list from one position on."""

    def __init__(
        self,
        caller: Caller,
        endpoint: Endpoint[PageT],
        ids: tuple[str, ...],
        select: Select[RowT],
        *,
        position: Position,
        empty: PageT,
        is_backward: bool = False,
        on_page: Callable[[PageT], None] | None = None,
    ) -> None:
        self._caller = caller
        self._ids = ids
        self._select = select
        self._position = position
        self._empty = empty
        self._limit = empty.limit
        self._is_backward = is_backward
        self._endpoint = endpoint
        self._on_page = on_page

    @property
    def route(self) -> str:
        """The route, for messages."""
        return f"{self._endpoint.method} {self._endpoint.path}"

    async def result(self) -> PageT:
        """The page at the position."""
        selection = await self._select()
        if selection is None:
            return self._empty
        response = await self._fetch(selection, self._position)
        if selection.includes is None:
            return response
        return structs.replace(response, data=[row for row in response.data if selection.includes(row)])

    async def rows(self, workers: int = 1) -> AsyncGenerator[RowT]:
        """The rows of all pages, each once, until a page has no new row.

        With several workers, the pages after the first one are requested concurrently, which requires page
        numbers.

        Raises:
            DifyDecodeError: The list has no end, or goes on far past its total.
        """
        async with aclosing(self.batches(workers)) as batches:
            async for batch in batches:
                for row in batch:
                    yield row

    async def batches(self, workers: int = 1) -> AsyncGenerator[list[RowT]]:
        """The same rows as those of `rows()`, one page at a time.

        Rows that were created in the same second may be on two pages (1.11.2: 30 rows on 3 pages had 29
        ids), so the total is not exact.
        """
        selection = await self._select()
        if selection is None:
            return
        fetched = await self._fetch_ahead(selection, workers) if workers > 1 else {}
        seen: set[str] = set()
        position, last_id = self._position, None
        pages, max_pages, has_more = 0, MAX_PAGE, True
        while has_more:
            pages += 1
            if pages > max_pages:
                raise self._endless(max_pages)
            response = (
                fetched.pop(position) if position in fetched else await self._fetch(selection, position)
            )
            new: list[RowT] = []
            for row in response.data:
                last_id = row.id
                if last_id not in seen:
                    seen.add(last_id)
                    new.append(row)
            yield new if selection.includes is None else [row for row in new if selection.includes(row)]
            has_more = response.has_more and bool(new)
            if has_more and len(seen) < _MIN_FILL * self._limit * (pages - _MAX_SPARSE_PAGES):
                raise self._endless(pages)
            if total := _total(response):
                max_pages = min(2 * math.ceil(total / self._limit) + _SPARE_PAGES, MAX_PAGE)
            if has_more:
                position = position.next(last_id)

    async def _fetch_ahead(self, selection: Selection[RowT], workers: int) -> dict[Position, PageT]:
        """The pages up to the total, or up to one that is the last."""
        pages: dict[Position, PageT] = {}

        async def fetch(position: Position) -> None:
            if all(page.has_more for page in pages.values()):
                pages[position] = await self._fetch(selection, position)

        position = self._position
        await fetch(position)
        count = math.ceil(_total(pages[position]) / self._limit)
        positions = []
        for _ in range(1, min(count, _MAX_CONCURRENT_PAGES)):
            position = position.next(None)
            positions.append(position)
        await for_each(positions, fetch, workers)
        return pages

    async def _fetch(self, selection: Selection[RowT], position: Position) -> PageT:
        query = (*selection.query, position.parameter, ("limit", self._limit))
        response = await self._caller.call(self._endpoint, self._ids, query)
        if self._is_backward:
            response.data.reverse()
        if self._on_page is not None:
            self._on_page(response)
        return response

    def _endless(self, pages: int) -> DifyDecodeError:
        return DifyDecodeError(
            f"{self.route}: the server still announces more rows after {pages} pages;"
            " check for a proxy that changes responses"
        )


class AllRows(Generic[RowT]):
    """A list by page number that is awaited as a whole."""

    def __init__(self, pages: Pages[RowT, Page[RowT]], workers: int) -> None:
        self._pages = pages
        self._workers = workers
        self.route = pages.route

    async def result(self) -> list[RowT]:
        """The rows of all pages."""
        return [row async for row in self._pages.rows(self._workers)]

    def rows(self) -> AsyncIterator[RowT]:
        """The rows of all pages."""
        return self._pages.rows()


def fixed(query: Query) -> Select[RowT]:
    """A selection that depends on nothing."""

    async def select() -> Selection[RowT]:
        return Selection(query)

    return select


def numbered(
    caller: Caller,
    endpoint: Endpoint[Page[RowT]],
    ids: tuple[str, ...],
    select: Select[RowT],
    *,
    page: int = 1,
    limit: int,
    on_page: Callable[[Page[RowT]], None] | None = None,
) -> Pages[RowT, Page[RowT]]:
    """A list by page number, from this page on; `on_page` is called with each page before its rows."""
    empty: Page[RowT] = Page(data=[], limit=limit, page=page)
    position = PageNumber(page)
    return Pages(caller, endpoint, ids, select, position=position, empty=empty, on_page=on_page)


def by_cursor(
    caller: Caller,
    endpoint: Endpoint[CursorPage[RowT]],
    ids: tuple[str, ...],
    select: Select[RowT],
    *,
    cursor: Cursor,
    limit: int,
    is_backward: bool = False,
) -> Pages[RowT, CursorPage[RowT]]:
    """A list by cursor, from the row after the cursor on.

    If `is_backward`, the server's pages go back in time, although the rows of each page are oldest first.
    """
    empty: CursorPage[RowT] = CursorPage(data=[], limit=limit)
    return Pages(caller, endpoint, ids, select, position=cursor, empty=empty, is_backward=is_backward)


def _total(response: Page[Any] | CursorPage[Any]) -> int:
    return response.total if isinstance(response, Page) else 0
