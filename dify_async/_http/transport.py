"""Sends one request and reads its answer. The only module that makes connections with aiohttp."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from yarl import URL

from dify_async import _checks
from dify_async.errors import DifyConfigError, DifyDecodeError, DifyError

from .failures import FailedAttempt, Kind, failure_of
from .urls import API_ROOT, build_target
from .wire import Reply

if TYPE_CHECKING:
    from .retry import Safety
    from .urls import Proxy, Query
    from .wire import Request

# Dify's gunicorn closes connections that were idle for 2.0 s, and each idle one occupies one of the
# worker's 10 connections (on 1.15 without a worker class: for minutes). aiohttp looks for idle connections
# once per this time, so one is kept for at most twice as long: 1.4 s.
_KEEP_ALIVE: Final = 0.7
_CONNECT_TIMEOUT: Final = 10.0
# At most about 20 MB: search terms may be long, and differ each time.
_MAX_URLS: Final = 8192
_MAX_TARGET_LENGTH: Final = 512
# The limit of browsers: some proxies send long policies, and aiohttp's default is 8,190 bytes.
_MAX_HEADER: Final = 2**16
# Other tasks run after so many bytes: 64 MiB may be decompressed from one packet.
_PAUSE_AFTER: Final = 2**18
_HEADERS: Final = {
    "Accept": "application/json",
    # Without zstd, which takes 24 µs more for a small answer.
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "dify-async",
}

# The resolver raises a UnicodeError for a host name that it cannot encode (requests#5367).
_FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError, UnicodeError)
_NOT_HTTP: Final = (aiohttp.ClientResponseError, HttpProcessingError)
# The first that matches counts.
_KINDS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], Kind], ...]] = (
    (aiohttp.ConnectionTimeoutError, Kind.CONNECT_TIMEOUT),
    (TimeoutError, Kind.TIMEOUT),
    ((UnicodeError, aiohttp.InvalidURL), Kind.INVALID_HOST),
    (aiohttp.ServerFingerprintMismatch, Kind.OTHER_FINGERPRINT),
    (aiohttp.ClientHttpProxyError, Kind.REJECTED_BY_PROXY),
    (aiohttp.ClientConnectorError, Kind.CANNOT_CONNECT),
    (_NOT_HTTP, Kind.NOT_HTTP),
    ((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError), Kind.DISCONNECTED),
)


def _kind_of(error: Exception) -> Kind:
    # aiohttp's LineTooLong; its parser in C keeps only the message.
    if isinstance(error, _NOT_HTTP) and error.message.startswith("Got more than"):
        return Kind.HEADER_TOO_LONG
    # A body that ends early is a ClientPayloadError too, but then the connection broke.
    if isinstance(error.__cause__, ContentEncodingError):
        return Kind.NOT_HTTP
    return next((kind for types, kind in _KINDS if isinstance(error, types)), Kind.OTHER)


class _Body(aiohttp.payload.Payload):
    """A body that knows whether writing it has begun; before that, nothing of the request was sent."""

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
        proxy: Proxy | None,
    ) -> None:
        if not isinstance(ssl, bool | ssl_module.SSLContext):
            raise DifyConfigError(
                f"ssl must be an ssl.SSLContext, True or False, got {_checks.shown(ssl)};"
                " pass ssl.create_default_context(cafile=…)"
            )
        if session is not None:
            _checks.instance("session", session, aiohttp.ClientSession, "an aiohttp.ClientSession")
        url = URL(base_url)
        self.base_url = base_url
        self.host = url.raw_host or ""
        self.port = url.port or 0
        self._root = str(url).rstrip("/") + API_ROOT
        self._base_path = url.path.rstrip("/")
        self._callers_session = session
        self._timeout = timeout
        # Shorter than `timeout`, since nothing was sent if connecting timed out.
        self._connect_timeout = min(_CONNECT_TIMEOUT, timeout / 2)
        self._max_response_bytes = max_response_bytes
        self._ssl = ssl
        self._proxy = None if proxy is None else proxy.url
        authorization = None if proxy is None else proxy.authorization
        self._proxy_headers = None if authorization is None else {"Proxy-Authorization": authorization}
        self._is_plain = url.scheme == "http"
        self._session: aiohttp.ClientSession | None = None
        self._has_answered = False
        self._takes_calls = False
        self._loop: asyncio.AbstractEventLoop | None = None
        # A new URL costs 7 to 13 µs, a cached one almost nothing.
        self._urls: dict[tuple[str, tuple[str, ...], Query], URL] = {}

    def url(self, template: str, ids: tuple[str, ...], query: Query) -> URL:
        """The URL of a call; raises DifyConfigError for an invalid id or filter."""
        key = template, ids, query
        try:
            url = self._urls.get(key)
        except TypeError:  # an id or a filter is not text, which `build_target` reports
            url = None
        if url is None:
            target = build_target(template, ids, query)
            url = URL(self._root + target, encoded=True)
            if len(target) <= _MAX_TARGET_LENGTH:
                if len(self._urls) >= _MAX_URLS:
                    del self._urls[next(iter(self._urls))]
                self._urls[key] = url
        return url

    async def open(self) -> None:
        """Create the session, in the event loop that uses it."""
        theirs = self._callers_session
        connector: aiohttp.BaseConnector
        if theirs is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE, ssl=self._ssl)
            traces = None
        elif theirs.closed or theirs.connector is None:
            raise DifyConfigError("session must be open, got a closed one")
        elif theirs._loop is not asyncio.get_running_loop():  # noqa: SLF001 - no public name any more
            raise DifyConfigError("session must be of this event loop, got one of another event loop")
        else:
            connector, traces = theirs.connector, theirs.trace_configs
        # Cookies are sent as headers: a jar drops Secure cookies over http, and cookies of IP addresses.
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=theirs is None,
            cookie_jar=aiohttp.DummyCookieJar(),
            # For http a proxy reads its password from the request, for https from the CONNECT.
            headers={**_HEADERS, **((self._is_plain and self._proxy_headers) or {})},
            proxy=self._proxy,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
            trace_configs=traces,
            max_line_size=_MAX_HEADER,
            max_field_size=_MAX_HEADER,
        )
        # aiohttp would retry a GET on a broken connection, in addition to our attempts.
        self._session._retry_connection = False  # noqa: SLF001 - as aiohttp's own TestClient does
        self._loop = asyncio.get_running_loop()
        self._takes_calls = True

    @property
    def is_open(self) -> bool:
        """Whether the session exists."""
        return self._session is not None

    def refuse_calls(self) -> None:
        """Reject new calls; a refresh that is under way may finish."""
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
        """Close the session and its requests; the connector of a caller's session stays open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def check_not_closed(self) -> None:
        """Raise if it was closed while a call waited."""
        if not self._takes_calls:
            raise DifyError("the client was closed")

    def check(self) -> None:
        """Raise DifyError unless the transport is open, in this event loop."""
        if not self._takes_calls:
            raise DifyError("the client is not open; use it inside `async with AsyncDifyServer(...)`")
        if self._loop is not asyncio.get_running_loop():
            raise DifyError("the client was opened in another event loop; enter it in the loop that uses it")

    def path_of(self, url: URL) -> str:
        """The path below /console/api, for error messages."""
        return url.raw_path.partition(API_ROOT)[2]

    async def send(self, request: Request, safety: Safety) -> Reply:
        """Send a request once.

        Raises:
            DifyUnknownOutcomeError: The answer was lost, and the request may change something.
            DifyConnectionError: The request was not sent, or the answer was lost and nothing can change.
            DifyDecodeError: The answer is too large, or it is not HTTP and nothing can change.
        """
        session = self._session
        if session is None:
            raise DifyError("the client was closed")
        if session.closed:
            raise DifyError("the session passed in was closed while the client is open")
        body = None if request.body is None else _Body(request.body)
        try:
            # asyncio's timeout takes 3 µs, aiohttp's 5, anyio's 7. It covers the body too.
            async with (
                asyncio.timeout(self._timeout),
                session.request(
                    request.method,
                    request.url,
                    headers=request.headers,
                    data=body,
                    allow_redirects=False,
                    proxy_headers=self._proxy_headers,
                ) as answer,
            ):
                self._has_answered = True
                sent = request.headers
                if self._proxy_headers is not None:
                    sent = {**sent, **self._proxy_headers}
                reply = Reply(answer.status, answer.headers, await self._read(answer), self._base_path, sent)
                if reply.version:
                    self._base_path = ""  # it is right, so hints don't mention it
                return reply
        except _FAILURES as error:
            attempt = FailedAttempt(
                kind=_kind_of(error),
                call=f"{request.method} {self.path_of(request.url)}",
                scheme=request.url.scheme,
                server=f"{self.host}:{self.port}",
                changes=safety.changes,
                may_be_sent=body is None or body.has_begun,
                has_answered=self._has_answered,
                is_proxied=self._proxy is not None,
                timeout=self._timeout,
                connect_timeout=self._connect_timeout,
                ssl_argument="ssl=" if self._callers_session is None else "the session's connector ssl=",
                peer=f"{getattr(error, 'host', '')}:{getattr(error, 'port', '')}",
                is_tls=getattr(error, "ssl", False) is not False,
                proxy_status=getattr(error, "status", 0),
            )
            failure = failure_of(error, attempt)
        # Not in the except block: the context would be aiohttp's error, whose headers may contain tokens.
        raise failure

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        chunks = []
        left = self._max_response_bytes
        pause_at = left - _PAUSE_AFTER
        while chunk := await answer.content.readany():
            left -= len(chunk)
            if left < 0:
                answer.close()
                raise DifyDecodeError(
                    f"{answer.method} {self.path_of(answer.url)}: the answer is larger than"
                    f" max_response_bytes={self._max_response_bytes}"
                )
            chunks.append(chunk)
            if left < pause_at:
                pause_at = left - _PAUSE_AFTER
                await asyncio.sleep(0)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
