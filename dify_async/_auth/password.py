"""Signing in and renewing: the only writer of the token store."""

from __future__ import annotations

import copy
import logging
import math
import time
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import anyio

from dify_async._retry import NEVER_AGAIN, SIGN_IN, SIGN_IN_AGAIN, Tries
from dify_async._transport import Request
from dify_async._wire import is_about_csrf, is_not_about_the_account, status_error
from dify_async.errors import DifyConfigError, DifyConnectionError, DifyLoginError
from dify_async.events import SessionRenewed

from . import rules
from .grant import Source, TokenGrant
from .single_flight import SingleFlight, outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_async._exchange import Exchange
    from dify_async._retry import RetryPolicy
    from dify_async._server import Server
    from dify_async._wire import Reply
    from dify_async.errors import DifyStatusError
    from dify_async.events import OnEvent
    from dify_async.tokens import Tokens

    from .grant import Grant
    from .single_flight import Done
    from .store_guard import StoreGuard

logger = logging.getLogger("dify_async")

_LOGIN: Final = "/login"
_CODE_LOGIN: Final = "/email-code-login/validity"
_REFRESH: Final = "/refresh-token"
_LOGOUT: Final = "/logout"
_JSON: Final = {"Content-Type": "application/json"}
_PAUSE_AFTER_RENEWAL: Final = 30.0
_GRACE_AT_CLOSE: Final = 5.0


class PasswordAuth:
    """Signs in by e-mail and password. One renewal at a time, for all calls."""

    def __init__(
        self,
        exchange: Exchange,
        server: Server,
        store: StoreGuard,
        policy: RetryPolicy,
        *,
        email: str,
        password: str,
        emit: OnEvent,
    ) -> None:
        self.grant: TokenGrant | None = None
        self._exchange = exchange
        self._server = server
        self._store = store
        self._policy = policy
        self._email = email
        self._password = password
        self._emit = emit
        self._password_was_accepted = False
        self._refusal: DifyLoginError | None = None
        self._login: Done | None = None
        self._jobs = SingleFlight()

    async def obtain(self) -> None:
        """See to a grant where there is none: from the store, or by a sign-in."""
        if self._refusal is not None:
            raise copy.copy(self._refusal)
        await self._jobs.join(partial(self._obtain, None, by_password=False))

    async def renew(self, refused: Grant, error: DifyStatusError) -> None:
        """See to another grant than the refused one, by one renewal for all who were refused."""
        grant = self.grant
        if grant is None or grant is not refused:  # another call has seen to it meanwhile
            return
        at_birth = grant.is_refused_at_birth
        if at_birth and (grant.in_vain or is_about_csrf(error)):
            raise error
        by_password = at_birth and grant.source is Source.RENEWAL
        await self._jobs.join(partial(self._obtain, grant, by_password=by_password))

    def renew_ahead(self, grant: Grant) -> None:
        """Start a renewal that nobody waits for."""
        grant.renew_at = time.monotonic() + _PAUSE_AFTER_RENEWAL
        if grant is self.grant and not self._jobs.is_under_way:
            self._jobs.start(partial(self._obtain, self.grant, by_password=False))

    async def login(self) -> None:
        """Sign in now, whatever there is and whatever was refused before."""
        if self._login is None or self._login.done():
            self._refusal = None
            self._server.forget()  # password login may have been switched on
            self._login = self._jobs.start(self._sign_in_anew)
        # Eight tasks that sign in at once after a refusal would lock the account.
        await outcome(self._login)

    async def login_with_code(self, email: str, code: str, token: str) -> None:
        """Sign in by a code from a mail."""
        if email.casefold() != self._email.casefold():
            raise DifyConfigError("login_with_code: this client is for another e-mail address")
        await outcome(self._jobs.start(partial(self._sign_in_by_code, code, token)))

    async def logout(self) -> None:
        """Forget the session, and end it at the server."""
        await outcome(self._jobs.start(self._log_out))

    async def close(self) -> None:
        """Let a renewal finish: a rotated token must not be lost with the client."""
        await self._jobs.close(_GRACE_AT_CLOSE)
        await self._store.close()
        self.grant = None

    # The jobs; one runs at a time.

    async def _obtain(self, refused: TokenGrant | None, done: Done, *, by_password: bool) -> None:
        if self.grant is not refused:
            return
        if refused is None and (stored := await self._store.load()) is not None:
            self._use_stored(stored)
            return
        async with self._store.lock():
            stored = await self._store.load()
            if stored is not None and (refused is None or stored != refused.tokens):
                self._use_stored(stored)  # another process has renewed meanwhile
                return
            grant = None
            if refused is not None and not by_password:
                grant = await self._renewed(refused.tokens)
            if grant is None:
                grant = await self._signed_in()
            # Two in a row that the server issues and does not accept: a third would fare no better.
            grant.in_vain = refused is not None and refused.is_refused_at_birth
            await self._use(grant, done)

    async def _sign_in_anew(self, done: Done) -> None:
        async with self._store.lock():
            await self._use(await self._signed_in(), done)

    async def _sign_in_by_code(self, code: str, token: str, done: Done) -> None:
        async with self._store.lock():
            version = await self._server.version()
            body = rules.code_body(self._email, code, token, version)
            reply = await self._send("POST", _CODE_LOGIN, _JSON, body, Tries(self._policy, SIGN_IN))
            grant = self._new_session(reply, _CODE_LOGIN, "e-mail code")
            self._refusal = None
            await self._use(grant, done)

    async def _log_out(self, done: Done) -> None:  # noqa: ARG002 - a job
        tokens = self.grant.tokens if self.grant is not None else await self._store.load()
        self.grant = None
        await self._store.clear()
        if tokens is None:
            return
        method = rules.logout_method(await self._server.version())
        reply = await self._send(
            method, _LOGOUT, rules.call_headers(tokens), None, Tries(self._policy, SIGN_IN)
        )
        if reply.status >= 400 and reply.status != 401:  # a 401: it had ended before
            raise status_error(method, _LOGOUT, reply)

    async def _use(self, grant: TokenGrant, done: Done) -> None:
        """Take a new grant into use at once; saving it keeps nobody waiting."""
        self.grant = grant
        done.set_result(None)
        await self._store.save(grant.tokens)

    def _use_stored(self, tokens: Tokens) -> None:
        # By the clock of this machine, which may be wrong: it only brings a renewal forward.
        lifetime = math.inf if tokens.expires_at is None else tokens.expires_at - time.time()
        self.grant = TokenGrant(tokens, Source.STORE, lifetime)

    # What a job asks of the server.

    async def _renewed(self, tokens: Tokens) -> TokenGrant | None:
        """A grant by the refresh token; None where it takes a sign-in.

        Only one answer says that the token is dead; after any other it is tried once more.
        """
        headers, body = rules.refresh_request(tokens)
        for pause in (0.0, self._policy.base_delay):
            await anyio.sleep(pause)
            try:
                reply = await self._send("POST", _REFRESH, headers, body, Tries(NEVER_AGAIN, SIGN_IN))
            except DifyConnectionError as error:
                logger.info("the renewal failed: %s", error)
                continue
            renewed = rules.read_tokens(reply)
            if renewed is not None:
                logger.info("renewed the session")
                self._emit(SessionRenewed("refresh token"))
                return TokenGrant(renewed, Source.RENEWAL, rules.lifetime(renewed, reply))
            refusal = status_error("POST", _REFRESH, reply)
            logger.info("the renewal was refused: %s", refusal)
            if is_not_about_the_account(refusal):
                raise refusal
            if rules.refresh_token_is_dead(reply):
                break
        return None

    async def _signed_in(self) -> TokenGrant:
        """A grant by the password; a refusal is remembered, so that it is not sent again."""
        try:
            version = await self._server.version()
            if self._server.password_login is False:
                raise rules.no_password_login()
            body = rules.login_body(self._email, self._password, version)
            repeat = SIGN_IN_AGAIN if self._password_was_accepted else SIGN_IN
            reply = await self._send("POST", _LOGIN, _JSON, body, Tries(self._policy, repeat))
            grant = self._new_session(reply, _LOGIN, "password")
        except DifyLoginError as error:
            self._refusal = error
            self.grant = None
            raise
        self._password_was_accepted = True
        return grant

    def _new_session(self, reply: Reply, path: str, by: Literal["password", "e-mail code"]) -> TokenGrant:
        tokens = rules.read_tokens(reply)
        if tokens is None:
            raise rules.refusal(reply, "POST", path)
        logger.info("signed in")
        self._emit(SessionRenewed(by))
        return TokenGrant(tokens, Source.SIGN_IN, rules.lifetime(tokens, reply))

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, tries: Tries
    ) -> Reply:
        url = self._exchange.transport.url(path, (), ())
        reply = await self._exchange(Request(method, path, url, headers, body), tries)
        self._server.see(reply)
        return reply
