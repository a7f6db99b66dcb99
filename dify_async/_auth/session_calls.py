"""What is asked of the server about a session: to begin it, to renew it, and to end it."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Final, Literal

import anyio
from msgspec.structs import replace

from dify_async._http.retry import (
    IDEMPOTENT,
    NEVER_AGAIN,
    SIGN_IN,
    SIGN_IN_AGAIN,
    Attempts,
)
from dify_async._http.wire import Request, is_not_about_the_account, status_error
from dify_async.errors import DifyConnectionError, DifyError, DifyLoginError
from dify_async.events import SessionRefreshed

from . import rules
from .grant import Source, TokenGrant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_async._api.probe import ServerProbe
    from dify_async._http.retry import RetryPolicy
    from dify_async._http.sender import Sender
    from dify_async._http.wire import Reply
    from dify_async.errors import DifyStatusError
    from dify_async.events import OnEvent
    from dify_async.tokens import Tokens

    from .caution import Caution

logger = logging.getLogger("dify_async")

LOGOUT: Final = "/logout"
_LOGIN: Final = "/login"
_CODE_LOGIN: Final = "/email-code-login/validity"
_REFRESH: Final = "/refresh-token"
_JSON: Final = {"Content-Type": "application/json"}
_MOST_SIGN_INS: Final = 3  # in one call: a password that was changed meanwhile may be counted each time


class SessionCalls:
    """Calls that take no slot, and are repeated by rules of their own."""

    def __init__(
        self,
        sender: Sender,
        probe: ServerProbe,
        policy: RetryPolicy,
        caution: Caution,
        *,
        email: str,
        password: str,
        emit: OnEvent,
    ) -> None:
        self._sender = sender
        self._probe = probe
        self._policy = policy
        self._sign_in_policy = dataclasses.replace(policy, attempts=min(policy.attempts, _MOST_SIGN_INS))
        self._caution = caution
        self._email = email
        self._password = password
        self._emit = emit

    async def by_password(self, *, again: bool) -> TokenGrant:
        """A session; `again` tells that the password was accepted before."""
        await self._caution.before_sending()
        body = rules.login_body(self._email, self._password, await self._probe.version())
        attempts = Attempts(self._sign_in_policy, SIGN_IN_AGAIN if again else SIGN_IN)
        try:
            reply = await self._send("POST", _LOGIN, _JSON, body, attempts)
            return self._new_session(reply, _LOGIN, "password", self._password)
        except DifyLoginError:
            await self._caution.tell()
            raise
        except DifyError as error:
            self._caution.count(attempts, error)
            raise

    async def by_code(self, code: str, token: str) -> TokenGrant:
        """A session by a code from a mail."""
        body = rules.code_body(self._email, code, token, await self._probe.version())
        reply = await self._send("POST", _CODE_LOGIN, _JSON, body, Attempts(self._policy, SIGN_IN))
        return self._new_session(reply, _CODE_LOGIN, "email_code", code)

    async def renewed(self, tokens: Tokens) -> TokenGrant | None:
        """A grant by the refresh token; None where that is dead.

        Only one answer says so; after any other it is tried once more, and then raised.
        """
        headers, body = rules.refresh_request(tokens)
        failure: DifyConnectionError | DifyStatusError | None = None
        for pause in (0.0, self._policy.base_delay):
            await anyio.sleep(pause)
            try:
                reply = await self._send("POST", _REFRESH, headers, body, Attempts(NEVER_AGAIN, SIGN_IN))
            except DifyConnectionError as error:
                logger.info("the renewal failed: %s", error)
                failure = error
                continue
            renewed = rules.read_tokens(reply)
            if renewed is not None:
                logger.info("renewed the session")
                self._emit(SessionRefreshed("refresh_token"))
                renewed = replace(renewed, by_code=tokens.by_code)
                return TokenGrant(renewed, Source.RENEWAL, rules.lifetime(renewed, reply))
            failure = status_error("POST", _REFRESH, reply)
            logger.info("the renewal was refused: %s", failure)
            if rules.refresh_token_is_dead(reply):
                return None
            if is_not_about_the_account(failure):
                break
        assert failure is not None  # noqa: S101 - the loop has run, for the type checker
        raise failure

    async def log_out(self, tokens: Tokens) -> Reply:
        """To be sent again without harm: it ends the newest session, if there is one."""
        method, headers = rules.logout_method(tokens), rules.call_headers(tokens)
        return await self._send(method, LOGOUT, headers, None, Attempts(self._policy, IDEMPOTENT))

    def _new_session(
        self, reply: Reply, path: str, by: Literal["password", "email_code"], secret: str
    ) -> TokenGrant:
        tokens = rules.read_tokens(reply)
        if tokens is None:
            raise rules.refusal(rules.without(secret, reply), "POST", path)
        logger.info("signed in")
        self._emit(SessionRefreshed(by))
        tokens = replace(tokens, by_code=by == "email_code")
        return TokenGrant(tokens, Source.SIGN_IN, rules.lifetime(tokens, reply))

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, attempts: Attempts
    ) -> Reply:
        url = self._sender.transport.url(path, (), ())
        reply = await self._sender(Request(method, path, url, headers, body), attempts)
        self._probe.observe_version(reply)
        return reply
