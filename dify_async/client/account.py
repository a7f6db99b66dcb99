"""The authenticated account, and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async import _checks
from dify_async._api.endpoints import FEATURES, LOGIN_CODE, PROFILE, SETUP, SYSTEM_FEATURES
from dify_async._secrets import masked

from ._calls import Calls, body_of

if TYPE_CHECKING:
    from dify_async._api.caller import Auth
    from dify_async.models import Account, Features, SetupStatus, SystemFeatures


class AccountCalls(Calls):
    """The account and the server."""

    _auth: Auth

    async def login(self) -> None:
        """Log in now, even if the current tokens are valid. Without it, the first call logs in.

        If Dify rejects a login, later calls raise the same error without sending the password again. Call
        this method to try again. All clients of a token store together send one password at most three
        times in 24 hours without success.

        Raises:
            DifyLoginError: The server rejected the email or password, or does not allow password login; or
                the password was already sent three times without success.
            DifyLoginLockedError: Too many wrong passwords; by default the account is locked for 24 hours.
        """
        self._caller.check()
        await self._auth.login()

    async def request_login_code(self, email: str, *, language: str | None = None) -> str:
        """Email a login code to the account, and return the token to pass to `login_with_code`.

        Requires `enable_email_code_login` in `system_features`. Route: POST /email-code-login.

        Args:
            email: The account's email address.
            language: The language of the email, such as "en-US".

        Raises:
            DifyRateLimitError: More than three codes in five minutes, or too many from one IP address.
        """
        _checks.text("email", email)
        _checks.optional_text("language", language)
        body = body_of(email=email, language=language)
        return (await self._caller.call(LOGIN_CODE, body=body)).data

    async def login_with_code(self, email: str, code: str, token: str) -> None:
        """Log in with an emailed code. The session is then refreshed until its refresh token expires.

        After that, calls raise DifyLoginError instead of logging in with the password, also in other
        processes that share the token store. Call `login()` to use the password again.

        Route: POST /email-code-login/validity.

        Args:
            email: The email address of this client's account.
            code: The code in the email.
            token: The token that `request_login_code` returned.

        Raises:
            DifyConfigError: The client belongs to another account.
            DifyLoginError: The server rejected the code. The rejection is not remembered: calls without
                a session still log in with the password.
        """
        self._caller.check()
        code, token = masked(code), masked(token)
        _checks.each(_checks.text, email=email, code=code, token=token)
        await self._auth.login_with_code(email, code, token)

    async def logout(self) -> None:
        """End the session and clear the token store. The next call logs in again.

        The server ends the account's newest session, which may belong to another client; that client
        logs in again. Access tokens remain valid until they expire.

        Raises:
            DifyConnectionError: The server was not reached. The token store is cleared nevertheless; call
                this method again to end the session on the server.
            DifyServerError: The server failed. The token store is cleared nevertheless.
        """
        self._caller.check()
        await self._auth.logout()

    async def version(self) -> str:
        """Dify's version, such as "1.11.2", or "" if a proxy hides it. Does not log in.

        The version follows upgrades, since each response reports it in its X-Version header. Before the
        first response it is requested from GET /system-features. If `server_version` was passed to the
        client, that value is returned.
        """
        self._caller.check()
        return await self._probe.version()

    async def profile(self) -> Account:
        """The account. Its `timezone` applies to all statistics. Route: GET /account/profile."""
        return await self._caller.call(PROFILE)

    async def system_features(self) -> SystemFeatures:
        """The server's login options and settings. Does not log in. Route: GET /system-features."""
        return await self._caller.call(SYSTEM_FEATURES)

    async def setup_status(self) -> SetupStatus:
        """Whether the server has been set up. Does not log in. Route: GET /setup."""
        return await self._caller.call(SETUP)

    async def features(self) -> Features:
        """The workspace's features and quotas. Route: GET /features."""
        return await self._caller.call(FEATURES)
