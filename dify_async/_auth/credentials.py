"""Authenticate calls: the credentials of a session, and the admin API key."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING

from msgspec import Struct, field

from dify_async._api.versions import ADMIN_KEY_NEEDS_CSRF
from dify_async._http.wire import is_about_csrf
from dify_async._secrets import Secret
from dify_async.errors import DifyAuthenticationError, DifyConfigError
from dify_async.tokens import Tokens

if TYPE_CHECKING:
    from dify_async._api.probe import ServerProbe
    from dify_async.errors import DifyStatusError


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


class Source(Enum):
    """Where the tokens of a session are from."""

    STORE = auto()
    REFRESH = auto()
    LOGIN = auto()


class TokenCredentials(Credentials, kw_only=True, eq=False):
    """The credentials of a session. Times are by the monotonic clock.

    Attributes:
        source: Where the tokens are from.
        new_until: Until when they count as new: issued too recently to have expired.
        replaces_rejected: Whether they replace credentials that were rejected when new.
        rejected_by: The routes that rejected them when new, each with the time until which another rejection
            by that route causes no refresh.
    """

    tokens: Tokens
    source: Source
    new_until: float
    replaces_rejected: bool = False
    rejected_by: dict[str, float] = field(default_factory=dict)


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


class AdminKey(Auth):
    """Authenticate as the owner of a workspace, with the server's admin API key."""

    def __init__(self, probe: ServerProbe, admin_api_key: str, workspace_id: str) -> None:
        self._probe = probe
        # Cookies are not sent, because a session cookie would take precedence over the key.
        self.credentials = Credentials(
            {"Authorization": Secret(f"Bearer {admin_api_key}"), "X-WORKSPACE-ID": workspace_id}
        )

    async def replace(
        self, _: Credentials, error: Callable[[], DifyStatusError], *__: object, **___: object
    ) -> None:
        """Raise an error that explains why the key was rejected."""
        rejection = error()
        version = await self._probe.version()
        reason = "The server does not accept the admin API key for this workspace_id"
        if ADMIN_KEY_NEEDS_CSRF(version) or is_about_csrf(rejection):
            name = f"Dify {version}" if version else "This Dify"
            reason = f"{name} cannot serve an admin API key: 1.9.2 to 1.10.1 require a CSRF token"
        details = {name: getattr(rejection, name) for name in ("status", "code", "message", "method", "path")}
        raise DifyAuthenticationError(f"{str(rejection).rstrip('.')}. {reason}.", **details)

    async def login(self) -> None:
        """Raise DifyConfigError: an admin API key cannot log in."""
        raise DifyConfigError("login() requires an e-mail and a password; an admin API key cannot log in")

    async def login_with_code(self, email: str, code: str, token: str) -> None:  # noqa: ARG002
        """Raise DifyConfigError: an admin API key cannot log in."""
        await self.login()
