"""Lists: paging, and SQL's ILIKE."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dify_async.testing._console.params import Params
from dify_async.testing._console.rules import Rules

MAX_PAGE = 99999
MAX_PAGE_SIZE = 100
Row = TypeVar("Row")


def page_and_limit(params: Params) -> tuple[int, int]:
    """Which page is asked for, and how long it is."""
    return params.integer("page", 1, high=MAX_PAGE), params.integer("limit", 20, high=MAX_PAGE_SIZE)


def page_body(page: int, limit: int, total: int, rows: Sequence[Any]) -> dict[str, Any]:
    """The answer around one page of rows."""
    return {"page": page, "limit": limit, "total": total, "has_more": page * limit < total, "data": rows}


def between(
    rows: Sequence[Row], start: int | None, end: int | None, moment: Callable[[Row], int]
) -> Sequence[Row]:
    """The rows of a time range, out of rows in order of time.

    Both ends are included, and the end with its whole minute; statistics leave the end out.
    """
    first = 0 if start is None else bisect_left(rows, start, key=moment)
    last = len(rows) if end is None else bisect_right(rows, end + 59, key=moment)
    return rows[first:last]


def contains(rules: Rules, text: str, needle: str) -> bool:
    """Whether a text has another in it, in any case; up to 1.11.3 % and _ are wildcards."""
    pattern = re.escape(needle)
    if not rules.literal_wildcards:
        pattern = pattern.replace("%", ".*").replace("_", ".")
    return re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None
