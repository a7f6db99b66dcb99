"""The only importer of aiohttp: one request in, one answer out."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from msgspec import Struct
from yarl import URL

from ._paths import API_ROOT, target
from ._tls import lasting_problem
from ._wire import Reply, scrub
from .errors import (
    OUTCOME_UNKNOWN,
    DifyConfigError,
    DifyConnectionError,
    DifyDecodeError,
    DifyError,
    DifyTimeoutError,
    DifyUnknownOutcomeError,
)

if TYPE_CHECKING:
    from ._paths import Query

_FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError)
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.ServerFingerprintMismatch,
)
# gunicorn, as Dify starts it, closes a connection that was idle for 2.0 s, and an idle one keeps
# one of its worker's 10 places (1.15 without a worker class: for minutes). aiohttp looks for idle
# connections once in this time, so one may be kept for twice as long: 1.4 s.
_KEEP_ALIVE: Final = 0.7
_CONNECT_TIMEOUT: Final = 10.0
_KEPT_URLS: Final = 8192
_HEADERS: Final = {
    "Accept": "application/json",
    # A small answer in zstd costs 24 µs more to read.
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "dify-async",
}


class Request(Struct, frozen=True):
    """A request, ready to be sent.

    Attributes:
        route: Its path with {} in the place of each id.
        is_change: Whether its outcome is unknown where the answer is lost.
    """

    method: str
    route: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None
    is_change: bool = False


class _Body(aiohttp.payload.Payload):
    """A body that tells whether it began to be written; before that, nothing was sent of the request."""

    _value: bytes

    def __init__(self, body: bytes) -> None:
        super().__init__(body, content_type="application/json")
        self._size = len(body)
        self.has_begun = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._value.decode(encoding, errors)

    async def write(self, writer: aiohttp.abc.AbstractStreamWriter) -> None:
        self.has_begun = True
        await writer.write(self._value)


class Transport:
    """Sends requests to one server, on a session that it owns."""

    def __init__(
        self,
        base_url: str,
        *,
        session: aiohttp.ClientSession | None,
        timeout: float,
        max_response_bytes: int,
        ssl: bool | ssl_module.SSLContext,
        proxy: str | None,
    ) -> None:
        if not isinstance(ssl, bool | ssl_module.SSLContext):
            raise DifyConfigError(
                f"ssl is {ssl!r:.60}; pass ssl.create_default_context(cafile=…), or False to check nothing"
            )
        if not isinstance(session, aiohttp.ClientSession | None):
            kind = type(session).__name__
            raise DifyConfigError(f"session is of type {kind}; it is an aiohttp.ClientSession")
        url = URL(base_url)
        self.base_url = base_url
        self.host = url.raw_host or ""
        self.port = url.port or 0
        self._root = str(url).rstrip("/") + API_ROOT
        self._callers_session = session
        self._timeout = timeout
        # Shorter than the whole, so that it is known that nothing was sent.
        self._connect_timeout = min(_CONNECT_TIMEOUT, timeout / 2)
        self._max_response_bytes = max_response_bytes
        self._ssl = ssl
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None
        self._has_answered = False
        self._takes_calls = False
        self._loop: asyncio.AbstractEventLoop | None = None
        # A new URL costs 7 to 13 µs, a known one next to nothing.
        self._kept_url = lru_cache(maxsize=_KEPT_URLS)(self._new_url)

    def url(self, template: str, ids: tuple[str, ...], query: Query) -> URL:
        """The address of a call; raises DifyConfigError where an id or a filter cannot be used."""
        try:
            return self._kept_url(template, ids, query)
        except TypeError:  # it cannot be kept, so it is no text either, and is told by name
            return self._new_url(template, ids, query)

    def _new_url(self, template: str, ids: tuple[str, ...], query: Query) -> URL:
        return URL(self._root + target(template, ids, query), encoded=True)

    async def open(self) -> None:
        """Make the session, in the event loop that uses it."""
        theirs = self._callers_session
        connector: aiohttp.BaseConnector
        if theirs is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE, ssl=self._ssl)
            traces = None
        elif theirs.closed or theirs.connector is None:
            raise DifyConfigError("the session passed in is closed")
        elif theirs._loop is not asyncio.get_running_loop():  # noqa: SLF001 - it has no public name any more
            raise DifyConfigError("the session passed in was made in another event loop")
        else:
            connector, traces = theirs.connector, theirs.trace_configs
        # Cookies are ours to send: a jar drops Secure ones over http and those of IP addresses.
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=theirs is None,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            proxy=self._proxy,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
            trace_configs=traces,
        )
        # aiohttp would send a GET twice on a broken connection, past the budget of the call.
        self._session._retry_connection = False  # noqa: SLF001 - as aiohttp's own TestClient does
        self._loop = asyncio.get_running_loop()
        self._takes_calls = True

    @property
    def is_open(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    def refuse_calls(self) -> None:
        """Let nothing new begin; a renewal under way may still end."""
        self._takes_calls = False

    def abandon(self) -> bool:
        """Forget the session if its event loop was closed, and its connections with it.

        Raises:
            DifyError: Its event loop still runs elsewhere.
        """
        if self._session is None or self._loop is asyncio.get_running_loop():
            return False
        if self._loop is not None and not self._loop.is_closed():
            raise DifyError("the client was opened in another event loop: leave it in that loop")
        self._session.detach()
        self._session = None
        return True

    async def close(self) -> None:
        """Close the session, and with it what is under way; a connector passed in stays open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def check_not_closed(self) -> None:
        """Raise if it was closed while a call waited."""
        if not self._takes_calls:
            raise DifyError("the client was closed")

    def check(self) -> None:
        """Raise unless it is open, in this event loop."""
        if not self._takes_calls:
            raise DifyError("the client is not open: use it inside `async with AsyncDifyServer(...)`")
        if self._loop is not asyncio.get_running_loop():
            raise DifyError("the client was opened in another event loop: enter it in the loop that uses it")

    def path_of(self, url: URL) -> str:
        """The path below /console/api, as errors name it."""
        return url.raw_path.partition(API_ROOT)[2]

    async def send(self, request: Request) -> Reply:
        """One attempt.

        Raises:
            DifyUnknownOutcomeError: It is a change and may have been sent.
            DifyConnectionError: It surely was not sent, or it is no change.
            DifyDecodeError: The answer is too large, or not HTTP.
        """
        session = self._session
        if session is None:
            raise DifyError("the client was closed")
        if session.closed:
            raise DifyError("the session passed in was closed while the client is open")
        body = None if request.body is None else _Body(request.body)
        try:
            # asyncio's timeout costs 3 µs, aiohttp's own 5, anyio's 7; and it covers the body.
            async with (
                asyncio.timeout(self._timeout),
                session.request(
                    request.method,
                    request.url,
                    headers=request.headers,
                    data=body,
                    allow_redirects=False,
                ) as answer,
            ):
                self._has_answered = True
                return Reply(answer.status, answer.headers, await self._read(answer))
        except _FAILURES as error:
            failure = self._explained(error, request, may_be_sent=body is None or body.has_begun)
        # Not above, where aiohttp's error would stay its context: some of them hold headers, so tokens.
        raise failure

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        chunks = []
        left = self._max_response_bytes
        while chunk := await answer.content.readany():
            left -= len(chunk)
            if left < 0:
                answer.close()
                raise DifyDecodeError(
                    f"{answer.method} {self.path_of(answer.url)}: the answer is larger than"
                    f" max_response_bytes={self._max_response_bytes}"
                )
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _explained(self, error: Exception, request: Request, *, may_be_sent: bool) -> DifyError:
        call = f"{request.method} {self.path_of(request.url)}"
        if isinstance(error, _NOT_SENT):
            return self._not_sent(error, call)
        if not may_be_sent:  # the name of the host was not found out, or no connection came free
            if isinstance(error, TimeoutError):
                return DifyTimeoutError(f"{call}: no connection within {self._timeout:g} s", sent=False)
            return DifyConnectionError(
                f"{call}: no connection: {scrub(str(error) or repr(error))}", sent=False
            )
        # A TLS server closes on plain text, or sends an alert of a few bytes.
        is_in_doubt = request.url.scheme == "http" and not self._has_answered
        hint = "; base_url is http://, does the server speak https?" if is_in_doubt else ""
        # A body that was cut short is a ClientPayloadError too, of a connection that broke.
        if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError) or isinstance(
            error.__cause__, ContentEncodingError
        ):
            return DifyDecodeError(
                f"{call}: the answer is not HTTP that can be read ({type(error).__name__}){hint}"
            )
        timed_out = isinstance(error, TimeoutError)
        reason = f"no answer within {self._timeout:g} s" if timed_out else scrub(str(error) or repr(error))
        reason += hint
        if request.is_change:
            return DifyUnknownOutcomeError(f"{call}: the answer was lost ({reason}): {OUTCOME_UNKNOWN}")
        return (DifyTimeoutError if timed_out else DifyConnectionError)(f"{call}: {reason}")

    def _not_sent(self, error: Exception, call: str) -> DifyError:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return DifyTimeoutError(f"{call}: no connection within {self._connect_timeout:g} s", sent=False)
        reason, may_pass = scrub(str(error)), True
        if isinstance(error, aiohttp.ClientHttpProxyError):
            # Its text holds the proxy's URL, and that may hold a password.
            reason = f"the proxy answered {error.status}"
        elif isinstance(error, aiohttp.ServerFingerprintMismatch):
            server = f"{error.host}:{error.port}"
            reason, may_pass = f"the certificate of {server} is not the one that the session pins", False
        elif isinstance(error, aiohttp.ClientConnectorError):
            taker = "ssl=" if self._callers_session is None else "the session's connector ssl="
            problem = lasting_problem(error.os_error, f"{error.host}:{error.port}", taker)
            reason, may_pass = problem or _told(error), problem is None
        return DifyConnectionError(f"{call}: no connection: {reason}", sent=False, may_pass=may_pass)


def _told(error: aiohttp.ClientConnectorError) -> str:
    # An OSError that asyncio raises itself has no text, and aiohttp writes [None].
    text = scrub(str(error)).replace("[None]", f"[{type(error.os_error).__name__}]")
    broken_off = error.ssl is not False and isinstance(error.os_error, ConnectionResetError)
    return f"{text}; TLS was broken off: have client and server a version in common?" if broken_off else text
