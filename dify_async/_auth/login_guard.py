"""How often a password is sent: six wrong ones lock an account for a day, whichever client sent them."""

from __future__ import annotations

import copy
import hashlib
import logging
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import anyio.to_thread
from msgspec.structs import replace

from dify_async._http.wire import is_not_about_the_account
from dify_async.errors import DifyLoginError, DifyLoginLockedError, DifyStatusError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dify_async.errors import DifyError
    from dify_async.tokens import LoginAttempts

    from .fallback_store import FallbackStore

logger = logging.getLogger("dify_async")

MAX_PER_PASSWORD: Final = 3
MAX_PER_ACCOUNT: Final = 5
# Dify counts for as long (LOGIN_LOCKOUT_DURATION), anew from each attempt.
_WINDOW: Final = 24 * 3600
_LOCK_PAUSE: Final = 3600
_CLOCK_TOLERANCE: Final = 300
_ROUNDS: Final = 200_000


class LoginGuard:
    """Counts login attempts for all clients of one token store.

    One password is sent at most three times without success within 24 hours, and at most five are sent for
    the account. Each attempt is recorded in the store before it is sent, under the store's lock. Only an
    answer of Dify ends an attempt: after any other, GET /system-features must answer as Dify does before
    the next attempt.
    """

    def __init__(self, store: FallbackStore, password: str) -> None:
        self.rejection: DifyLoginError | None = None  # raised by every call until login()
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
        """Raise if the password was rejected here."""
        if self.rejection is not None:
            raise copy.copy(self.rejection)

    def look(self) -> None:
        """Note at the first use which rejection is older than this client: it may try once more."""
        if self._known_rejection is None:
            self._known_rejection = self._store.attempts.rejection

    def remember(self, error: DifyLoginError) -> DifyLoginError:
        """Let every call raise this until login() is called."""
        self.rejection = error
        return copy.copy(error)

    def forget(self) -> None:
        """Let the password be sent: on purpose, or since it was accepted."""
        self.rejection = None

    async def before_sending(self, confirm: Callable[[], Awaitable[None]], *, on_purpose: bool) -> None:
        """Record an attempt, or raise if there must be none."""
        self.look()
        seen, mine = self._store.attempts, await self._fingerprint()
        now = int(time.time())
        if not on_purpose:
            if seen.rejected == mine and seen.rejection not in {"", self._known_rejection}:
                text = f"{seen.answer} Another client of this account got this answer."
                raise self.remember(DifyLoginError(text, method="POST", path="/login"))
            self._check_lock(seen, now)
        used_up = seen.sent.get(mine, 0) >= MAX_PER_PASSWORD or sum(seen.sent.values()) >= MAX_PER_ACCOUNT
        # A store that does not expire records is compared by the clock; Redis is not.
        is_over = not -_CLOCK_TOLERANCE <= now - seen.sent_at <= _WINDOW and not self._store.expires_attempts
        if used_up and not is_over:
            raise _used_up(seen)
        if not seen.is_answered:
            await confirm()
        sent = {**seen.sent, mine: seen.sent.get(mine, 0) + 1}
        attempt = replace(seen, sent=sent, since=seen.since or now, sent_at=now, is_answered=False, answer="")
        await self._store.save_attempts(attempt)

    async def unanswered(self, error: DifyError, *, is_replaced: bool = False) -> None:
        """Record that no answer came, or one that is not Dify's."""
        seen = self._store.attempts
        replaced = seen.replaced + is_replaced
        await self._store.save_attempts(replace(seen, answer=str(error), replaced=replaced))

    async def refused(self, error: DifyError) -> None:
        """Record an answer without tokens."""
        if isinstance(error, DifyLoginLockedError):
            self._locked_until = time.monotonic() + _LOCK_PAUSE
            await self._take_back(replace(self._store.attempts, locked_at=int(time.time())), str(error))
        elif isinstance(error, DifyLoginError):
            self.remember(error)
            rejection = {"rejected": await self._fingerprint(), "rejection": uuid.uuid4().hex}
            await self._store.save_attempts(
                replace(self._store.attempts, is_answered=True, answer=str(error), **rejection)
            )
        elif isinstance(error, DifyStatusError) and is_not_about_the_account(error):
            await self._take_back(self._store.attempts, str(error))
        else:
            await self.unanswered(error, is_replaced=True)

    async def not_sent(self) -> None:
        """Take the attempt back: it surely did not reach the server."""
        await self._take_back(self._store.attempts, "")

    async def clear(self) -> None:
        """Forget all attempts, since a password was accepted."""
        self._locked_until = 0.0
        await self._store.save_attempts(None)

    async def _take_back(self, seen: LoginAttempts, answer: str) -> None:
        """Do not count the last attempt: Dify did not check the password."""
        sent = {**seen.sent, self._hash: seen.sent[self._hash] - 1}
        await self._store.save_attempts(replace(seen, sent=sent, is_answered=True, answer=answer))

    def _check_lock(self, seen: LoginAttempts, now: int) -> None:
        is_locked = seen.locked_at is not None and abs(now - seen.locked_at) < _LOCK_PAUSE
        if is_locked or time.monotonic() < self._locked_until:
            raise DifyLoginLockedError(
                seen.answer, status=429, code="email_code_login_limit", method="POST", path="/login"
            )

    async def _fingerprint(self) -> str:
        """A hash that says whether two clients have the same password, and no more."""
        if not self._hash:
            password, salt = self._password.encode(errors="surrogatepass"), self._store.key.encode()
            # Slow on purpose, so not in the event loop.
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
