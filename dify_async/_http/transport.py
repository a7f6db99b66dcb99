"""The only importer of aiohttp: one request in, one answer out."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from typing import TYPE_CHECKING, ClassVar, Final

import aiohttp
from yarl import URL

from dify_async.errors import DifyConfigError, DifyDecodeError, DifyError
from dify_async.models._base import Masked

from .failures import FAILURES, Attempt, failure_of
from .urls import API_ROOT, build_target
from .wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .urls import Proxy, Query

# gunicorn, as Dify starts it, closes a connection that was idle for 2.0 s, and an idle one keeps
# one of its worker's 10 places (1.15 without a worker class: for minutes). aiohttp looks for idle
# connections once in this time, so one may be kept for twice as long: 1.4 s.
_KEEP_ALIVE: Final = 0.7
_CONNECT_TIMEOUT: Final = 10.0
# At most about 20 MB: what people search for may be long, and differs each time.
_MAX_URLS: Final = 8192
_MAX_URL_LENGTH: Final = 512
# As much as browsers take, for the long policies of some proxies; aiohttp's default is 8,190 bytes.
_MAX_HEADER: Final = 2**16
# The loop goes on with other tasks after so many bytes: 64 MiB of gzip may come out of one packet.
_PAUSE_AFTER: Final = 2**18
_HEADERS: Final = {
    "Accept": "application/json",
    # A small answer in zstd costs 24 µs more to read.
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "dify-async",
}


class Request(Masked, frozen=True):
    """A request, ready to be sent.

    Attributes:
        route: Its path with {} in the place of each id.
        is_change: Whether its outcome is unknown where the answer is lost.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"headers", "body"})

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
        proxy: Proxy | None,
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
        self._base_path = url.path.rstrip("/")
        self._callers_session = session
        self._timeout = timeout
        # Shorter than the whole, so that it is known that nothing was sent.
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
        # A new URL costs 7 to 13 µs, a known one next to nothing.
        self._urls: dict[tuple[str, tuple[str, ...], Query], URL] = {}

    def url(self, template: str, ids: tuple[str, ...], query: Query) -> URL:
        """The address of a call; raises DifyConfigError where an id or a filter cannot be used."""
        key = template, ids, query
        try:
            known = self._urls.get(key)
        except TypeError:  # of an id or a filter that is no text, which `target` names
            known = None
        if known is not None:
            return known
        text = self._root + build_target(template, ids, query)
        url = URL(text, encoded=True)
        if len(text) <= _MAX_URL_LENGTH:
            if len(self._urls) >= _MAX_URLS:
                del self._urls[next(iter(self._urls))]
            self._urls[key] = url
        return url

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
            # A proxy reads its password from a request over http, and before a tunnel for https.
            headers={**_HEADERS, **((self._is_plain and self._proxy_headers) or {})},
            proxy=self._proxy,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
            trace_configs=traces,
            max_line_size=_MAX_HEADER,
            max_field_size=_MAX_HEADER,
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

    async def close(self) -> None:
        """Close the session, and with it what is under way; a connector passed in stays open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

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
            DifyDecodeError: The answer is too large, or not HTTP and it is no change.
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
                    proxy_headers=self._proxy_headers,
                ) as answer,
            ):
                self._has_answered = True
                sent = request.headers
                if self._proxy_headers is not None:
                    sent = {**sent, **self._proxy_headers}
                return Reply(answer.status, answer.headers, await self._read(answer), self._base_path, sent)
        except FAILURES as error:
            attempt = Attempt(
                call=f"{request.method} {self.path_of(request.url)}",
                scheme=request.url.scheme,
                server=f"{self.host}:{self.port}",
                is_change=request.is_change,
                may_be_sent=body is None or body.has_begun,
                has_answered=self._has_answered,
                timeout=self._timeout,
                connect_timeout=self._connect_timeout,
                ssl_argument="ssl=" if self._callers_session is None else "the session's connector ssl=",
            )
            failure = failure_of(error, attempt)
        # Not above, where aiohttp's error would stay its context: some of them hold headers, so tokens.
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
