"""One call, from its arguments to its result, and what authenticates it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct

from dify_async._http.failures import unread_module
from dify_async._http.retry import Attempts
from dify_async._http.wire import UNREADABLE, Reply, Request, decode_error, is_about_the_token, status_error
from dify_async.errors import OUTCOME_UNKNOWN, DifyUnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from yarl import URL

    from dify_async._http.limiter import AdaptiveLimiter
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.transport import Transport
    from dify_async._http.urls import Query
    from dify_async.errors import DifyStatusError

    from .endpoints import Decode, Endpoint

T = TypeVar("T")

# From the token store, from a refresh, from a login: a call that rejects all three rejects any credentials.
_MAX_REFRESHES: Final = 3
# Sent by proxies that forwarded a request and got no response; 520 to 524 are Cloudflare's.
_GATEWAY_FAILURES: Final = frozenset({502, 504, 520, 522, 524})


class _NoCredentialsError(Exception):
    """A call has its slot but no credentials; it waits for them without the slot."""


class Credentials(Struct, eq=False):
    """The headers that authenticate a call.

    Compared by identity, because tokens issued within one second may be equal.

    Attributes:
        headers: The headers to send.
        accepted: Whether the server has accepted them on any route.
        refresh_at: When to refresh them in the background, by the monotonic clock.
    """

    headers: Mapping[str, str]
    accepted: bool = False
    refresh_at: float = math.inf

    def __repr__(self) -> str:
        return f"{type(self).__name__}(headers=***)"


class Auth:
    """Authenticates calls. By default, the methods do nothing.

    Attributes:
        credentials: The credentials for the next call; None if the call must wait for `ensure()`.
    """

    credentials: Credentials | None = None

    async def ensure(self) -> None:
        """Get credentials if there are none."""

    async def replace(
        self, rejected: Credentials, error: Callable[[], DifyStatusError], route: str, /, *, retried: bool
    ) -> None:
        """Replace the credentials that a route rejected; raise `error()` if new ones would not help.

        `retried` is true if the same call was already rejected with other credentials.
        """

    def refresh_early(self, credentials: Credentials) -> None:
        """Start a refresh in the background."""

    async def login(self) -> None:
        """Log in now."""

    async def login_with_code(self, email: str, code: str, token: str) -> None:
        """Log in with an emailed code."""

    async def logout(self) -> None:
        """End the session."""

    async def close(self) -> None:
        """Finish or cancel background tasks."""


def load_decoder(endpoint: Endpoint[T], transport: Transport, url: URL) -> Decode[T]:
    """The decoder of a route. Call it before the request: the first time, it imports the response's type."""
    try:
        return endpoint.decoder()
    except OSError as error:
        raise unread_module(endpoint.method, transport.path_of(url), error) from None


class Caller:
    """Makes the calls of one client."""

    def __init__(self, sender: Sender, auth: Auth, limiter: AdaptiveLimiter, policy: RetryPolicy) -> None:
        self._sender = sender
        self._transport = sender.transport
        self._auth = auth
        self._limiter = limiter
        self._policy = policy

    def check(self) -> None:
        """Raise DifyError unless the client is open, in this event loop."""
        self._transport.check()

    async def call(
        self, endpoint: Endpoint[T], ids: tuple[str, ...] = (), query: Query = (), body: bytes | None = None
    ) -> T:
        """Call an endpoint, retry after failures, replace rejected credentials, and decode the response."""
        self._transport.check()
        url = self._transport.url(endpoint.path, ids, query)
        decode = load_decoder(endpoint, self._transport, url)
        attempts = Attempts(self._policy, endpoint.safety)
        credentials: Credentials | None = None

        def prepare() -> Request:
            nonlocal credentials
            headers: Mapping[str, str] = {}
            if endpoint.authenticated:
                credentials = self._current_credentials()
                headers = credentials.headers
            if body is not None:
                headers = {**headers, "Content-Type": "application/json"}
            return Request(endpoint.method, endpoint.path, url, headers, body)

        refreshes = 0
        while True:
            try:
                reply = await self._sender(prepare, attempts, self._limiter)
            except _NoCredentialsError:
                self._transport.check_not_closed()
                await self._auth.ensure()
                continue
            if 200 <= reply.status < 300:
                if credentials is not None:
                    credentials.accepted = True
                return self._decode(decode, endpoint, url, reply)
            if reply.status == 404 and endpoint.method == "DELETE" and attempts.may_have_taken_effect:
                return self._decode(decode, endpoint, url, Reply(204, reply.headers, b""))
            # Called if it is raised: expired tokens are replaced without an error.
            error = partial(self._error_of, endpoint, url, reply, attempts.made - attempts.rejected)
            if credentials is None or not is_about_the_token(reply) or refreshes == _MAX_REFRESHES:
                raise error()
            self._transport.check_not_closed()
            # Credentials that were replaced during the call don't count as a refresh.
            refreshes += credentials is self._auth.credentials
            route = f"{endpoint.method} {endpoint.path}"
            await self._auth.replace(credentials, error, route, retried=attempts.rejected > 0)
            attempts.rejected += 1

    def _current_credentials(self) -> Credentials:
        credentials = self._auth.credentials
        if credentials is None:
            raise _NoCredentialsError
        if credentials.refresh_at < time.monotonic():
            self._auth.refresh_early(credentials)
        return credentials

    def _decode(self, decode: Decode[T], endpoint: Endpoint[T], url: URL, reply: Reply) -> T:
        try:
            return decode(reply.body)
        except UNREADABLE as error:
            raise decode_error(endpoint.method, self._transport.path_of(url), reply, error) from None

    def _error_of(self, endpoint: Endpoint[T], url: URL, reply: Reply, attempts: int) -> DifyStatusError:
        error = status_error(endpoint.method, self._transport.path_of(url), reply, attempts)
        if endpoint.safety.changes and reply.status in _GATEWAY_FAILURES:
            raise DifyUnknownOutcomeError(
                f"{str(error).rstrip('.')}. A gateway lost the response: {OUTCOME_UNKNOWN}"
            )
        return error
