"""How calls are authenticated: credentials, and the admin API key."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

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
    """Authenticate a call. Compared by identity, because tokens issued within one second may be equal.

    Attributes:
        headers: The headers to send.
        accepted: Whether the server has accepted them.
        refresh_at: When to refresh them in the background, by the monotonic clock.
    """

    headers: Mapping[str, str]
    accepted: bool = False
    refresh_at: float = math.inf

    def __repr__(self) -> str:
        return f"{type(self).__name__}(headers=***)"


class Source(Enum):
    """Where tokens come from."""

    STORE = auto()
    REFRESH = auto()
    LOGIN = auto()


class TokenCredentials(Credentials, kw_only=True, eq=False):
    """Credentials of a session.

    Attributes:
        new_until: Until when they count as new: too young to have expired.
        replaces_rejected: Whether they replace credentials that were rejected when new.
        rejected_by: The routes that rejected them when new, and until when those cause no refresh.
    """

    tokens: Tokens
    source: Source
    new_until: float
    replaces_rejected: bool = False
    rejected_by: dict[str, float] = field(default_factory=dict)


ANONYMOUS: Final = Credentials({})


class Auth:
    """How calls are authenticated. The methods do nothing by default.

    Attributes:
        credentials: For the next call; None if it must wait for `ensure()`.
    """

    credentials: Credentials | None = None

    async def ensure(self) -> None:
        """Get credentials if there are none."""

    async def replace(
        self, rejected: Credentials, error: Callable[[], DifyStatusError], route: str, /, *, retried: bool
    ) -> None:
        """Replace the credentials that a route rejected; raise `error()` if that would not help.

        `retried` is true if the same call was rejected before, with other credentials.
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
        """Finish or cancel what is running."""


class AdminKey(Auth):
    """Authenticate as the owner of a workspace, with the server's admin API key."""

    def __init__(self, probe: ServerProbe, admin_api_key: str, workspace_id: str) -> None:
        self._probe = probe
        # No cookies, because a session cookie takes precedence over the key.
        self.credentials = Credentials(
            {"Authorization": Secret(f"Bearer {admin_api_key}"), "X-WORKSPACE-ID": workspace_id}
        )

    async def replace(
        self, _: Credentials, error: Callable[[], DifyStatusError], *__: object, **___: object
    ) -> None:
        """Raise an error that says why the key was rejected."""
        found = error()
        version = await self._probe.version()
        reason = "the server does not accept the admin API key for this workspace_id"
        if ADMIN_KEY_NEEDS_CSRF(version) or is_about_csrf(found):
            name = f"Dify {version}" if version else "this Dify"
            reason = f"{name} cannot serve an admin API key: 1.9.2 to 1.10.1 require a CSRF token"
        details = {name: getattr(found, name) for name in ("status", "code", "message", "method", "path")}
        raise DifyAuthenticationError(f"{found}; {reason}", **details)

    async def login(self) -> None:
        """Raise: there is no account."""
        raise DifyConfigError("login() requires an e-mail and a password; an admin API key cannot log in")

    async def login_with_code(self, email: str, code: str, token: str) -> None:  # noqa: ARG002
        """Raise: there is no account."""
        await self.login()
