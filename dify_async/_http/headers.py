"""Headers that the caller adds to every request. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dify_async import _checks
from dify_async._secrets import Secret, masked
from dify_async.errors import DifyConfigError

AUTHORIZATION: Final = "authorization"
# Headers that the client sets itself, in lower case, and those that describe the body or the connection.
_RESERVED: Final = frozenset(
    {
        "cookie",
        "x-csrf-token",
        "content-type",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "proxy-authorization",
    }
)
# In addition, with an admin API key.
RESERVED_WITH_ADMIN_KEY: Final = frozenset({AUTHORIZATION, "x-workspace-id"})
_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"


def checked_headers(
    argument: str, headers: object, reserved: frozenset[str] = frozenset()
) -> dict[str, Secret]:
    """The headers with masked values; errors show names only, since values may be secret.

    Args:
        argument: The name of the argument, for errors.
        headers: A mapping of names to values; None for no headers.
        reserved: Names in lower case that the client sets itself, in addition to the usual ones.
    """
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise DifyConfigError(
            f"{argument} must be a mapping of names to values, got {_checks.described(headers)}"
        )
    items = [(name, masked(value)) for name, value in headers.items()]
    del headers  # error trackers show local variables, and the session's headers are not masked
    found: dict[str, Secret] = {}
    seen: set[str] = set()
    for name, value in items:
        if not isinstance(name, str) or not re.fullmatch(_NAME, name):
            # Not shown: a name may be a value in the wrong place.
            raise DifyConfigError(f"{argument} must have valid header names, such as X-Team")
        lower = name.lower()
        if lower in _RESERVED or lower in reserved:
            instead = "; pass proxy= with a user name and password" if lower == "proxy-authorization" else ""
            raise DifyConfigError(f"{argument} must not contain {name}, which the client sets{instead}")
        if lower in seen:
            raise DifyConfigError(f"{argument} must contain {name} only once")
        seen.add(lower)
        found[name] = Secret(_checks.header_text(f"{argument}[{name!r}]", value))
    return found


def merged(headers: Mapping[str, Secret], over: Mapping[str, Secret]) -> dict[str, Secret]:
    """The headers of both; those in `over` replace those of the same name, whose case is ignored."""
    replaced = {name.lower() for name in over}
    return {**{name: value for name, value in headers.items() if name.lower() not in replaced}, **over}


def has_authorization(headers: Mapping[str, Secret]) -> bool:
    """Whether one of the headers is Authorization."""
    return any(name.lower() == AUTHORIZATION for name in headers)
