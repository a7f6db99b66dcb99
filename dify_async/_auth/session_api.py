"""The requests that begin, refresh and end a session."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, Literal

import anyio
from msgspec.structs import replace

from dify_async._api.versions import BEARER_TOKENS
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
# The part of their lifetime after which tokens are refreshed in the background.
_REFRESH_EARLY_AT: Final = 0.9
# How long tokens count as new. Their end is known to the second, and some live for a few seconds.
_MAX_NEW: Final = 60.0
_NEW_PART: Final = 0.5  # of their lifetime


def token_credentials(tokens: Tokens, source: Source, lifetime: float) -> TokenCredentials:
    """Credentials from tokens that expire in `lifetime` seconds."""
    now = time.monotonic()
    return TokenCredentials(
        rules.call_headers(tokens),
        refresh_at=now + _REFRESH_EARLY_AT * lifetime,
        tokens=tokens,
        source=source,
        new_until=now + min(_MAX_NEW, _NEW_PART * lifetime),
    )


class SessionApi:
    """Sends these requests. They take no slot of the limiter."""

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

    async def log_in(self, *, on_purpose: bool) -> TokenCredentials:
        """Log in with the password.

        A password that was accepted before is retried after attempts that Dify did not answer, as often as
        the retry policy and the login guard allow.
        """
        left = min(self._policy.attempts, MAX_PER_PASSWORD) if self._guard.was_accepted else 1
        delays = jittered_delays(self._policy.base_delay, self._policy.max_delay)
        while True:
            version = await self._probe.version()
            if BEARER_TOKENS(version):
                self._sender.transport.extras.check_authorization()
            await self._guard.before_sending(self._probe.confirm, on_purpose=on_purpose)
            try:
                body = rules.login_body(self._email, self._password, version)
                credentials = await self._log_in(_LOGIN, body, self._password, "password")
            except DifyError as error:
                await self._guard.record(error)
                left -= 1
                if not left or self._guard.is_answered:
                    raise
            else:
                self._guard.accept()
                return credentials
            await anyio.sleep(next(delays))

    async def log_in_with_code(self, code: str, token: str) -> TokenCredentials:
        """Log in with an emailed code."""
        body = rules.code_body(self._email, code, token, await self._probe.version())
        return await self._log_in(_CODE_LOGIN, body, code, "email_code")

    async def _log_in(
        self, path: str, body: bytes, secret: str, method: Literal["password", "email_code"]
    ) -> TokenCredentials:
        reply = await self._send("POST", path, _JSON, body, Attempts(self._policy, SIGN_IN))
        tokens = rules.read_tokens(reply)
        if tokens is None:
            raise verdicts.refusal(reply, path, secret, is_from_dify=self._probe.is_from_dify(reply))
        return self._new_session(replace(tokens, by_code=method == "email_code"), reply, method)

    async def refresh(self, tokens: Tokens) -> TokenCredentials | None:
        """Use the refresh token; None if it is invalid.

        After any other failure it is retried once, since it may still be valid: if its Redis or database is
        down, Dify answers 401 up to 1.15 and 500 from 1.16.0
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
        """End the newest session of the account; safe to retry."""
        method, headers = rules.logout_method(tokens), rules.call_headers(tokens)
        return await self._send(method, LOGOUT, headers, None, Attempts(self._policy, SAFE))

    def _new_session(
        self, tokens: Tokens, reply: Reply, method: Literal["refresh_token", "password", "email_code"]
    ) -> TokenCredentials:
        logger.info("new tokens (method: %s)", method)
        if self._emit is not None:
            self._emit(SessionRefreshed(method))
        source = Source.REFRESH if method == "refresh_token" else Source.LOGIN
        return token_credentials(tokens, source, rules.lifetime(tokens, reply))

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, attempts: Attempts
    ) -> Reply:
        request = Request(method, path, self._urls[path], headers, body)
        return await self._sender(lambda: request, attempts)
