"""Requests to routes without a method."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

import msgspec

from dify_async import _checks
from dify_async._api.endpoints import Endpoint
from dify_async._http.retry import IDEMPOTENT, SAFE, UNSAFE
from dify_async._http.urls import API_ROOT
from dify_async._http.wire import decoder_of

from ._calls import Calls, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import UnionType

    from dify_async._http.urls import Query, QueryValue

T = TypeVar("T")

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SAFETY: Final = {"GET": SAFE, "DELETE": IDEMPOTENT}
_cached_decoder_of: Final = lru_cache(maxsize=64)(decoder_of)
# The form of the names in Dify's routes; any other segment of a path is an id.
_NAME: Final = r"[a-z][a-z-]*"


class RawCalls(Calls):
    """Requests by method and path."""

    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = None,
    ) -> Any: ...

    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = None,
        type: type[T],
    ) -> T: ...

    # For type checkers, a union such as `App | None` is not a type[T].
    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = None,
        type: UnionType,
    ) -> Any: ...

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = None,
        type: type[T] | UnionType | None = None,  # noqa: A002 - as in msgspec
    ) -> Any:
        """Call a route that has no method here, with the same authentication, retries, limits and errors.

        Args:
            method: GET or DELETE, which are retried after failures; or POST, PUT or PATCH, which are
                retried only if the request cannot have reached the server.
            path: The path below /console/api, such as "/apps/ID/trace". Ids are validated.
            params: The query. A list or tuple repeats the name for each value, and None is left out.
            json: The body; for POST, PUT and PATCH, {} by default.
            type: The type to decode the response into, such as `App` or `list[App]`; `bytes` for the
                unchanged body. By default plain JSON values, or None for an empty body. For type
                checkers, the result of a union or of no type is Any.

        Raises:
            DifyConfigError: The method, path or an argument is invalid; nothing was sent.
            DifyDecodeError: The response is not JSON, or not of that type.
        """
        method = _checks.one_of("method", method.upper() if isinstance(method, str) else method, _METHODS)
        template, ids = _template(path)
        safety = _SAFETY.get(method, UNSAFE)
        decode = _decoder(type)
        endpoint = Endpoint(method, template, lambda: decode, safety)
        # From 1.11 the server rejects a POST without a body with 415.
        sent = {} if json is None and safety is UNSAFE else json
        body = None if sent is None else encoded(sent)
        return await self._caller.call(endpoint, ids, _pairs(params or {}), body)


def _template(path: str) -> tuple[str, tuple[str, ...]]:
    """The route, and the ids in it."""
    if isinstance(path, str) and path.startswith(f"{API_ROOT}/"):  # as a browser shows it
        raise _checks.refused("path", f"the part after {API_ROOT}", path)
    if not isinstance(path, str) or not path.startswith("/") or re.search(r"[?#{}]", path):
        raise _checks.refused(
            "path", 'a path such as "/apps/ID/trace"', path, hint="pass the query as params"
        )
    segments = path[1:].split("/")
    ids = tuple(segment for segment in segments if not re.fullmatch(_NAME, segment))
    return "/" + "/".join(one if re.fullmatch(_NAME, one) else "{}" for one in segments), ids


def _pairs(params: Mapping[str, QueryValue | Sequence[QueryValue]]) -> Query:
    pairs: list[tuple[str, QueryValue]] = []
    if not isinstance(params, Mapping):
        raise _checks.refused("params", "a mapping of names to values", params)
    for name, value in params.items():
        _checks.instance("each name in params", name, str, "text")
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None and not isinstance(one, str | int):
                raise _checks.refused(f"params[{name!r:.40}]", "a string, an integer or a boolean", one)
            # As text, since cached URLs do not distinguish True from 1.
            pairs.append((name, str(one).lower() if isinstance(one, bool) else one))
    return tuple(pairs)


def _decoder(type_: object) -> Callable[[bytes], Any]:
    if type_ is None:
        return _anything
    if type_ is bytes:
        return bytes
    try:
        return _cached_decoder_of(type_)
    except TypeError:
        raise _checks.refused("type", "a type that msgspec can decode", type_) from None


def _anything(body: bytes) -> Any:
    return msgspec.json.decode(body) if body.strip() else None
