"""Lists: paging, and SQL's ILIKE."""

import re
from collections.abc import Sequence
from typing import Any

from dify_async.testing._params import Params
from dify_async.testing._rules import Rules

LAST_PAGE = 99999
LONGEST_PAGE = 100


def page_and_limit(params: Params) -> tuple[int, int]:
    """Which page is asked for, and how long it is."""
    return params.integer("page", 1, high=LAST_PAGE), params.integer("limit", 20, high=LONGEST_PAGE)


def page_body(page: int, limit: int, total: int, rows: Sequence[Any]) -> dict[str, Any]:
    """The answer around one page of rows."""
    return {"page": page, "limit": limit, "total": total, "has_more": page * limit < total, "data": rows}


def contains(rules: Rules, text: str, needle: str) -> bool:
    """Whether a text has another in it, in any case; up to 1.11.3 % and _ are wildcards."""
    pattern = re.escape(needle)
    if not rules.literal_wildcards:
        pattern = pattern.replace("%", ".*").replace("_", ".")
    return re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None
