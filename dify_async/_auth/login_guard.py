"""Limit how often a password is sent: Dify locks an account for a day after six wrong passwords."""

from __future__ import annotations

import copy
import hashlib
import math
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn

import anyio
from msgspec.structs import replace

from dify_async._http.wire import is_not_about_the_account
from dify_async.errors import (
    DifyConnectionError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyStatusError,
)

from .verdicts import still_locked, without_advice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dify_async.errors import DifyError
    from dify_async.tokens import LoginAttempts

    from .fallback_store import FallbackStore

MAX_PER_PASSWORD: Final = 3
MAX_PER_ACCOUNT: Final = 5
# In seconds. Dify's LOGIN_LOCKOUT_DURATION; each attempt restarts it.
_WINDOW: Final = 24 * 3600
# How long no password is sent after Dify responded that the account is locked.
_LOCK_PAUSE: Final = 3600
# How far a record of another machine may be in the future, because its clock is ahead.
_CLOCK_TOLERANCE: Final = 300
# Iterations of PBKDF2.
_ROUNDS: Final = 200_000


class LoginGuard:
    """Counts login attempts for all clients that share a token store.

    Within 24 hours, the same password is sent at most three times without success, and all passwords of the
    account together at most five times. Each attempt is recorded before it is sent, while the store's lock
    is held. If Dify did not respond to the last attempt, the next one is made only if GET
    /system-features returns a response from Dify.

    Attributes:
        rejection: The error that every call raises until `login()` is called; None if there is none.
        was_accepted: Whether Dify has accepted the password from this client.
    """

    def __init__(self, store: FallbackStore, password: str) -> None:
        self.rejection: DifyLoginError | None = None
        self.was_accepted = False
        self._store = store
        self._password = password
        self._hash = ""
        self._known_rejection: str | None = None  # the latest one when this client was first used
        self._was_answered = True  # `is_answered` before the last attempt
        self._locked_until = 0.0  # by the monotonic clock

    @property
    def is_answered(self) -> bool:
        """Whether Dify responded to the last attempt of any client."""
        return self._store.attempts.is_answered

    def check(self) -> None:
        """Raise the stored error if the password was rejected."""
        if self.rejection is not None:
            raise copy.copy(self.rejection)

    def reject(self, error: DifyLoginError) -> NoReturn:
        """Raise this error now and in every later call, until `login()` is called."""
        self.rejection = error
        raise copy.copy(error)

    def look(self) -> None:
        """Remember the latest rejection on first use: this client ignores it, and may try once more."""
        if self._known_rejection is None:
            self._known_rejection = self._store.attempts.rejection

    def accept(self) -> None:
        """Record that the password was accepted."""
        self.rejection, self.was_accepted, self._locked_until = None, True, 0.0

    async def before_sending(self, confirm: Callable[[], Awaitable[None]], *, on_purpose: bool) -> None:
        """Record an attempt, or raise if the password must not be sent.

        `confirm` raises unless the server responds as Dify does; `on_purpose` is true for `login()`.
        """
        self.look()
        attempts, own_hash = self._store.attempts, await self._fingerprint()
        now = int(time.time())
        if not on_purpose:
            if attempts.rejected == own_hash and attempts.rejection not in {"", self._known_rejection}:
                text = (
                    f"{attempts.answer} Another client of this account received this response."
                    " Correct the cause, then call login() or create a new client."
                )
                self.reject(DifyLoginError(text, method="POST", path="/login"))
            age = math.inf if attempts.locked_at is None else abs(now - attempts.locked_at)
            # By the monotonic clock too, since the record may be of a machine with another time.
            if age < _LOCK_PAUSE or (age < math.inf and time.monotonic() < self._locked_until):
                raise still_locked()
        sent = attempts.sent
        if sent.get(own_hash, 0) >= MAX_PER_PASSWORD or sum(sent.values()) >= MAX_PER_ACCOUNT:
            is_recent = -_CLOCK_TOLERANCE <= now - attempts.sent_at <= _WINDOW
            if is_recent or self._store.expires_attempts:  # by its own clock, so no clocks are compared
                raise _used_up_error(attempts)
        if not attempts.is_answered:
            await confirm()
        self._was_answered = attempts.is_answered
        await self._store.save_attempts(
            replace(
                attempts,
                sent={**sent, own_hash: sent.get(own_hash, 0) + 1},
                since=attempts.since or now,
                sent_at=now,
                is_answered=False,
                answer="POST /login: no response.",
            )
        )

    async def record(self, error: DifyError) -> None:
        """Record why the last login failed, and whether the attempt still counts."""
        attempts = replace(self._store.attempts, answer=without_advice(error))
        if isinstance(error, DifyLoginLockedError):  # Dify did not check the password
            self._locked_until = time.monotonic() + _LOCK_PAUSE
            attempts = self._uncounted(attempts, locked_at=int(time.time()))
        elif isinstance(error, DifyLoginError):
            self.rejection = copy.copy(error)
            rejection = uuid.uuid4().hex
            attempts = replace(
                attempts, is_answered=True, locked_at=None, rejected=self._hash, rejection=rejection
            )
        elif isinstance(error, DifyConnectionError):
            if not error.sent:
                attempts = self._uncounted(attempts, is_answered=self._was_answered)
        elif isinstance(error, DifyStatusError) and is_not_about_the_account(error):
            attempts = self._uncounted(attempts)
        elif not isinstance(error, DifyStatusError) or error.code is None:
            # The response is not from Dify: something in front of it replaces its responses.
            attempts = replace(attempts, replaced=attempts.replaced + 1)
        await self._store.save_attempts(attempts)

    def _uncounted(self, attempts: LoginAttempts, **changes: Any) -> LoginAttempts:
        """The attempts without the last one, because Dify did not check its password."""
        sent = {**attempts.sent, self._hash: max(0, attempts.sent.get(self._hash, 0) - 1)}
        return replace(attempts, **{"sent": sent, "is_answered": True, **changes})

    async def _fingerprint(self) -> str:
        """A salted hash, which reveals only whether two clients use the same password."""
        if not self._hash:
            password, salt = self._password.encode(errors="surrogatepass"), self._store.key.encode()
            # PBKDF2 is deliberately slow, so it runs in a thread.
            digest = await anyio.to_thread.run_sync(
                hashlib.pbkdf2_hmac, "sha256", password, salt, _ROUNDS, abandon_on_cancel=True
            )
            self._hash = digest.hex()
        return self._hash


def _used_up_error(attempts: LoginAttempts) -> DifyLoginError:
    times = sum(attempts.sent.values())
    since = datetime.fromtimestamp(attempts.since, UTC)
    advice = "Correct the password, or wait until 24 hours after the last attempt."
    if not attempts.is_answered:
        advice = (
            "Nothing more is sent until 24 hours after the last attempt, to protect the account."
            " Find out why POST /login fails."
        )
        if attempts.replaced:
            advice = (
                "GET /system-features works, so a proxy or gateway in front of Dify replaces the responses"
                f" of POST /login. {advice}"
            )
    return DifyLoginError(
        f"{attempts.answer} Passwords were sent {times} times without success since"
        f" {since:%Y-%m-%d %H:%M} UTC. {advice}",
        method="POST",
        path="/login",
    )
