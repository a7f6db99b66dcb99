"""A call, from its arguments to its answer."""

from __future__ import annotations

import math
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from dify_async._auth.grant import ANONYMOUS
from dify_async._http.retry import Tries
from dify_async._http.transport import Request
from dify_async._http.wire import (
    UNREADABLE,
    Reply,
    decode_error,
    is_about_the_token,
    status_error,
)
from dify_async._tasks import for_each
from dify_async.errors import (
    OUTCOME_UNKNOWN,
    DifyDecodeError,
    DifyUnknownOutcomeError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from yarl import URL

    from dify_async._auth.grant import Auth
    from dify_async._http.limiter import AdaptiveLimiter
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.urls import Query
    from dify_async.errors import DifyStatusError
    from dify_async.models import CursorPage, Page

    from .endpoints import Endpoint
    from .probe import ServerProbe


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T")
RowT = TypeVar("RowT", bound=_HasId)

# From the store, renewed, signed in: a call that is refused after that always will be.
_MAX_REFRESHES: Final = 3
# The total is what the server says, and need not be true.
_MAX_PAGES_AT_ONCE: Final = 100
# Dify refuses a greater number.
MAX_PAGE: Final = 99_999
# A list may grow while it is read, but not to more than twice its length and these pages.
_SPARE_PAGES: Final = 10
# Of proxies that passed it on and got no answer; 520 to 524 are Cloudflare's.
_GATEWAY_FAILURES: Final = frozenset({502, 504, 520, 522, 524})


class Caller:
    """Makes the calls of one client."""

    def __init__(
        self, sender: Sender, probe: ServerProbe, auth: Auth, limiter: AdaptiveLimiter, policy: RetryPolicy
    ) -> None:
        self._sender = sender
        self._transport = sender.transport
        self._probe = probe
        self._auth = auth
        self._limiter = limiter
        self._policy = policy

    def check(self) -> None:
        """Raise unless the client is open, in this event loop."""
        self._transport.check()

    async def call(
        self, endpoint: Endpoint[T], ids: tuple[str, ...] = (), query: Query = (), body: bytes | None = None
    ) -> T:
        """The whole story of a call."""
        self._transport.check()
        url = self._transport.url(endpoint.path, ids, query)
        tries = Tries(self._policy, endpoint.repeat)
        renewals = 0
        while True:
            grant = self._auth.grant if endpoint.signed else ANONYMOUS
            if grant is None:
                self._transport.check()  # it may have been closed while this waited
                await self._auth.obtain()
                continue
            if grant.renew_at < time.monotonic():
                self._auth.renew_ahead(grant)
            headers = grant.headers if body is None else grant.headers_with_body
            request = Request(endpoint.method, endpoint.path, url, headers, body, endpoint.changes)
            upgrades = self._probe.upgrades
            reply = await self._sender(request, tries, self._limiter)
            self._probe.see(reply, upgrades)
            attempts = tries.used - tries.refused
            if 200 <= reply.status < 300:
                grant.accepted = True
                return self._decoded(endpoint, url, reply)
            if reply.status == 404 and endpoint.method == "DELETE" and tries.may_have_done_it:
                return self._decoded(endpoint, url, Reply(204, reply.headers, b""))
            error = self._refusal(endpoint, url, reply, attempts)
            if not (endpoint.signed and is_about_the_token(error)) or renewals == _MAX_REFRESHES:
                raise error
            self._transport.check()
            # A grant that was replaced while this call stood in line costs no renewal.
            renewals += grant is self._auth.grant
            await self._auth.renew(
                grant, error, f"{endpoint.method} {endpoint.path}", again=tries.refused > 0
            )
            tries.refused += 1

    def _decoded(self, endpoint: Endpoint[T], url: URL, reply: Reply) -> T:
        try:
            return endpoint.decode(reply.body)
        except UNREADABLE as error:
            raise decode_error(endpoint.method, self._transport.path_of(url), reply, error) from None

    def _refusal(self, endpoint: Endpoint[T], url: URL, reply: Reply, attempts: int) -> DifyStatusError:
        error = status_error(endpoint.method, self._transport.path_of(url), reply, attempts)
        if endpoint.changes and reply.status in _GATEWAY_FAILURES:
            raise DifyUnknownOutcomeError(f"{error}; the answer was lost behind a gateway: {OUTCOME_UNKNOWN}")
        return error

    async def all_rows(
        self, endpoint: Endpoint[Page[RowT]], query: Query, page_size: int, workers: int
    ) -> list[RowT]:
        """The same as `rows`, with those pages at once that the first one tells of."""
        pages: dict[int, Page[RowT]] = {}

        async def get(page: int) -> None:
            if all(one.has_more for one in pages.values()):
                asked = (*query, ("page", page), ("limit", page_size))
                pages[page] = await self.call(endpoint, (), asked)

        await get(1)
        count = math.ceil(pages[1].total / page_size)
        await for_each(range(2, min(count, _MAX_PAGES_AT_ONCE) + 1), get, workers)
        return [row async for row in self.rows(endpoint, (), query, page_size, pages)]

    async def rows(
        self,
        endpoint: Endpoint[Page[RowT]],
        ids: tuple[str, ...],
        query: Query,
        page_size: int,
        got: Mapping[int, Page[RowT]] = MappingProxyType({}),
    ) -> AsyncIterator[RowT]:
        """The rows of all pages, each once.

        Rows made in one second straddle pages (1.11.2: 30 rows over 3 pages held 29 ids), so the
        total says little; a page that brings nothing new ends it.

        Raises:
            DifyDecodeError: It goes on far past its total.
        """
        seen: set[str] = set()
        page, last, has_more = 0, MAX_PAGE, True
        while has_more:
            page += 1
            if page > last:
                raise _endless(endpoint, last)
            answer = got.get(page)
            if answer is None:
                answer = await self.call(endpoint, ids, (*query, ("page", page), ("limit", page_size)))
            known = len(seen)
            for row in answer.data:
                if row.id not in seen:
                    seen.add(row.id)
                    yield row
            has_more = answer.has_more and len(seen) > known
            if answer.total:
                last = min(2 * math.ceil(answer.total / page_size) + _SPARE_PAGES, MAX_PAGE)

    async def cursor_rows(
        self,
        endpoint: Endpoint[CursorPage[RowT]],
        ids: tuple[str, ...],
        query: Query,
        cursor: str,
        limit: int,
        *,
        is_backward: bool = False,
    ) -> AsyncIterator[RowT]:
        """The rows of all parts, each once; `cursor` names the row behind which a part begins.

        Backward, a part is in the order of the rows but goes before the last one. A part that brings
        nothing new ends it.

        Raises:
            DifyDecodeError: It goes on past any length.
        """
        seen: set[str] = set()
        behind: str | None = None
        parts, has_more = 0, True
        while has_more:
            parts += 1
            if parts > MAX_PAGE:
                raise _endless(endpoint, MAX_PAGE)
            answer = await self.call(endpoint, ids, (*query, (cursor, behind), ("limit", limit)))
            known = len(seen)
            for row in reversed(answer.data) if is_backward else answer.data:
                behind = row.id
                if row.id not in seen:
                    seen.add(row.id)
                    yield row
            has_more = answer.has_more and len(seen) > known


def _endless(endpoint: Endpoint[Page[RowT]] | Endpoint[CursorPage[RowT]], pages: int) -> DifyDecodeError:
    return DifyDecodeError(
        f"{endpoint.method} {endpoint.path}: the server still announces more rows after {pages} pages;"
        " its list has no end. Check for a proxy that changes answers"
    )
