"""Signing in and renewing: the only writer of the token store."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from dify_async._http.wire import (
    is_about_csrf,
    is_not_about_the_account,
    status_error,
)
from dify_async.errors import (
    DifyConfigError,
    DifyConnectionError,
    DifyLoginError,
    DifyStatusError,
)

from . import rules
from .caution import Caution
from .grant import Source, TokenGrant
from .session_calls import LOGOUT, SessionCalls
from .single_flight import SingleFlight, outcome

if TYPE_CHECKING:
    from dify_async._api.probe import ServerProbe
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async.events import OnEvent
    from dify_async.tokens import Tokens

    from .grant import Grant
    from .single_flight import Done
    from .store_guard import StoreGuard

_PAUSE_AFTER_RENEWAL: Final = 30.0
_GRACE_AT_CLOSE: Final = 5.0


class PasswordAuth:
    """Signs in by e-mail and password. One renewal at a time, for all calls."""

    def __init__(
        self,
        sender: Sender,
        probe: ServerProbe,
        store: StoreGuard,
        policy: RetryPolicy,
        *,
        email: str,
        password: str,
        emit: OnEvent,
    ) -> None:
        self.credentials: TokenGrant | None = None
        self._probe = probe
        self._store = store
        self._email = email
        self._caution = Caution(store, password)
        self._calls = SessionCalls(
            sender, probe, policy, self._caution, email=email, password=password, emit=emit
        )
        self._password_was_accepted = False
        self._left: Tokens | None = None  # of a session that logout() could not end
        self._login: Done | None = None
        self._jobs = SingleFlight()

    async def ensure(self) -> None:
        """See to a grant where there is none: from the store, or by a sign-in."""
        self._caution.check()
        await self._jobs.join(partial(self._obtain, None, by_password=False))

    async def replace(self, refused: Grant, error: DifyStatusError, route: str, *, retried: bool) -> None:
        """See to another grant than the refused one, by one renewal for all who were refused."""
        grant = self.credentials
        if grant is None or grant is not refused:  # another call has seen to it meanwhile
            return
        if grant.is_always_refused_by(route):  # nothing is gained by a renewal a call
            raise error
        at_birth = grant.is_refused_at_birth
        by_password = at_birth and grant.source is Source.RENEWAL
        in_vain = grant.in_vain or is_about_csrf(error) or (by_password and grant.tokens.by_code)
        if (at_birth and in_vain) or (retried and grant.is_new and grant.accepted):
            grant.mark_refused_by(route)
            raise error
        await self._jobs.join(partial(self._obtain, grant, by_password=by_password))

    def refresh_early(self, grant: Grant) -> None:
        """Start a renewal that nobody waits for."""
        grant.refresh_at = time.monotonic() + _PAUSE_AFTER_RENEWAL
        if grant is self.credentials and not self._jobs.is_under_way:
            self._jobs.start(partial(self._renew_ahead, grant), is_shared=False)

    async def login(self) -> None:
        """Sign in now, whatever there is and whatever was refused before."""
        if self._login is None or self._login.done():
            self._caution.forget()
            self._probe.forget()  # password login may have been switched on
            self._login = self._jobs.start(self._sign_in_anew)
        # Eight tasks that sign in at once after a refusal would lock the account.
        await outcome(self._login)

    async def login_with_code(self, email: str, code: str, token: str) -> None:
        """Sign in by a code from a mail."""
        if email.casefold() != self._email.casefold():
            raise DifyConfigError("login_with_code: this client is for another e-mail address")
        job = partial(self._sign_in_by_code, code, token)
        await outcome(self._jobs.start(job, is_shared=False))

    async def logout(self) -> None:
        """Forget the session, and end it at the server."""
        await outcome(self._jobs.start(self._log_out, is_shared=False))

    async def close(self) -> None:
        """Let a renewal finish: a rotated token must not be lost with the client."""
        await self._jobs.close(_GRACE_AT_CLOSE)
        await self._store.close()
        self.credentials = None

    # The jobs; one runs at a time.

    async def _obtain(self, refused: TokenGrant | None, done: Done, *, by_password: bool) -> None:
        if self.credentials is not refused:
            return
        self._caution.check()  # a job that this one stood behind may have been refused
        if refused is None and (stored := await self._store.load()) is not None:
            self._use_stored(stored)
            return
        async with self._store.lock():
            if await self._another_process_has_renewed(refused):
                return
            grant = None
            if refused is not None and not by_password:
                grant = await self._renewed_if_it_can_be(refused.tokens)
            if grant is None:
                grant = await self._signed_in(by_code=refused is not None and refused.tokens.by_code)
            # Two in a row that the server issues and does not accept: a third would fare no better.
            grant.in_vain = refused is not None and refused.is_refused_at_birth
            await self._use(grant, done)

    async def _renew_ahead(self, grant: TokenGrant, done: Done) -> None:
        """As above, for a grant that is good for a while: it stays where there is no better one."""
        async with self._store.lock():
            if self._caution.was_refused or self.credentials is not grant:
                return
            if await self._another_process_has_renewed(grant):
                return
            another = await self._calls.renewed(grant.tokens)
            if another is None and self._password_was_accepted and not grant.tokens.by_code:
                try:
                    another = await self._signed_in()
                except DifyLoginError:
                    self.credentials = grant
                    raise
            if another is not None:
                await self._use(another, done)

    async def _sign_in_anew(self, done: Done) -> None:
        async with self._store.lock():
            await self._use(await self._signed_in(), done)

    async def _sign_in_by_code(self, code: str, token: str, done: Done) -> None:
        async with self._store.lock():
            grant = await self._calls.by_code(code, token)
            self._caution.forget()
            await self._use(grant, done)

    async def _log_out(self, done: Done) -> None:  # noqa: ARG002 - a job
        tokens = self.credentials.tokens if self.credentials is not None else await self._store.load()
        self.credentials = None
        await self._store.clear()
        self._left = tokens or self._left
        if self._left is None:
            return
        reply = await self._calls.log_out(self._left)
        if reply.status == 401:  # the access token has ended; the refresh token may live on
            renewed = await self._calls.renewed(self._left)
            self._left = None if renewed is None else renewed.tokens
            if self._left is None:
                return
            reply = await self._calls.log_out(self._left)
        if reply.status >= 400:
            raise status_error(rules.logout_method(self._left), LOGOUT, reply)
        self._left = None

    async def _another_process_has_renewed(self, refused: TokenGrant | None) -> bool:
        stored = await self._store.load()
        if stored is None or (refused is not None and stored == refused.tokens):
            return False
        self._use_stored(stored)
        return True

    async def _use(self, grant: TokenGrant, done: Done) -> None:
        """Take a new grant into use at once; saving it keeps nobody waiting."""
        self.credentials, self._left = grant, None
        done.set_result(None)
        await self._store.save(grant.tokens)

    def _use_stored(self, tokens: Tokens) -> None:
        # By the clock of this machine, which may be wrong: it only brings a renewal forward.
        lifetime = math.inf if tokens.expires_at is None else tokens.expires_at - time.time()
        self.credentials = TokenGrant(tokens, Source.STORE, lifetime)

    # What a job does about a session.

    async def _renewed_if_it_can_be(self, tokens: Tokens) -> TokenGrant | None:
        """A grant by the refresh token; None where a sign-in is to follow."""
        try:
            return await self._calls.renewed(tokens)
        except (DifyConnectionError, DifyStatusError) as error:
            # A password that may be none is not sent for what may pass.
            passes = not (isinstance(error, DifyStatusError) and is_not_about_the_account(error))
            if passes and not tokens.by_code and await self._probe.allows_passwords():
                return None
            raise

    async def _signed_in(self, *, by_code: bool = False) -> TokenGrant:
        """A grant by the password; a refusal is remembered, so that it is not sent again."""
        try:
            if by_code:
                raise rules.code_session_ended()
            if not await self._probe.allows_passwords():
                raise rules.no_password_login()
            grant = await self._calls.by_password(again=self._password_was_accepted)
        except DifyLoginError as error:
            self._caution.keep(error)
            self.credentials = None
            raise
        self._password_was_accepted = True
        self._caution.forget()
        return grant
