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
    """The number and the size of the requested page."""
    return params.integer("page", 1, high=MAX_PAGE), params.integer("limit", 20, high=MAX_PAGE_SIZE)


def page_body(page: int, limit: int, total: int, rows: Sequence[Any]) -> dict[str, Any]:
    """The body of an answer with one page of rows."""
    return {"page": page, "limit": limit, "total": total, "has_more": page * limit < total, "data": rows}


def between(
    rows: Sequence[Row], start: int | None, end: int | None, key: Callable[[Row], int]
) -> Sequence[Row]:
    """The rows in a time range; `rows` must be ordered by `key`.

    Both ends are inclusive, the end with its whole minute; in statistics, the end is exclusive.
    """
    first = 0 if start is None else bisect_left(rows, start, key=key)
    last = len(rows) if end is None else bisect_right(rows, end + 59, key=key)
    return rows[first:last]


def contains(rules: Rules, text: str, needle: str) -> bool:
    """Whether a text contains another, ignoring case; up to 1.11.3 % and _ are wildcards."""
    return matcher(rules, needle)(text)


def matcher(rules: Rules, needle: str) -> Callable[[str], bool]:
    """A function that reports whether a text contains this one; for many texts, faster than `contains`."""
    pattern = re.escape(needle)
    if not rules.literal_wildcards:
        pattern = pattern.replace("%", ".*").replace("_", ".")
    search = re.compile(pattern, re.IGNORECASE | re.DOTALL).search
    return lambda text: search(text) is not None
