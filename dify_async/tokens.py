"""Tokens, login attempts, and token stores."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec import field

from ._uncopyable import Uncopyable
from .models.base import Masked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager


class Tokens(Masked, frozen=True, kw_only=True, tag_field="kind", tag="tokens"):
    """The tokens of a session; the repr hides them.

    Attributes:
        access_token: Authenticates each call; valid for an hour by default.
        refresh_token: Refreshes the session once; valid for 30 days by default.
        csrf_token: From Dify 1.9.2; None for older servers.
        expires_at: When the access token expires, in Unix seconds of the server's clock; None if unknown.
        cookie_names: The names of the cookies that contained the tokens; None before Dify 1.9.2.
        by_code: Whether the session was started with an emailed code instead of the password.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token", "csrf_token"})

    access_token: str
    refresh_token: str
    csrf_token: str | None = None
    expires_at: int | None = None
    cookie_names: dict[str, str] | None = None
    by_code: bool = False


class LoginAttempts(Masked, frozen=True, kw_only=True, tag_field="kind", tag="login_attempts"):
    """How often passwords were sent for an account since one was last accepted.

    It contains no passwords, but slow hashes, which show whether two clients have the same one.

    Attributes:
        sent: How often each password was sent, by its hash.
        since: When the first of them was sent, in Unix seconds of the sender's clock.
        sent_at: When the last of them was sent.
        is_answered: Whether Dify responded to the last one.
        answer: The result of the last one; "" until there is one.
        replaced: How many of the responses were not Dify's.
        rejected: The hash of the password that Dify rejected last.
        rejection: A random id of that rejection.
        locked_at: When Dify last said that the account is locked; None if it did not.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"sent", "rejected"})

    sent: dict[str, int] = field(default_factory=dict)
    since: int = 0
    sent_at: int = 0
    is_answered: bool = True
    answer: str = ""
    replaced: int = 0
    rejected: str = ""
    rejection: str = ""
    locked_at: int | None = None


StoredValue = Tokens | LoginAttempts


class TokenStore(Protocol):
    """Keeps tokens and login attempts for one or many clients.

    A client uses two keys: one for the `Tokens` of an account on a server, and the same with the suffix
    "-login" for its `LoginAttempts`. Keys contain no secrets. If a store raises an error, the client
    continues with the values in memory.

    A store may delete `LoginAttempts` 24 hours after they were saved, but not before. If it does, set the
    attribute `expires_attempts = True`.
    """

    async def load(self, key: str) -> StoredValue | None:
        """Return the value that was saved last under the key, or None."""
        ...

    async def save(self, key: str, value: StoredValue, /) -> None:
        """Save the value under the key, in place of any earlier one."""
        ...

    async def clear(self, key: str) -> None:
        """Delete the value, if there is one."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Return a context manager that holds the lock for the key.

        Clients hold it while they refresh tokens or send a password. If several processes use the store, the
        lock should be shared between them.
        """
        ...


class MemoryTokenStore(Uncopyable):
    """Keeps tokens and login attempts in memory, for all clients of one process that share the store."""

    _instead = "to share tokens between processes, create a RedisTokenStore in each"

    def __init__(self) -> None:
        self._tokens: dict[str, StoredValue] = {}
        self._locks: dict[str, _ThreadsLock] = {}

    def __repr__(self) -> str:
        return f"MemoryTokenStore({len(getattr(self, '_tokens', ()))} sessions)"

    async def load(self, key: str) -> StoredValue | None:
        """Return the value that was saved last under the key, or None."""
        return self._tokens.get(key)

    async def save(self, key: str, value: StoredValue, /) -> None:
        """Save the value under the key."""
        self._tokens[key] = value

    async def clear(self, key: str) -> None:
        """Delete the value, if there is one."""
        self._tokens.pop(key, None)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock for the key, which one client in any thread can hold at a time."""
        lock = self._locks.setdefault(key, _ThreadsLock())
        await lock.acquire()
        try:
            yield
        finally:
            lock.release()


class _ThreadsLock:
    """A lock for tasks of any event loops: each sync client runs one in its own thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # never held across an await
        self._holder: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for the lock, first come, first served."""
        loop = asyncio.get_running_loop()
        with self._guard:
            if self._holder is None or self._holder.is_closed():
                self._holder = loop
                return
            turn = loop.create_future()
            self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            with self._guard:
                was_granted = turn not in self._waiting
                if not was_granted:
                    self._waiting.remove(turn)
            if was_granted:
                self.release()
            raise

    def release(self) -> None:
        """Hand the lock to the next task that waits."""
        with self._guard:
            self._holder = None
            while self._waiting and self._holder is None:
                turn = self._waiting.popleft()
                loop = turn.get_loop()
                with suppress(RuntimeError):  # its event loop was closed
                    loop.call_soon_threadsafe(_grant, turn)
                    self._holder = loop


def _grant(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
