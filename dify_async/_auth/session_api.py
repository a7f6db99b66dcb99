"""What the server is asked about a session: to begin it, to refresh it and to end it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, Literal

import anyio
from msgspec.structs import replace

from dify_async._http.retry import NEVER_AGAIN, SAFE, SIGN_IN, Attempts, jittered_delays
from dify_async._http.wire import Request, is_not_about_the_account, status_error
from dify_async.errors import DifyConnectionError, DifyError, DifyStatusError
from dify_async.events import SessionRefreshed

from . import rules, verdicts
from .credentials import Source, TokenCredentials
from .login_guard import MAX_PER_PASSWORD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_async._api.probe import ServerProbe
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.wire import Reply
    from dify_async.events import OnEvent
    from dify_async.tokens import Tokens

    from .login_guard import LoginGuard

logger = logging.getLogger("dify_async")

LOGOUT: Final = "/logout"
_LOGIN: Final = "/login"
_CODE_LOGIN: Final = "/email-code-login/validity"
_REFRESH: Final = "/refresh-token"
_JSON: Final = {"Content-Type": "application/json"}
# Tokens are refreshed in the background once this part of their time is over.
_REFRESH_EARLY_AT: Final = 0.9
# For so long tokens count as new: their end is known by the second, and some live for a few seconds.
_MAX_NEW: Final = 60.0
_NEW_PART: Final = 0.5  # of their time


def token_credentials(tokens: Tokens, source: Source, lifetime: float) -> TokenCredentials:
    """Credentials that end in `lifetime` seconds, if nothing ends them before."""
    now = time.monotonic()
    return TokenCredentials(
        rules.call_headers(tokens),
        refresh_at=now + _REFRESH_EARLY_AT * lifetime,
        tokens=tokens,
        source=source,
        new_until=now + min(_MAX_NEW, _NEW_PART * lifetime),
    )


class SessionApi:
    """Calls without a slot, each retried by its own rules."""

    def __init__(
        self,
        sender: Sender,
        probe: ServerProbe,
        policy: RetryPolicy,
        guard: LoginGuard,
        emit: OnEvent | None,
        *,
        email: str,
        password: str,
    ) -> None:
        self._sender = sender
        self._probe = probe
        self._policy = policy
        self._guard = guard
        self._emit = emit
        self._email = email
        self._password = password
        paths = (_LOGIN, _CODE_LOGIN, _REFRESH, LOGOUT)
        self._urls = {path: sender.transport.url(path, (), ()) for path in paths}

    async def log_in(self, *, on_purpose: bool, may_retry: bool) -> TokenCredentials:
        """A session by the password.

        If it may be retried, since it was accepted before, the password is retried after attempts that
        Dify did not answer, as often as the retry policy and the login guard allow.
        """
        left = min(self._policy.attempts, MAX_PER_PASSWORD) if may_retry else 1
        delays = jittered_delays(self._policy.base_delay, self._policy.max_delay)
        while True:
            version = await self._probe.version()
            await self._guard.before_sending(self._probe.confirm, on_purpose=on_purpose)
            try:
                return await self._send_password(version)
            except DifyError:
                left -= 1
                if not left or self._guard.is_answered:
                    raise
            await anyio.sleep(next(delays))

    async def _send_password(self, version: str) -> TokenCredentials:
        """One attempt, whose result the login guard is told."""
        body = rules.login_body(self._email, self._password, version)
        try:
            reply = await self._send("POST", _LOGIN, _JSON, body, Attempts(self._policy, SIGN_IN))
        except DifyConnectionError as error:
            await (self._guard.unanswered(error) if error.sent else self._guard.not_sent())
            raise
        except DifyError as error:  # the answer is not HTTP, or too large
            await self._guard.unanswered(error, is_replaced=True)
            raise
        tokens = rules.read_tokens(reply)
        if tokens is not None:
            return self._new_session(tokens, reply, "password")
        reply = verdicts.without(self._password, reply)
        refusal = verdicts.refusal(reply, "POST", _LOGIN, is_from_dify=self._probe.is_from_dify(reply))
        await self._guard.refused(refusal)
        raise refusal

    async def log_in_with_code(self, code: str, token: str) -> TokenCredentials:
        """A session by a mailed code."""
        body = rules.code_body(self._email, code, token, await self._probe.version())
        reply = await self._send("POST", _CODE_LOGIN, _JSON, body, Attempts(self._policy, SIGN_IN))
        tokens = rules.read_tokens(reply)
        if tokens is None:
            is_from_dify = self._probe.is_from_dify(reply)
            raise verdicts.refusal(
                verdicts.without(code, reply), "POST", _CODE_LOGIN, is_from_dify=is_from_dify
            )
        return self._new_session(replace(tokens, by_code=True), reply, "email_code")

    async def refresh(self, tokens: Tokens) -> TokenCredentials | None:
        """Credentials by the refresh token; None if the server says that it is invalid.

        After any other failure the same token is tried once more before anything else, since it may still
        be good: with its Redis or database down, Dify answers 401 up to 1.15 and 500 from 1.16.0
        [1.15.0/11_redis_down_refresh, 1.16.1/11_redis_down_refresh, 1.16.1/11_db_down_refresh].
        """
        headers, body = rules.refresh_request(tokens)
        failure: DifyConnectionError | DifyStatusError | None = None
        for pause in (0.0, self._policy.base_delay):
            await anyio.sleep(pause)
            try:
                reply = await self._send("POST", _REFRESH, headers, body, Attempts(NEVER_AGAIN, SIGN_IN))
            except DifyConnectionError as error:
                logger.info("the refresh failed: %s", error)
                failure = error
                continue
            fresh = rules.read_tokens(reply)
            if fresh is not None:
                return self._new_session(replace(fresh, by_code=tokens.by_code), reply, "refresh_token")
            failure = status_error("POST", _REFRESH, reply)
            logger.info("the refresh was rejected: %s", failure)
            if rules.refresh_token_is_dead(reply):
                return None
            if is_not_about_the_account(failure):
                break
        assert failure is not None  # noqa: S101 - the loop has run, for the type checker
        raise failure

    async def log_out(self, tokens: Tokens) -> Reply:
        """End the newest session, if there is one; retried without harm."""
        method, headers = rules.logout_method(tokens), rules.call_headers(tokens)
        return await self._send(method, LOGOUT, headers, None, Attempts(self._policy, SAFE))

    def _new_session(
        self, tokens: Tokens, reply: Reply, by: Literal["refresh_token", "password", "email_code"]
    ) -> TokenCredentials:
        logger.info("new session by %s", by.replace("_", " "))
        if self._emit is not None:
            self._emit(SessionRefreshed(by))
        source = Source.REFRESH if by == "refresh_token" else Source.LOGIN
        return token_credentials(tokens, source, rules.lifetime(tokens, reply))

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, attempts: Attempts
    ) -> Reply:
        request = Request(method, path, self._urls[path], headers, body)
        return await self._sender(lambda: request, attempts)
