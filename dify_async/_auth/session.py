"""The session of an account: log in, refresh, log out. The only writer of the token store."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Final

from dify_async._api.caller import Auth
from dify_async._concurrency import SingleFlight, outcome
from dify_async._http.wire import is_not_about_the_account, status_error
from dify_async.errors import (
    DifyConfigError,
    DifyConnectionError,
    DifyLoginError,
    DifyServerError,
    DifyStatusError,
)

from . import rules, verdicts
from .credentials import Source, Step, TokenCredentials, next_step
from .login_guard import LoginGuard
from .session_api import LOGOUT, SessionApi

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from dify_async._api.caller import Credentials
    from dify_async._api.probe import ServerProbe
    from dify_async._concurrency import Done, Job
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async.events import OnEvent
    from dify_async.tokens import Tokens

    from .fallback_store import FallbackStore

_PAUSE_AFTER_REFRESH: Final = 30.0
# Services have a few seconds after SIGTERM. A refresh takes one; what a login loses is one attempt, which is
# recorded. A refresh that takes longer loses its refresh token: the next client logs in.
_CLOSE_GRACE: Final = 2.0
# How long a route that rejects credentials which others accept causes no other refresh.
_REJECTION_TTL: Final = 60.0


class Session(Auth):
    """The session of an account with email and password. All calls share one refresh.

    While rejected credentials are replaced, `credentials` is None, so that calls wait instead of being
    rejected too.
    """

    credentials: TokenCredentials | None

    def __init__(
        self,
        sender: Sender,
        probe: ServerProbe,
        policy: RetryPolicy,
        store: FallbackStore,
        emit: OnEvent | None,
        *,
        email: str,
        password: str,
    ) -> None:
        self.credentials = None
        self._probe = probe
        self._store = store
        self._email = email
        self._password = password
        self._guard = LoginGuard(store, password)
        self._api = SessionApi(sender, probe, policy, self._guard, emit)
        self._rejected: TokenCredentials | None = None  # restored if they cannot be replaced
        self._session_to_end: Tokens | None = None  # logout() has not ended it at the server yet
        self._login: Done | None = None
        self._jobs = SingleFlight()

    async def ensure(self) -> None:
        """Get credentials if there are none: from the store, or by logging in."""
        self._guard.check()
        await self._jobs.join(self._job(self._obtain, None, Step.REFRESH))

    async def replace(
        self, rejected: Credentials, error: Callable[[], DifyStatusError], route: str, /, *, retried: bool
    ) -> None:
        """Replace rejected credentials, once for all calls that they were rejected for."""
        current = self.credentials
        if current is None or current is not rejected:  # another call has replaced them, or is doing so
            return
        now = time.monotonic()
        step = next_step(current, error, route, retried=retried, now=now)
        if step is Step.GIVE_UP:
            if now >= current.rejected_by.get(route, 0.0):
                current.rejected_by[route] = now + _REJECTION_TTL
            raise error()
        self.credentials = None
        await self._jobs.join(self._job(self._obtain, current, step))

    def refresh_early(self, credentials: Credentials) -> None:
        """Start a refresh in the background."""
        credentials.refresh_at = time.monotonic() + _PAUSE_AFTER_REFRESH
        current = self.credentials
        if current is not None and current is credentials and not self._jobs.is_running:
            self._jobs.start(self._job(self._refresh_early, current), is_shared=False)

    async def login(self) -> None:
        """Log in now, even if the password was rejected before."""
        if self._login is None or self._login.done():
            self._guard.rejection = None
            self._probe.forget()  # the server may allow passwords by now
            self._login = self._jobs.start(self._job(self._log_in_now))
        # Concurrent calls of login() share one attempt.
        await outcome(self._login)

    async def login_with_code(self, email: str, code: str, token: str) -> None:
        """Log in with an emailed code."""
        if email.casefold() != self._email.casefold():
            raise DifyConfigError("email must be that of this client, to log in with a code")
        await outcome(self._jobs.start(self._job(self._log_in_with_code, code, token), is_shared=False))

    async def logout(self) -> None:
        """Delete the session from the store, and end it at the server."""
        await outcome(self._jobs.start(self._job(self._log_out), is_shared=False))

    async def close(self) -> None:
        """Wait a little for a refresh, so that its new refresh token is saved."""
        try:
            await self._jobs.close(_CLOSE_GRACE)
        finally:
            self.credentials = None
            await self._store.close()

    # The jobs; one runs at a time.

    def _job(self, job: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> Job:
        async def run(done: Done) -> None:
            self._store.begin()
            await job(*arguments, done)

        return run

    async def _obtain(self, rejected: TokenCredentials | None, step: Step, done: Done) -> None:
        if self.credentials is not None:
            return
        self._rejected = rejected
        try:
            await self._replace(rejected, step, done)
        except BaseException:
            # Unless the password was rejected, the error may be temporary and the refresh token still valid.
            if self.credentials is None and self._guard.rejection is None:
                self.credentials = self._rejected
            raise

    async def _replace(self, rejected: TokenCredentials | None, step: Step, done: Done) -> None:
        self._guard.check()  # a job before this one may have been rejected
        if rejected is None and await self._load(None):
            return
        # If the server rejects new credentials twice in a row, it would reject a third time too.
        now = time.monotonic()
        replaces_rejected = rejected is not None and not rejected.accepted and rejected.is_new(now)
        async with self._store.lock():
            if await self._load(rejected):
                return
            fresh = None
            if rejected is not None and step is Step.REFRESH:
                fresh = await self._refreshed(rejected.tokens)
            if fresh is None:
                by_code = rejected is not None and rejected.tokens.by_code
                fresh = await self._logged_in(by_code=by_code)
            fresh.replaces_rejected = replaces_rejected
            await self._use(fresh, done)

    async def _refresh_early(self, credentials: TokenCredentials, done: Done) -> None:
        """Replace credentials before they expire; if that fails, they are kept."""
        async with self._store.lock():
            if self._guard.rejection is not None or self.credentials is not credentials:
                return
            if await self._load(credentials):
                return
            fresh = await self._api.refresh(credentials.tokens)
            if fresh is None and self._guard.was_accepted and not credentials.tokens.by_code:
                fresh = await self._logged_in()
            if fresh is not None:
                await self._use(fresh, done)

    async def _log_in_now(self, done: Done) -> None:
        await self._store.load()  # shows whether the store works, before waiting for its lock
        async with self._store.lock():
            await self._store.load()
            try:
                await self._use(await self._logged_in(on_purpose=True), done)
            except DifyLoginError:
                if self._guard.rejection is not None:
                    self.credentials = None
                raise

    async def _log_in_with_code(self, code: str, token: str, done: Done) -> None:
        async with self._store.lock():
            fresh = await self._api.log_in_with_code(self._email, code, token)
            self._guard.rejection = None
            await self._use(fresh, done)

    async def _log_out(self, done: Done) -> None:  # noqa: ARG002 - a job
        tokens = self.credentials.tokens if self.credentials is not None else await self._store.load()
        self.credentials = None
        await self._store.save(None)
        self._session_to_end = tokens or self._session_to_end
        if self._session_to_end is None:
            return
        reply = await self._api.log_out(self._session_to_end)
        if reply.status == 401:  # the access token has expired; the refresh token may still be valid
            fresh = await self._api.refresh(self._session_to_end)
            self._session_to_end = None if fresh is None else fresh.tokens
            if self._session_to_end is None:
                return
            reply = await self._api.log_out(self._session_to_end)
        if reply.status >= 400:
            raise status_error(rules.logout_method(self._session_to_end), LOGOUT, reply)
        self._session_to_end = None

    # Parts of the jobs.

    async def _load(self, known: TokenCredentials | None) -> bool:
        """Use the tokens in the store, if they differ from the known ones."""
        tokens = await self._store.load()
        if known is None:
            self._guard.look()
        if tokens is None or (known is not None and tokens == known.tokens):
            return False
        # By the local clock; if it is wrong, the refresh only comes early or late.
        lifetime = math.inf if tokens.expires_at is None else tokens.expires_at - time.time()
        self.credentials = TokenCredentials.of(tokens, Source.STORE, lifetime)
        return True

    async def _use(self, fresh: TokenCredentials, done: Done) -> None:
        """Use new credentials at once, before they are saved."""
        self.credentials, self._session_to_end = fresh, None
        done.set_result(None)
        await self._store.save(fresh.tokens)
        if fresh.source is Source.LOGIN and not fresh.tokens.by_code:
            await self._store.save_attempts(None)

    async def _refreshed(self, tokens: Tokens) -> TokenCredentials | None:
        """Use the refresh token; None if a login must follow."""
        try:
            fresh = await self._api.refresh(tokens)
        except (DifyConnectionError, DifyStatusError) as error:
            # If the session is from a code, the password may be any string.
            is_for_all = isinstance(error, DifyStatusError) and is_not_about_the_account(error)
            if tokens.by_code or is_for_all or not await self._probe.allows_passwords():
                raise
            # From 1.16.0, if the server fails, that is a 500 and the refresh token stays valid
            # [1.16.1/11_db_up_again_refresh_of_the_same_token]. An outage costs one login attempt.
            is_outage = isinstance(error, DifyServerError | DifyConnectionError)
            if is_outage and not self._guard.is_answered:
                raise
            return None
        if fresh is None and not tokens.by_code:
            self._rejected = None
            await self._store.save(None)
        return fresh

    async def _logged_in(self, *, by_code: bool = False, on_purpose: bool = False) -> TokenCredentials:
        """Log in with the password, if there is one."""
        if by_code:
            self._guard.reject(verdicts.code_session_ended())
        if not await self._probe.allows_passwords():
            self._guard.reject(verdicts.no_password_login())
        return await self._api.log_in(self._email, self._password, on_purpose=on_purpose)
