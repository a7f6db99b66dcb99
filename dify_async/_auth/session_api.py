"""The requests that begin, refresh and end a session. They take no slot of the limiter."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Literal

import anyio
from msgspec.structs import replace

from dify_async._api.versions import BEARER_TOKENS
from dify_async._http.retry import LOGIN, NO_RETRIES, SAFE, Attempts, jittered_delays
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


class SessionApi:
    """Sends these requests, and reads the responses."""

    def __init__(
        self, sender: Sender, probe: ServerProbe, policy: RetryPolicy, guard: LoginGuard, emit: OnEvent | None
    ) -> None:
        self._sender = sender
        self._probe = probe
        self._policy = policy
        self._guard = guard
        self._emit = emit
        paths = (_LOGIN, _CODE_LOGIN, _REFRESH, LOGOUT)
        self._urls = {path: sender.transport.url(path, (), ()) for path in paths}

    async def log_in(self, email: str, password: str, *, on_purpose: bool) -> TokenCredentials:
        """Log in with the password.

        A password that was accepted before is retried if Dify did not respond, as often as the retry policy
        and the login guard allow.
        """
        left = min(self._policy.attempts, MAX_PER_PASSWORD) if self._guard.was_accepted else 1
        delays = jittered_delays(self._policy.base_delay, self._policy.max_delay)
        while True:
            body = rules.login_body(email, password, await self._version())
            await self._guard.before_sending(self._probe.confirm, on_purpose=on_purpose)
            try:
                credentials = await self._log_in(_LOGIN, body, password, "password")
            except DifyError as error:
                await self._guard.record(error)
                left -= 1
                if not left or self._guard.is_answered:
                    raise
            else:
                self._guard.accept()
                return credentials
            await anyio.sleep(next(delays))

    async def log_in_with_code(self, email: str, code: str, token: str) -> TokenCredentials:
        """Log in with an emailed code."""
        body = rules.code_body(email, code, token, await self._version())
        return await self._log_in(_CODE_LOGIN, body, code, "email_code")

    async def _version(self) -> str:
        version = await self._probe.version()
        if BEARER_TOKENS(version):
            self._sender.transport.extras.check_authorization()
        return version

    async def _log_in(
        self, path: str, body: bytes, secret: str, method: Literal["password", "email_code"]
    ) -> TokenCredentials:
        reply = await self._send("POST", path, _JSON, body, Attempts(self._policy, LOGIN))
        tokens = rules.read_tokens(reply)
        if tokens is None:
            raise verdicts.refusal(reply, path, secret, is_from_dify=self._probe.is_from_dify(reply))
        return self._new_session(replace(tokens, by_code=method == "email_code"), reply, method)

    async def refresh(self, tokens: Tokens) -> TokenCredentials | None:
        """Use the refresh token; None if it is invalid.

        After any other failure it is retried once, since it may still be valid: if its Redis or database is
        down, Dify responds with 401 up to 1.15 and with 500 from 1.16.0
        [1.15.0/11_redis_down_refresh, 1.16.1/11_redis_down_refresh, 1.16.1/11_db_down_refresh].
        """
        headers, body = rules.refresh_request(tokens)
        failure: DifyError
        for pause in (0.0, self._policy.base_delay):
            await anyio.sleep(pause)
            try:
                reply = await self._send("POST", _REFRESH, headers, body, Attempts(NO_RETRIES, LOGIN))
            except DifyConnectionError as error:
                failure = error
            else:
                fresh = rules.read_tokens(reply)
                if fresh is not None:
                    return self._new_session(replace(fresh, by_code=tokens.by_code), reply, "refresh_token")
                failure = status_error("POST", _REFRESH, reply)
            logger.info("the refresh failed: %s", failure)
            if isinstance(failure, DifyStatusError):
                if rules.refresh_token_is_dead(reply):
                    return None
                if is_not_about_the_account(failure):
                    break
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
        return TokenCredentials.of(tokens, source, rules.lifetime(tokens, reply))

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, attempts: Attempts
    ) -> Reply:
        request = Request(method, path, self._urls[path], headers, body)
        return await self._sender(lambda: request, attempts)
