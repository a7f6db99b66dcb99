"""How often a password may be sent: Dify locks an account for a day after six wrong ones."""

from __future__ import annotations

import copy
import hashlib
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NoReturn

import anyio.to_thread
from msgspec.structs import replace

from dify_async._http.wire import is_not_about_the_account
from dify_async.errors import (
    DifyConnectionError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyStatusError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dify_async.errors import DifyError
    from dify_async.tokens import LoginAttempts

    from .fallback_store import FallbackStore

MAX_PER_PASSWORD: Final = 3
MAX_PER_ACCOUNT: Final = 5
# Dify's LOGIN_LOCKOUT_DURATION, which each attempt restarts.
_WINDOW: Final = 24 * 3600
_LOCK_PAUSE: Final = 3600
_CLOCK_TOLERANCE: Final = 300
_ROUNDS: Final = 200_000


class LoginGuard:
    """Counts login attempts for all clients that share a token store.

    One password is sent at most three times without success within 24 hours, and at most five passwords for
    the account in all. Each attempt is recorded before it is sent, under the store's lock. After an attempt
    that Dify did not answer, the next one is made only if GET /system-features answers as Dify does.

    Attributes:
        rejection: Raised by every call until `login()`.
        was_accepted: Whether the password was accepted from this client.
    """

    def __init__(self, store: FallbackStore, password: str) -> None:
        self.rejection: DifyLoginError | None = None
        self.was_accepted = False
        self._store = store
        self._password = password
        self._hash = ""
        self._known_rejection: str | None = None  # the last one before this client was used
        self._locked_until = 0.0  # by the monotonic clock

    @property
    def is_answered(self) -> bool:
        """Whether Dify answered the last attempt of any client."""
        return self._store.attempts.is_answered

    def check(self) -> None:
        """Raise if the password was rejected."""
        if self.rejection is not None:
            raise copy.copy(self.rejection)

    def reject(self, error: DifyLoginError) -> NoReturn:
        """Raise this error here and in every call."""
        self.rejection = error
        raise copy.copy(error)

    def look(self) -> None:
        """Note at the first use which rejection is older than this client, which may try once more."""
        if self._known_rejection is None:
            self._known_rejection = self._store.attempts.rejection

    def accept(self) -> None:
        """Note that the password was accepted."""
        self.rejection, self.was_accepted, self._locked_until = None, True, 0.0

    async def before_sending(self, confirm: Callable[[], Awaitable[None]], *, on_purpose: bool) -> None:
        """Record an attempt, or raise if the password must not be sent."""
        self.look()
        seen, mine = self._store.attempts, await self._fingerprint()
        now = int(time.time())
        if not on_purpose:
            if seen.rejected == mine and seen.rejection not in {"", self._known_rejection}:
                text = f"{seen.answer} Another client of this account got this answer."
                self.reject(DifyLoginError(text, method="POST", path="/login"))
            self._check_lock(seen, now)
        used_up = seen.sent.get(mine, 0) >= MAX_PER_PASSWORD or sum(seen.sent.values()) >= MAX_PER_ACCOUNT
        # Only if the store does not expire records: then the clocks of two machines are compared.
        is_over = not -_CLOCK_TOLERANCE <= now - seen.sent_at <= _WINDOW and not self._store.expires_attempts
        if used_up and not is_over:
            raise _used_up(seen)
        if not seen.is_answered:
            await confirm()
        sent = {**seen.sent, mine: seen.sent.get(mine, 0) + 1}
        attempt = replace(seen, sent=sent, since=seen.since or now, sent_at=now, is_answered=False, answer="")
        await self._store.save_attempts(attempt)

    async def record(self, error: DifyError) -> None:
        """Record why the last attempt brought no session. Only this decides whether it counts."""
        attempts = replace(self._store.attempts, answer=str(error))
        if isinstance(error, DifyLoginLockedError):  # Dify did not check the password
            self._locked_until = time.monotonic() + _LOCK_PAUSE
            attempts = self._uncounted(replace(attempts, locked_at=int(time.time())))
        elif isinstance(error, DifyLoginError):
            self.rejection = copy.copy(error)
            rejection = {"rejected": self._hash, "rejection": uuid.uuid4().hex}
            attempts = replace(attempts, is_answered=True, **rejection)
        elif isinstance(error, DifyStatusError) and is_not_about_the_account(error):
            attempts = self._uncounted(attempts)
        elif not isinstance(error, DifyConnectionError):
            attempts = replace(attempts, replaced=attempts.replaced + 1)
        elif not error.sent:
            attempts = self._uncounted(attempts)
        await self._store.save_attempts(attempts)

    def _uncounted(self, attempts: LoginAttempts) -> LoginAttempts:
        sent = {**attempts.sent, self._hash: max(0, attempts.sent.get(self._hash, 0) - 1)}
        return replace(attempts, sent=sent, is_answered=True)

    def _check_lock(self, seen: LoginAttempts, now: int) -> None:
        is_locked = seen.locked_at is not None and abs(now - seen.locked_at) < _LOCK_PAUSE
        if is_locked or time.monotonic() < self._locked_until:
            raise DifyLoginLockedError(
                seen.answer, status=429, code="email_code_login_limit", method="POST", path="/login"
            )

    async def _fingerprint(self) -> str:
        """A hash that shows only whether two clients have the same password."""
        if not self._hash:
            password, salt = self._password.encode(errors="surrogatepass"), self._store.key.encode()
            # It is slow on purpose, so it runs in a thread.
            digest = await anyio.to_thread.run_sync(
                hashlib.pbkdf2_hmac, "sha256", password, salt, _ROUNDS, abandon_on_cancel=True
            )
            self._hash = digest.hex()
        return self._hash


def _used_up(seen: LoginAttempts) -> DifyLoginError:
    times = sum(seen.sent.values())
    since = datetime.fromtimestamp(seen.since, UTC)
    advice = "Correct the password, or wait until 24 hours after the last attempt."
    if not seen.is_answered:
        advice = "Nothing more is sent until 24 hours after the last attempt, to protect the account."
        if seen.replaced:
            advice = (
                "GET /system-features answers, so a proxy or gateway in front of Dify replaces the answers"
                f" of POST /login. {advice}"
            )
    last = seen.answer or "POST /login: no answer"
    return DifyLoginError(
        f"{last.rstrip('.')}. Passwords were sent {times} times without success since"
        f" {since:%Y-%m-%d %H:%M} UTC. {advice}",
        method="POST",
        path="/login",
    )
