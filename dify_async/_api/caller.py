"""One call, from its arguments to its answer."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from dify_async._http.retry import Attempts
from dify_async._http.wire import UNREADABLE, Reply, Request, decode_error, is_about_the_token, status_error
from dify_async.errors import OUTCOME_UNKNOWN, DifyUnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yarl import URL

    from dify_async._http.limiter import AdaptiveLimiter
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.urls import Query
    from dify_async.errors import DifyStatusError

    from .endpoints import Endpoint

T = TypeVar("T")

# From the token store, from a refresh, from a login: a call that rejects all three rejects any credentials.
_MAX_REFRESHES: Final = 3
# Sent by proxies that forwarded a request and got no answer; 520 to 524 are Cloudflare's.
_GATEWAY_FAILURES: Final = frozenset({502, 504, 520, 522, 524})


class _NoCredentialsError(Exception):
    """A call has its slot but no credentials; it waits for them without the slot."""


class Credentials(Protocol):
    """What authenticates a call; compared by identity.

    Attributes:
        accepted: Whether the server has accepted them.
        refresh_at: When to refresh them in the background, by the monotonic clock.
    """

    accepted: bool
    refresh_at: float

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of a call."""
        ...


CredentialsT = TypeVar("CredentialsT", bound=Credentials)


class Auth(Protocol[CredentialsT]):
    """The source of credentials."""

    @property
    def credentials(self) -> CredentialsT | None:
        """The present credentials; None if `ensure` has to get some."""
        ...

    async def ensure(self) -> None:
        """Get credentials if there are none."""
        ...

    async def replace(
        self, rejected: CredentialsT, error: Callable[[], DifyStatusError], route: str, /, *, retried: bool
    ) -> None:
        """Get other credentials than those that the route rejected; raise `error()` if none would help.

        `retried` says that the same call was rejected before, with other credentials.
        """
        ...

    def refresh_early(self, credentials: CredentialsT, /) -> None:
        """Start a refresh in the background."""
        ...


class Caller:
    """Makes the calls of one client."""

    def __init__(
        self, sender: Sender, auth: Auth[Any], limiter: AdaptiveLimiter, policy: RetryPolicy
    ) -> None:
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
        """Call an endpoint, retry after failures, replace rejected credentials, and decode the answer."""
        self._transport.check()
        url = self._transport.url(endpoint.path, ids, query)
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
                return self._decode(endpoint, url, reply)
            if reply.status == 404 and endpoint.method == "DELETE" and attempts.may_have_taken_effect:
                return self._decode(endpoint, url, Reply(204, reply.headers, b""))
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
        credentials: Credentials | None = self._auth.credentials
        if credentials is None:
            raise _NoCredentialsError
        if credentials.refresh_at < time.monotonic():
            self._auth.refresh_early(credentials)
        return credentials

    def _decode(self, endpoint: Endpoint[T], url: URL, reply: Reply) -> T:
        try:
            return endpoint.decode(reply.body)
        except UNREADABLE as error:
            raise decode_error(endpoint.method, self._transport.path_of(url), reply, error) from None

    def _error_of(self, endpoint: Endpoint[T], url: URL, reply: Reply, attempts: int) -> DifyStatusError:
        error = status_error(endpoint.method, self._transport.path_of(url), reply, attempts)
        if endpoint.safety.changes and reply.status in _GATEWAY_FAILURES:
            raise DifyUnknownOutcomeError(
                f"{str(error).rstrip('.')}. A gateway lost the answer: {OUTCOME_UNKNOWN}"
            )
        return error
