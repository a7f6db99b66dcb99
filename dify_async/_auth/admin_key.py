"""The way in without an account: the server's admin API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._http.wire import is_about_csrf
from dify_async._secrets import Secret
from dify_async.errors import DifyAuthenticationError, DifyConfigError

from . import rules
from .grant import Grant

if TYPE_CHECKING:
    from dify_async._api.probe import ServerProbe
    from dify_async.errors import DifyStatusError


class KeyAuth:
    """Calls as the owner of a workspace, by the server's admin API key. Nothing expires."""

    def __init__(self, probe: ServerProbe, admin_api_key: str, workspace_id: str) -> None:
        self._probe = probe
        # No cookie beside it: any session cookie shadows the key.
        headers = {"Authorization": Secret(f"Bearer {admin_api_key}"), "X-WORKSPACE-ID": workspace_id}
        self.credentials = Grant(headers)

    async def ensure(self) -> None:
        """The grant is always there."""

    async def replace(  # its parameters are of the protocol
        self,
        refused: Grant,  # noqa: ARG002
        error: DifyStatusError,
        route: str,  # noqa: ARG002
        *,
        retried: bool,  # noqa: ARG002
    ) -> None:
        """There is nothing to renew."""
        version = await self._probe.version()
        if rules.admin_key_fails(version) or is_about_csrf(error):
            name = f"Dify {version}" if version else "this Dify"
            reason = f"{name} cannot serve an admin API key: 1.9.2 to 1.10.1 ask for a CSRF token"
        else:
            reason = "the server does not accept the admin API key for this workspace_id"
        raise DifyAuthenticationError(
            f"{error}; {reason}",
            status=error.status,
            code=error.code,
            message=error.message,
            method=error.method,
            path=error.path,
        )

    def refresh_early(self, grant: Grant) -> None:
        """There is nothing to renew."""

    async def login(self) -> None:
        """There is nobody to sign in."""
        raise DifyConfigError("an admin API key is not signed in; login() is for an e-mail and password")

    async def login_with_code(self, email: str, code: str, token: str) -> None:  # noqa: ARG002 - of the protocol
        """There is nobody to sign in."""
        await self.login()

    async def logout(self) -> None:
        """There is no session."""

    async def close(self) -> None:
        """Nothing runs."""
