"""How often a password is sent: six wrong ones lock an account for a day, whoever sent them."""

from __future__ import annotations

import copy
import hashlib
import time
from typing import TYPE_CHECKING, Final

import anyio.to_thread

from dify_async.errors import DifyLoginError
from dify_async.tokens import Tokens

if TYPE_CHECKING:
    from dify_async._http.retry import Attempts
    from dify_async.errors import DifyError

    from .store_guard import StoreGuard

_ROUNDS: Final = 200_000
# After so many that were sent and got no answer, each further one waits for longer.
_UNANSWERED: Final = 3
_PAUSE: Final = 10.0
_MAX_PAUSE: Final = 300.0


class Caution:
    """What is known of a password: refused here, refused elsewhere, or sent without an answer."""

    def __init__(self, store: StoreGuard, password: str) -> None:
        self._store = store
        self._password = password
        self.forget()

    def forget(self) -> None:
        """Let it be sent, whatever came of it before: on purpose, or since it was accepted."""
        self._made_at = _now_ms()
        self._refusal: DifyError | None = None
        self._failure: DifyError | None = None
        self._unanswered = 0
        self._pause = _PAUSE
        self._not_before = 0.0

    @property
    def was_refused(self) -> bool:
        """Whether every call is to raise that."""
        return self._refusal is not None

    def check(self) -> None:
        """Raise what was refused here."""
        if self._refusal is not None:
            raise copy.copy(self._refusal)

    async def before_sending(self) -> None:
        """Raise where it was refused elsewhere since this client was made, or got no answer lately."""
        if self._failure is not None and time.monotonic() < self._not_before:
            raise copy.copy(self._failure)
        mark = self._store.refusal
        is_newer = mark is not None and (mark.expires_at or 0) > self._made_at
        if mark is not None and is_newer and mark.access_token == await self._fingerprint():
            raise DifyLoginError(
                "POST /login: the password was refused to another client of this account;"
                " it is not sent again until login() is called, or a client is made",
                method="POST",
                path="/login",
            )

    def keep(self, refusal: DifyLoginError) -> None:
        """It was refused; or there is no use in sending it."""
        self._refusal = refusal

    async def tell(self) -> None:
        """Let the other clients of this account know that the server refused it."""
        mark = Tokens(access_token=await self._fingerprint(), refresh_token="", expires_at=_now_ms())
        await self._store.save_refusal(mark)

    def count(self, attempts: Attempts, failure: DifyError) -> None:
        """It got no answer that says something of it."""
        if not attempts.may_have_taken_effect:
            return
        self._unanswered += attempts.made
        self._failure = failure
        if self._unanswered >= _UNANSWERED:
            self._not_before = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _MAX_PAUSE)

    async def _fingerprint(self) -> str:
        """Tells whether two have the same password, and to nobody which."""
        password, salt = self._password.encode(errors="surrogatepass"), self._store.key.encode()
        # Slow on purpose, so not in the event loop.
        digest = await anyio.to_thread.run_sync(
            hashlib.pbkdf2_hmac, "sha256", password, salt, _ROUNDS, abandon_on_cancel=True
        )
        return digest.hex()


def _now_ms() -> int:
    return int(time.time() * 1000)
