"""Sends requests and reads the responses. Only this module opens connections with aiohttp."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from yarl import URL

from dify_async import _checks
from dify_async.errors import DifyConfigError, DifyDecodeError, DifyError

from .extras import with_session
from .failures import FailedAttempt, FailureKind, failure_of
from .urls import API_ROOT, build_target
from .wire import Reply

if TYPE_CHECKING:
    from .extras import Extras
    from .retry import Safety
    from .urls import Query
    from .wire import Request

# In seconds. Dify's gunicorn closes connections after 2.0 s without a request (Dify 1.15 without a worker
# class: after minutes), and each idle connection occupies one of a worker's 10 connections. aiohttp checks
# for idle connections once per interval of this length, so it closes them after at most 1.4 s.
_KEEP_ALIVE: Final = 0.7
_CONNECT_TIMEOUT: Final = 10.0
# These limits keep the cache of URLs below about 20 MB: search terms may be long, and differ each time.
_MAX_URLS: Final = 8192
_MAX_TARGET_LENGTH: Final = 512
# In bytes, as in browsers: some proxies send long policy headers, and aiohttp's default is 8,190.
_MAX_HEADER_LENGTH: Final = 2**16
# Let other tasks run each time this many bytes were read: one packet may decompress to 64 MiB.
_PAUSE_AFTER_BYTES: Final = 2**18
_HEADERS: Final = {
    "Accept": "application/json",
    # zstd is omitted because it takes 24 µs longer for a small response.
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "dify-async",
}

# The resolver raises a UnicodeError for a host name that it cannot encode (requests#5367).
_FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError, UnicodeError)
_NOT_HTTP: Final = (aiohttp.ClientResponseError, HttpProcessingError)
# The first matching entry applies.
_KINDS_BY_ERROR: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], FailureKind], ...]] = (
    (aiohttp.ConnectionTimeoutError, FailureKind.CONNECT_TIMEOUT),
    (TimeoutError, FailureKind.TIMEOUT),
    ((UnicodeError, aiohttp.InvalidURL), FailureKind.INVALID_HOST),
    (aiohttp.ServerFingerprintMismatch, FailureKind.OTHER_FINGERPRINT),
    (aiohttp.ClientHttpProxyError, FailureKind.REJECTED_BY_PROXY),
    (aiohttp.ClientConnectorError, FailureKind.CANNOT_CONNECT),
    (_NOT_HTTP, FailureKind.NOT_HTTP),
    ((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError), FailureKind.DISCONNECTED),
)


def _kind_of(error: Exception) -> FailureKind:
    # This is aiohttp's LineTooLong: its C parser keeps only the message.
    if isinstance(error, _NOT_HTTP) and error.message.startswith("Got more than"):
        return FailureKind.HEADER_TOO_LONG
    # A body that cannot be decompressed. A body that ends early is also a ClientPayloadError, but then the
    # connection was lost.
    if isinstance(error.__cause__, ContentEncodingError):
        return FailureKind.NOT_HTTP
    return next((kind for types, kind in _KINDS_BY_ERROR if isinstance(error, types)), FailureKind.OTHER)


class _Body(aiohttp.payload.Payload):
    """A body that records whether writing has begun; until then, no part of the request was sent."""

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
    """Sends requests to one server, with its own aiohttp session."""

    def __init__(
        self,
        base_url: str,
        *,
        session: aiohttp.ClientSession | None,
        timeout: float,
        max_response_bytes: int,
        ssl: bool | ssl_module.SSLContext,
        extras: Extras,
    ) -> None:
        if not isinstance(ssl, bool | ssl_module.SSLContext):
            raise DifyConfigError(
                f"ssl must be an ssl.SSLContext, True or False, got {_checks.shown(ssl)};"
                " pass ssl.create_default_context(cafile=…)"
            )
        if session is not None:
            _checks.instance("session", session, aiohttp.ClientSession, "an aiohttp.ClientSession")
        self.base_url = base_url
        self._url = url = URL(base_url)
        self.host: str = url.raw_host or ""
        self.port: int = url.port or 0
        self._root = str(url).rstrip("/") + API_ROOT
        # For the hints in errors; cleared once a response shows that the path is correct.
        self._base_path = url.path.rstrip("/")
        self._callers_session = session
        self._timeout = timeout
        # Shorter than `timeout`, to distinguish a timeout while connecting: in that case, nothing was sent.
        self._connect_timeout = min(_CONNECT_TIMEOUT, timeout / 2)
        self._max_response_bytes = max_response_bytes
        self._ssl = ssl
        self._proxy_headers: dict[str, str] | None = None
        self._given = extras
        self.extras: Extras = extras  # with those of the session, once the transport is open
        self._session: aiohttp.ClientSession | None = None
        self._has_answered = self._accepts_calls = False
        self._loop: asyncio.AbstractEventLoop | None = None
        # Cached, because building a URL takes 7 to 13 µs.
        self._urls: dict[tuple[str, tuple[str, ...], Query], URL] = {}

    def url(self, template: str, ids: tuple[str, ...], query: Query) -> URL:
        """Return the URL of a call; raise DifyConfigError for an invalid id or filter."""
        key = template, ids, query
        try:
            url = self._urls.get(key)
        except TypeError:  # an id or a filter is unhashable; `build_target` reports it
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
        """Create the session; it can only be used in the current event loop."""
        session = self._callers_session
        if session is not None:
            self.extras = await with_session(self._given, session, self._url)
        if self._session is not None:  # possibly opened in the meantime
            raise DifyError("the client is open already")
        self._proxy_headers = self.extras.proxy_headers
        # Cookies are sent as headers: a jar drops Secure cookies over http, and cookies from IP addresses.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE, ssl=self._ssl)
            if session is None
            else session.connector,
            connector_owner=session is None,
            cookie_jar=aiohttp.DummyCookieJar(),
            # aiohttp sends these to proxies too, so the caller's headers are not here. A proxy expects its
            # password in the request for http, and in the CONNECT request for https.
            headers={**_HEADERS, **((self._url.scheme == "http" and self._proxy_headers) or {})},
            proxy=self.extras.proxy_url,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
            trace_configs=None if session is None else session.trace_configs,
            middlewares=() if session is None else session._middlewares,  # noqa: SLF001 - has no public name
            max_line_size=_MAX_HEADER_LENGTH,
            max_field_size=_MAX_HEADER_LENGTH,
        )
        # Otherwise aiohttp would retry a GET on a broken connection, in addition to our retries.
        self._session._retry_connection = False  # noqa: SLF001 - as aiohttp's own TestClient does
        self._loop = asyncio.get_running_loop()
        self._accepts_calls = True

    def refuse_calls(self) -> None:
        """Reject new calls; a token refresh in progress may finish."""
        self._accepts_calls = False

    def abandon(self) -> bool:
        """Discard the session, and return True, if its event loop was closed and with it the connections.

        Raises:
            DifyError: The session belongs to another event loop, which is not closed.
        """
        if self._session is None or self._loop is asyncio.get_running_loop():
            return False
        if self._loop is not None and not self._loop.is_closed():
            raise DifyError("the client was opened in another event loop; close it there")
        self._session.detach()
        self._session = None
        return True

    async def close(self) -> None:
        """Close the session and its connections, except those of a session that the caller passed in."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def check_not_closed(self) -> None:
        """Raise DifyError if the transport was closed while a call waited."""
        if not self._accepts_calls:
            raise DifyError("the client was closed")

    def check(self) -> None:
        """Raise DifyError unless the transport is open and belongs to the current event loop."""
        if not self._accepts_calls:
            raise DifyError(
                "the client is not open; use it inside `async with AsyncDifyServer(...)` or call open() first"
            )
        if self._loop is not asyncio.get_running_loop():
            raise DifyError("the client was opened in another event loop; open it in the loop that uses it")

    def path_of(self, url: URL) -> str:
        """The part of the URL's path after /console/api, for error messages."""
        return url.raw_path.partition(API_ROOT)[2]

    async def send(self, request: Request, safety: Safety) -> Reply:
        """Send a request once, without retries, and return the response.

        Raises:
            DifyUnknownOutcomeError: The response was lost, and the request may have changed something.
            DifyConnectionError: The request was not sent, or it changes nothing and the response was lost.
            DifyDecodeError: The response is too large, or the request changes nothing and the response is
                not valid HTTP.
        """
        if (session := self._session) is None:
            raise DifyError("the client was closed")
        if session.closed:
            raise DifyError("the session passed in was closed while the client is open")
        headers = request.headers
        if self.extras.headers:
            headers = self.extras.added_to(headers)
        body = None if request.body is None else _Body(request.body)
        try:
            # asyncio.timeout takes 3 µs, aiohttp's timeout 5 and anyio's 7. It also covers reading the body.
            async with (
                asyncio.timeout(self._timeout),
                session.request(
                    request.method,
                    request.url,
                    headers=headers,
                    data=body,
                    allow_redirects=False,
                    proxy_headers=self._proxy_headers,
                ) as response,
            ):
                self._has_answered = True
                if self._proxy_headers is not None:
                    headers = {**headers, **self._proxy_headers}
                reply = Reply(
                    response.status, response.headers, await self._read(response), self._base_path, headers
                )
                if self._base_path and reply.version:
                    self._base_path = ""  # the path is correct, so hints need not mention it
                return reply
        except _FAILURES as error:
            attempt = FailedAttempt(
                kind=_kind_of(error),
                call=f"{request.method} {self.path_of(request.url)}",
                base_url=self.base_url,
                server=f"{self.host}:{self.port}",
                changes=safety.changes,
                may_be_sent=body is None or body.has_begun,
                has_answered=self._has_answered,
                proxy=str((self.extras.proxy and self.extras.proxy.url) or "").rstrip("/"),
                timeout=self._timeout,
                connect_timeout=self._connect_timeout,
                ssl_argument="ssl=" if self._callers_session is None else "the session's connector ssl=",
                peer=f"{getattr(error, 'host', '')}:{getattr(error, 'port', '')}",
                is_tls=getattr(error, "ssl", False) is not False,
                proxy_status=getattr(error, "status", 0),
            )
            failure = failure_of(error, attempt)
        # Outside the except block, or __context__ would be aiohttp's error, whose headers may have tokens.
        try:
            raise failure
        finally:
            del failure  # its traceback has this frame: they would keep each other

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Read the body, up to the maximum size, and let other tasks run in between."""
        chunks = []
        size, pause_at = 0, _PAUSE_AFTER_BYTES
        while chunk := await response.content.readany():
            size += len(chunk)
            if size > self._max_response_bytes:
                response.close()
                raise DifyDecodeError(
                    f"{response.method} {self.path_of(response.url)}: the response is larger than"
                    f" max_response_bytes={self._max_response_bytes}"
                )
            chunks.append(chunk)
            if size > pause_at:
                pause_at = size + _PAUSE_AFTER_BYTES
                await asyncio.sleep(0)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
