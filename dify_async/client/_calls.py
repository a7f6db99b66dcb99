"""The base class of the client's groups of methods, and the functions that the groups share."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import msgspec

from dify_async import _checks
from dify_async._api.endpoints import PROFILE
from dify_async._api.paging import MAX_PAGE
from dify_async._ranges import Range, instant_range, minute_range
from dify_async._times import ZoneUse, is_aware, span_of, zone_use
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

# The statuses of a route that the server does not have.
_ROUTE_MISSING: Final = frozenset({404, 405, 410})
_MAX_ROWS: Final = 100
# msgspec leaves these types unchanged, so that json rejects them.
_NOT_JSON: Final = (bytes, bytearray, memoryview)
# In seconds. The account's time zone determines the days of all statistics, and users can change it in the
# console at any time.
_ZONE_TTL: Final = 300.0


class Calls(Uncopyable):
    """A group of the client's methods. Groups derive only from this class, so they stay independent."""

    _instead = "create a client in each process, such as with from_env()"

    _caller: Caller
    _probe: ServerProbe
    _max_concurrency: int
    _zone: ZoneInfo | None = None
    _zone_fetched_at: float = 0.0
    _zone_invalidations: int = 0
    _zone_lock: anyio.Lock

    def _now(self) -> datetime:
        """The current time, which determines today's date. Clients of a fake server override it."""
        return datetime.now(UTC)

    async def _check_version(self, fact: Fact, **arguments: object) -> None:
        """Reject arguments that an older server would silently ignore. None means "not given"."""
        given = " and ".join(name for name, value in arguments.items() if value is not None)
        if given and not await self._probe.supports(fact):
            needed = ".".join(map(str, fact.since)).removesuffix(".0")
            version = await self._probe.version()
            raise DifyConfigError(f"Dify {version} ignores {given}; upgrade the server to {needed} or newer")

    async def _call_first(self, *calls: tuple[Endpoint[T], bytes | None]) -> T:
        """Call the first of these routes that the server has, and return the result."""
        *preferred, (last_endpoint, last_body) = calls
        for endpoint, body in preferred:
            try:
                return await self._caller.call(endpoint, body=body)
            except DifyStatusError as error:
                if error.status not in _ROUTE_MISSING:
                    raise
        return await self._caller.call(last_endpoint, body=last_body)

    async def _minute_range(self, start: When | None, end: When | None) -> Range | None:
        """A range of minutes, or None if it is empty. Requests the account's time zone if it has a bound."""
        if start is None and end is None:
            return Range()
        try:
            zone = await self._account_zone()
        except DifyConfigError:
            if is_aware(start) or is_aware(end):
                raise
            zone = None  # only times that occur twice or are skipped would be wrong
        return minute_range(start, end, zone)

    async def _span(self, start: When | None, end: When | None) -> Span:
        """A range of days. The account's time zone is requested only if a bound is aware or a midnight."""
        use = zone_use(start, end)
        zone = None
        if use is ZoneUse.CONVERSION:
            zone = await self._account_zone()
        elif use is ZoneUse.MIDNIGHTS:
            try:
                zone = await self._account_zone()
            except DifyConfigError:
                zone = None  # only a midnight that occurs twice or is skipped would be wrong
        return span_of(start, end, zone)

    async def _instant_range(self, start: When | None, end: When | None) -> Range | None:
        """A range of instants, or None if it is empty. Requests the account's time zone for naive bounds."""
        is_known = all(bound is None or is_aware(bound) for bound in (start, end))
        return instant_range(start, end, UTC if is_known else await self._account_zone())

    async def _account_zone(self) -> ZoneInfo:
        if (zone := self._cached_zone()) is None:
            async with self._zone_lock:  # concurrent calls request it only once
                zone = self._cached_zone() or await self._request_zone()
        return zone

    def _cached_zone(self) -> ZoneInfo | None:
        return None if time.monotonic() - self._zone_fetched_at > _ZONE_TTL else self._zone

    async def _request_zone(self) -> ZoneInfo:
        invalidations = self._zone_invalidations
        name = (await self._caller.call(PROFILE)).timezone
        if not name:
            raise DifyConfigError(
                "the account has no time zone, which statistics require; set one with set_timezone()"
            )
        zone = await anyio.to_thread.run_sync(find_zone, name)
        if invalidations == self._zone_invalidations:  # not changed during the request
            self._zone, self._zone_fetched_at = zone, time.monotonic()
        return zone

    def _forget_zone(self) -> None:
        self._zone = None
        self._zone_invalidations += 1


def checked_page(page: int) -> int:
    """The number of a page, after checking it."""
    return _checks.integer("page", page, maximum=MAX_PAGE)


def checked_limit(limit: int, *, name: str = "limit") -> int:
    """The number of rows per page, after checking it."""
    return _checks.integer(name, limit, maximum=_MAX_ROWS)


def body_of(**fields: object) -> bytes:
    """The fields as a JSON body, without those that are None."""
    return encoded({name: value for name, value in fields.items() if value is not None})


def encoded(value: object) -> bytes:
    """The value as JSON.

    Python's json encodes it, because msgspec would encode bytes as base64 and NaN as null.
    """
    try:
        plain = msgspec.to_builtins(value, builtin_types=_NOT_JSON, str_keys=True)
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:  # a lone surrogate is a ValueError
        raise DifyConfigError(f"the body must be JSON-serializable: {error}") from None
