"""What every group of calls stands on."""

from __future__ import annotations

import contextlib
import inspect
import json
import re
import time
from collections.abc import Iterable
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.to_thread
import msgspec

from dify_async._api.endpoints import PROFILE
from dify_async._api.paging import MAX_PAGE
from dify_async._times import (
    begins_day,
    bounds,
    instant,
    is_aware,
    span_of,
    wall_clock,
)
from dify_async._uncopyable import Uncopyable
from dify_async._zones import find_zone
from dify_async.errors import DifyConfigError, DifyStatusError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from dify_async._api.caller import Caller
    from dify_async._api.endpoints import Endpoint
    from dify_async._api.probe import ServerProbe
    from dify_async._api.versions import Fact
    from dify_async._times import Span, When

T = TypeVar("T")

_NO_SUCH_ROUTE: Final = frozenset({404, 405, 410})
_MAX_LIMIT: Final = 100
_HALF_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_NO_JSON: Final = (bytes, bytearray, memoryview)
# The zone may be changed in the console at any time, and moves every statistic.
_ZONE_TTL: Final = 300.0


class Calls(Uncopyable):
    """The pipeline, and the account's time zone."""

    _instead = "create a client in each process, such as with from_env()"

    _caller: Caller
    _probe: ServerProbe
    _max_concurrency: int
    _zone: ZoneInfo | None = None
    _zone_from: float = 0.0
    _zone_changes: int = 0
    _zone_lock: anyio.Lock

    async def _check_version(self, fact: Fact, **arguments: object) -> None:
        """Refuse what an older server would ignore silently; what is None is not given."""
        given = " and ".join(name for name, value in arguments.items() if value is not None)
        if given and not await self._probe.supports(fact):
            needed = ".".join(map(str, fact.since)).removesuffix(".0")
            version = await self._probe.version()
            raise DifyConfigError(f"Dify {version} ignores {given}, which came with {needed}")

    async def _call_first(self, *calls: tuple[Endpoint[T], bytes | None]) -> T:
        """The answer of the first of these routes that the server has."""
        *others, (endpoint, body) = calls
        for other, its_body in others:
            try:
                return await self._caller.call(other, body=its_body)
            except DifyStatusError as error:
                if error.status not in _NO_SUCH_ROUTE:
                    raise
        return await self._caller.call(endpoint, body=body)

    async def _range(
        self, start: When | None, end: When | None, *, end_is_exclusive: bool = True
    ) -> tuple[str | None, str | None]:
        """A range on the account's wall clock; its zone is asked for where a bound is aware."""
        zone = await self._account_zone() if is_aware(start) or is_aware(end) else None
        return bounds(start, end, zone, end_is_exclusive=end_is_exclusive)

    async def _span(self, start: When | None, end: When | None) -> Span:
        """A range of days; the account's zone is asked for where a bound is aware or begins a day."""
        if is_aware(start) or is_aware(end):
            return span_of(start, end, await self._account_zone())
        span = span_of(start, end, None)
        if any(bound is not None and begins_day(wall_clock(bound)) for bound in (start, end)):
            # Without a zone, they are of use but for midnights that come twice.
            with contextlib.suppress(DifyConfigError):
                span = span_of(start, end, await self._account_zone())
        return span

    async def _instants(self, start: When | None, end: When | None) -> tuple[str | None, str | None]:
        """A range in ISO 8601, which some routes take; its zone is asked for where there is a bound."""
        if start is None and end is None:
            return None, None
        for bound in (start, end):
            if bound is not None:
                instant(bound, UTC)  # what cannot be read, is refused before the zone is asked for
        zone = await self._account_zone()
        first, last = (None if bound is None else instant(bound, zone) for bound in (start, end))
        if first is not None and last is not None and first > last:
            raise DifyConfigError(f"start {first} is after end {last}")
        return None if first is None else first.isoformat(), None if last is None else last.isoformat()

    async def _account_zone(self) -> ZoneInfo:
        if (zone := self._kept_zone()) is None:
            async with self._zone_lock:  # of many calls at once, one asks
                zone = self._kept_zone() or await self._ask_for_zone()
        return zone

    def _kept_zone(self) -> ZoneInfo | None:
        return None if time.monotonic() - self._zone_from > _ZONE_TTL else self._zone

    async def _ask_for_zone(self) -> ZoneInfo:
        changes = self._zone_changes
        name = (await self._caller.call(PROFILE)).timezone
        if not name:
            raise DifyConfigError(
                "the account has no time zone, so no statistics either: set one in its profile"
            )
        zone = await anyio.to_thread.run_sync(find_zone, name)
        if changes == self._zone_changes:  # else it was set again in between
            self._zone, self._zone_from = zone, time.monotonic()
        return zone

    def _forget_zone(self) -> None:
        self._zone = None
        self._zone_changes += 1


def checked_page(page: int, limit: int) -> tuple[tuple[str, int], tuple[str, int]]:
    """The query of one page."""
    return ("page", _within("page", page, MAX_PAGE)), ("limit", checked_limit(limit))


def checked_limit(limit: int) -> int:
    """A number of rows that the server gives at once."""
    return _within("limit or page_size, the rows at once,", limit, _MAX_LIMIT)


def _within(what: str, number: int, largest: int) -> int:
    if type(number) is not int or not 1 <= number <= largest:
        raise DifyConfigError(f"{what} is {number!r}; it is a whole number from 1 to {largest}")
    return number


def checked_texts(what: str, texts: Iterable[str]) -> list[str]:
    """Several texts; a single one would be taken letter by letter."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise DifyConfigError(f"{what} is {texts!r:.40}; pass a list of texts")
    found = list(texts)
    if not all(isinstance(text, str) for text in found):
        raise DifyConfigError(f"{what} holds what is no text")
    return found


def check_texts(**arguments: object) -> None:
    """Refuse what is no text; None is not given."""
    for name, value in arguments.items():
        if not isinstance(value, str | None):
            raise DifyConfigError(_no_text(name, value))


def check_required(**arguments: object) -> None:
    """Refuse what is no text, None and "" too."""
    for name, value in arguments.items():
        if not isinstance(value, str) or not value:
            raise DifyConfigError(_no_text(name, value))


def check_encodable(**texts: str) -> None:
    """Refuse texts with halves of surrogate pairs: what Python makes of other bytes in the environment."""
    for name, text in texts.items():
        if _HALF_SURROGATE.search(text):
            raise DifyConfigError(f"{name} must be UTF-8, and holds bytes of another encoding")


def _no_text(name: str, value: object) -> str:
    # Not the value: it may be a code from a mail.
    return f"{name} is {'empty' if value == '' else f'of type {type(value).__name__}, and no text'}"


def given_texts(what: str, texts: Iterable[str] | None) -> list[str]:
    """Several texts, or none where nothing is given."""
    return [] if texts is None else checked_texts(what, texts)


def check_switches(*, may_be_none: bool = True, **arguments: object) -> None:
    """Refuse what is neither True nor False: servers take any text for a yes, "false" too."""
    for name, value in arguments.items():
        if not (isinstance(value, bool) or (value is None and may_be_none)):
            raise DifyConfigError(f"{name} is {value!r:.40}; it is True or False")


def check_callback(name: str, callback: object) -> None:
    """Refuse what cannot be called, and coroutine functions, since nothing would await them."""
    if callback is None:
        return
    if not callable(callback):
        raise DifyConfigError(f"{name} must be a function, got {type(callback).__name__}")
    while isinstance(callback, partial):
        callback = callback.func
    for function in (callback, type(callback).__call__):
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise DifyConfigError(
                f"{name} must be a plain function, got a coroutine function, which is never awaited;"
                " let a plain function start a task or put its arguments in a queue"
            )


def body_of(**fields: object) -> bytes:
    """A JSON body; what is None is left out."""
    return encoded({name: value for name, value in fields.items() if value is not None})


def encoded(value: object) -> bytes:
    """A value as JSON.

    By the json of Python, since msgspec writes bytes in base64 and NaN as null, which nobody means.
    """
    try:
        plain = msgspec.to_builtins(value, builtin_types=_NO_JSON, str_keys=True)
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:  # half of a surrogate pair is a ValueError
        raise DifyConfigError(f"the body cannot be written as JSON: {type(error).__name__}") from None
