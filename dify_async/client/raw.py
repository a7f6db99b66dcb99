"""A door to the routes that have no method."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

import msgspec

from dify_async._api.endpoints import Endpoint, decoder_of
from dify_async._http.retry import IDEMPOTENT, SAFE, UNSAFE
from dify_async.errors import DifyConfigError

from ._calls import Calls, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import UnionType

    from dify_async._http.urls import Query, QueryValue

T = TypeVar("T")

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SAFETY: Final = {"GET": SAFE, "DELETE": IDEMPOTENT}
_kept_decoder_of: Final = lru_cache(maxsize=64)(decoder_of)
# What the names of Dify's routes look like; anything else in a path is an id.
_NAME: Final = re.compile(r"[a-z][a-z-]*")


class RawCalls(Calls):
    """Calls by method and path."""

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

    # Type checkers do not take a union such as `App | None` for a type[T].
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
        """Call a route that has no method here, with the same sign-in, repeats, limits and errors.

        Args:
            method: GET or DELETE, which are repeated after failures; POST, PUT or PATCH, which are
                not where they may have arrived.
            path: Below /console/api, as "/apps/ID/trace"; ids in it are checked as everywhere.
            params: The query; a sequence gives its name once a value, and None is left out.
            json: The body; POST, PUT and PATCH without one send {}.
            type: What the answer is decoded into, as by msgspec; `bytes` for a file, as it is; without
                it plain JSON values, and None for an empty answer. Type checkers know what comes back
                of a class, as `App` or `list[App]`; of a union, and without it, it is Any to them.

        Raises:
            DifyConfigError: The method or the path cannot be used; nothing was sent.
            DifyDecodeError: The answer is no JSON, or not of that type.
        """
        method = method.upper() if isinstance(method, str) else method
        if method not in _METHODS:
            raise DifyConfigError(f"method is {method!r:.20}; it is one of {', '.join(_METHODS)}")
        template, ids = _template(path)
        safety = _SAFETY.get(method, UNSAFE)
        endpoint = Endpoint(method, template, _decoder(type), safety)
        # A POST without a body is a 415 from 1.11 on.
        sent = {} if json is None and safety is UNSAFE else json
        body = None if sent is None else encoded(sent)
        return await self._caller.call(endpoint, ids, _pairs(params or {}), body)


def _template(path: str) -> tuple[str, tuple[str, ...]]:
    """The route, and the ids in it."""
    if not isinstance(path, str) or not path.startswith("/") or re.search(r"[?#{}]", path):
        raise DifyConfigError(f'path is {path!r:.60}; it reads as "/apps/ID/trace", the query is params')
    segments = path[1:].split("/")
    ids = tuple(quote_id for quote_id in segments if not _NAME.fullmatch(quote_id))
    return "/" + "/".join(one if _NAME.fullmatch(one) else "{}" for one in segments), ids


def _pairs(params: Mapping[str, QueryValue | Sequence[QueryValue]]) -> Query:
    if not isinstance(params, Mapping):
        raise DifyConfigError(f"params is {params!r:.40}; it is a mapping of names to values")
    pairs: list[tuple[str, QueryValue]] = []
    for name, value in params.items():
        if not isinstance(name, str):
            raise DifyConfigError(f"params: {name!r:.40} is no name")
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None and not isinstance(one, str | int):
                raise DifyConfigError(
                    f"params: {name!r:.40} is {one!r:.40}; it is text, a number or a yes or no"
                )
            # As text, since kept addresses tell True from 1 no more than Python does.
            pairs.append((name, str(one).lower() if isinstance(one, bool) else one))
    return tuple(pairs)


def _decoder(type_: object) -> Callable[[bytes], Any]:
    if type_ is None:
        return _anything
    if type_ is bytes:
        return bytes
    try:
        return _kept_decoder_of(type_)
    except TypeError:
        raise DifyConfigError(f"type is {type_!r:.60}; msgspec decodes nothing into that") from None


def _anything(body: bytes) -> Any:
    return msgspec.json.decode(body) if body.strip() else None
