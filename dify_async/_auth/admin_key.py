"""Authenticate as the owner of a workspace, with the server's admin API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._api.caller import Auth, Credentials
from dify_async._api.versions import ADMIN_KEY_NEEDS_CSRF
from dify_async._http.wire import is_about_csrf
from dify_async._secrets import Secret
from dify_async.errors import DifyAuthenticationError, DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_async._api.probe import ServerProbe
    from dify_async.errors import DifyStatusError


class AdminKey(Auth):
    """An admin API key, which never expires: if it is rejected, nothing can replace it."""

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
        raise DifyConfigError("login() requires an email and a password; an admin API key cannot log in")

    async def login_with_code(self, *_: str) -> None:
        """Raise DifyConfigError: an admin API key cannot log in."""
        await self.login()
