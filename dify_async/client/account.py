"""The account that is signed in, and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._endpoints import PROFILE

from ._calls import Calls

if TYPE_CHECKING:
    from dify_async._auth.grant import Auth
    from dify_async._server import Server
    from dify_async.models import Account


class AccountCalls(Calls):
    """Calls on the account."""

    _auth: Auth
    _server: Server

    async def login(self) -> None:
        """Sign in now, whatever tokens there are; else the first call signs in.

        A refused sign-in is remembered and raised by every later call; this tries again.

        Raises:
            DifyLoginError: The server refuses the e-mail or the password, or password sign-in.
            DifyLoginLockedError: Too many wrong passwords: locked, by default for 24 hours.
        """
        self._pipeline.check()
        await self._auth.login()

    async def logout(self) -> None:
        """End the session and clear the token store; a later call signs in again.

        The server ends the account's newest session, which may be another client's: that one signs
        in again. Access tokens stay good until they expire.

        Raises:
            DifyConnectionError: The server was not reached; the store is cleared all the same.
        """
        self._pipeline.check()
        await self._auth.logout()

    async def version(self) -> str:
        """Dify's version, as "1.11.2"; "" where a proxy hides it. Needs no sign-in.

        Read from the X-Version header of GET /system-features.
        """
        self._pipeline.check()
        return await self._server.version()

    async def profile(self) -> Account:
        """The account; its `timezone` is that of all statistics. Route: GET /account/profile."""
        return await self._pipeline.call(PROFILE)
