"""Lists of several pages, by page number or by cursor."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from dify_async._concurrency import for_each
from dify_async.errors import DifyDecodeError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from dify_async._http.urls import Query
    from dify_async.models import CursorPage, Page

    from .caller import Caller
    from .endpoints import Endpoint


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


RowT = TypeVar("RowT", bound=_HasId)

MAX_PAGE: Final = 99_999  # of Dify
# The total is what the server reports, and may be wrong.
_MAX_CONCURRENT_PAGES: Final = 100
# A list may grow while it is read, but at most to twice its length and these pages.
_SPARE_PAGES: Final = 10
# The pages of a list are full but for the last one and for rows that the server filters out.
_MAX_SPARSE_PAGES: Final = 100
_MIN_FILL: Final = 0.1


async def fetch_all(
    caller: Caller, endpoint: Endpoint[Page[RowT]], query: Query, page_size: int, workers: int
) -> list[RowT]:
    """The rows of all pages, each once; after the first page, the others are requested concurrently."""
    pages: dict[int, Page[RowT]] = {}

    async def fetch(page: int) -> None:
        if all(one.has_more for one in pages.values()):
            pages[page] = await caller.call(endpoint, (), (*query, ("page", page), ("limit", page_size)))

    await fetch(1)
    count = math.ceil(pages[1].total / page_size)
    await for_each(range(2, min(count, _MAX_CONCURRENT_PAGES) + 1), fetch, workers)
    return [
        row async for row in iterate_pages(caller, endpoint, (), query, page_size=page_size, fetched=pages)
    ]


async def iterate_pages(
    caller: Caller,
    endpoint: Endpoint[Page[RowT]],
    ids: tuple[str, ...],
    query: Query,
    *,
    page_size: int,
    fetched: Mapping[int, Page[RowT]] = MappingProxyType({}),
    on_page: Callable[[Page[RowT]], None] | None = None,
) -> AsyncGenerator[RowT]:
    """The rows of all pages, each once, until a page has no new row.

    Rows that were created in the same second may be on two pages (1.11.2: 30 rows on 3 pages had 29 ids),
    so the total is not exact.

    Raises:
        DifyDecodeError: The list goes on far past its total.
    """
    seen: set[str] = set()
    page, last, has_more = 0, MAX_PAGE, True
    while has_more:
        page += 1
        if page > last:
            raise _endless(endpoint, last)
        answer = fetched.get(page)
        if answer is None:
            answer = await caller.call(endpoint, ids, (*query, ("page", page), ("limit", page_size)))
        if on_page is not None:
            on_page(answer)
        known = len(seen)
        for row in answer.data:
            if row.id not in seen:
                seen.add(row.id)
                yield row
        has_more = answer.has_more and len(seen) > known
        if has_more and _is_sparse(page, len(seen), page_size):
            raise _endless(endpoint, page)
        if answer.total:
            last = min(2 * math.ceil(answer.total / page_size) + _SPARE_PAGES, MAX_PAGE)


async def iterate_cursor(
    caller: Caller,
    endpoint: Endpoint[CursorPage[RowT]],
    ids: tuple[str, ...],
    query: Query,
    *,
    cursor: str,
    page_size: int,
    is_backward: bool = False,
) -> AsyncGenerator[RowT]:
    """The rows of all pages, each once, until a page has no new row.

    The parameter named `cursor` takes the id of the row after which a page begins. If `is_backward`, pages
    go back from the newest row, although the rows of each page are oldest first.

    Raises:
        DifyDecodeError: The list has no end.
    """
    seen: set[str] = set()
    after: str | None = None
    pages, has_more = 0, True
    while has_more:
        pages += 1
        if pages > MAX_PAGE:
            raise _endless(endpoint, MAX_PAGE)
        answer = await caller.call(endpoint, ids, (*query, (cursor, after), ("limit", page_size)))
        known = len(seen)
        for row in reversed(answer.data) if is_backward else answer.data:
            after = row.id
            if row.id not in seen:
                seen.add(row.id)
                yield row
        has_more = answer.has_more and len(seen) > known
        if has_more and _is_sparse(pages, len(seen), page_size):
            raise _endless(endpoint, pages)


def _is_sparse(pages: int, rows: int, page_size: int) -> bool:
    """Whether so many pages have so few rows that the list has no end."""
    return rows < _MIN_FILL * page_size * (pages - _MAX_SPARSE_PAGES)


def _endless(endpoint: Endpoint[Page[RowT]] | Endpoint[CursorPage[RowT]], pages: int) -> DifyDecodeError:
    return DifyDecodeError(
        f"{endpoint.method} {endpoint.path}: the server still announces more rows after {pages} pages;"
        " check for a proxy that changes answers"
    )
