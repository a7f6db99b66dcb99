"""What every group of calls stands on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import anyio.to_thread
import msgspec

from dify_async._auth.rules import at_least
from dify_async._endpoints import PROFILE
from dify_async._times import bounds, instant, is_aware
from dify_async.errors import DifyConfigError

if TYPE_CHECKING:
    from dify_async._auth.rules import Version
    from dify_async._pipeline import Pipeline
    from dify_async._server import Server
    from dify_async._times import When

_LARGEST_PAGE: Final = 100
_HALF_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_LAST_PAGE: Final = 99_999
_NO_JSON: Final = (bytes, bytearray, memoryview)
# The zone may be changed in the console at any time, and moves every statistic.
_ZONE_KEPT_FOR: Final = 300.0


class Calls:
    """The pipeline, and the account's time zone."""

    _pipeline: Pipeline
    _server: Server
    _max_concurrency: int
    _zone: ZoneInfo | None = None
    _zone_from: float = 0.0
    _zone_changes: int = 0

    async def _check_version(self, since: Version, **arguments: object) -> None:
        """Refuse what an older server would ignore silently; what is None is not given."""
        given = " and ".join(name for name, value in arguments.items() if value is not None)
        if given:
            version = await self._server.version()
            if not at_least(version, since):
                needed = ".".join(map(str, since)).removesuffix(".0")
                raise DifyConfigError(f"Dify {version} ignores {given}, which came with {needed}")

    async def _range(
        self, start: When | None, end: When | None, *, end_is_exclusive: bool = True
    ) -> tuple[str | None, str | None]:
        """A range on the account's wall clock; its zone is asked for where a bound is aware."""
        zone = await self._account_zone() if is_aware(start) or is_aware(end) else None
        return bounds(start, end, zone, end_is_exclusive=end_is_exclusive)

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
        if self._zone is None or time.monotonic() - self._zone_from > _ZONE_KEPT_FOR:
            changes = self._zone_changes
            name = (await self._pipeline.call(PROFILE)).timezone
            if not name:
                raise DifyConfigError(
                    "the account has no time zone, so no statistics either: set one in its profile"
                )
            try:
                # Its first use reads a file.
                zone = await anyio.to_thread.run_sync(ZoneInfo, name)
            except (ZoneInfoNotFoundError, ValueError):
                raise DifyConfigError(
                    f"the account's time zone {name!r} is not known here: install the package tzdata,"
                    " or pass naive datetimes"
                ) from None
            if changes != self._zone_changes:  # it was set anew meanwhile
                return zone
            self._zone, self._zone_from = zone, time.monotonic()
        return self._zone

    def _forget_zone(self) -> None:
        self._zone = None
        self._zone_changes += 1


def checked_page(page: int, limit: int) -> tuple[tuple[str, int], tuple[str, int]]:
    """The query of one page."""
    return ("page", _within("page", page, _LAST_PAGE)), ("limit", checked_limit(limit))


def checked_limit(limit: int) -> int:
    """A number of rows that the server gives at once."""
    return _within("limit or page_size, the rows at once,", limit, _LARGEST_PAGE)


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
