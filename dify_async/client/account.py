"""The account that is signed in, and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._api.endpoints import (
    FEATURES,
    LOGIN_CODE,
    PROFILE,
    SETUP,
    SYSTEM_FEATURES,
)
from dify_async._secrets import masked

from ._calls import Calls, body_of, check_encodable, check_required, check_texts

if TYPE_CHECKING:
    from dify_async._auth.grant import Auth
    from dify_async.models import Account, Features, SetupStatus, SystemFeatures


class AccountCalls(Calls):
    """Calls on the account."""

    _auth: Auth

    async def login(self) -> None:
        """Sign in now, whatever tokens there are; else the first call signs in.

        A refused sign-in is remembered and raised by every later call; this tries again.

        Raises:
            DifyLoginError: The server refuses the e-mail or the password, or password sign-in.
            DifyLoginLockedError: Too many wrong passwords: locked, by default for 24 hours.
        """
        self._caller.check()
        await self._auth.login()

    async def request_login_code(self, email: str, *, language: str | None = None) -> str:
        """Have a code mailed to the account, and get the token that goes with it to `login_with_code`.

        Route: POST /email-code-login, where `system_features` has enable_email_code_login.

        Args:
            email: The address.
            language: Of the mail, as "en-US".

        Raises:
            DifyRateLimitError: More than three in five minutes, or too many from one address.
        """
        check_required(email=email)
        check_texts(language=language)
        body = body_of(email=email, language=language)
        return (await self._caller.call(LOGIN_CODE, body=body)).data

    async def login_with_code(self, email: str, code: str, token: str) -> None:
        """Sign in by a code that was mailed; renewals go on from there, until the refresh token ends.

        Then calls raise DifyLoginError: the password is not sent in the place of a code, in other
        processes with the same token store neither, until `login()` is called.

        Route: POST /email-code-login/validity.

        Args:
            email: The address of this client.
            code: What stands in the mail.
            token: What `request_login_code` gave.

        Raises:
            DifyConfigError: The client is for another account.
            DifyLoginError: The server refuses the code. It is not remembered: calls that find no
                session go on to sign in by the password.
        """
        self._caller.check()
        check_required(email=email, code=code, token=token)
        check_encodable(email=email, code=code, token=token)
        code, token = masked(code), masked(token)
        await self._auth.login_with_code(email, code, token)

    async def logout(self) -> None:
        """End the session and clear the token store; a later call signs in again.

        The server ends the account's newest session, which may be another client's: that one signs
        in again. Access tokens stay good until they expire.

        Raises:
            DifyConnectionError: The server was not reached, or failed (DifyServerError). The store is
                cleared all the same; call it again to end the session at the server.
        """
        self._caller.check()
        await self._auth.logout()

    async def version(self) -> str:
        """Dify's version, as "1.11.2"; "" if a proxy hides it. Needs no sign-in.

        Read from the X-Version header of every answer, so it follows an upgrade; before the first one, of
        GET /system-features. A `server_version` that was given stays.
        """
        self._caller.check()
        return await self._probe.version()

    async def profile(self) -> Account:
        """The account; its `timezone` is that of all statistics. Route: GET /account/profile."""
        return await self._caller.call(PROFILE)

    async def system_features(self) -> SystemFeatures:
        """What the server offers before anybody signs in. Route: GET /system-features."""
        return await self._caller.call(SYSTEM_FEATURES)

    async def setup_status(self) -> SetupStatus:
        """Whether the server was set up; needs no sign-in. Route: GET /setup."""
        return await self._caller.call(SETUP)

    async def features(self) -> Features:
        """What the workspace has, and how much of it. Route: GET /features."""
        return await self._caller.call(FEATURES)
