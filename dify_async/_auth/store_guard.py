"""A token store that may fail: the tokens are in memory too, and no call waits long for the store."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from dify_async._http.retry import jittered_delays
from dify_async._tasks import end
from dify_async.events import StoreDown, StoreUp

from . import rules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from dify_async.events import OnEvent
    from dify_async.tokens import Tokens, TokenStore

logger = logging.getLogger("dify_async")

T = TypeVar("T")

# A call waits at most 2 s for the store: a load that may have to connect, the taking of the lock,
# and a load under the lock. Saving delays no call.
_DEADLINE: Final = 0.45
_DEADLINE_TO_CONNECT: Final = 1.0
_CONNECTED_FOR: Final = 30.0
# The lock is held for as long as another process needs to renew.
_LOCK_DEADLINE: Final = 60.0
# Nobody waits for its release, and others wait for it.
_RELEASE_DEADLINE: Final = 3.0
_PAUSE: Final = 5.0
_MAX_PAUSE: Final = 30.0


class _UnavailableError(Exception):
    """The store failed, or is left alone for a while because it did."""


class StoreGuard:
    """The tokens of one account: in the store while it works, in memory always."""

    def __init__(self, store: TokenStore, key: str, emit: OnEvent) -> None:
        self.key = key
        # The last that was loaded in the place of tokens: whose password was refused, and when.
        self.refusal: Tokens | None = None
        self._store = store
        self._emit = emit
        self._copy: Tokens | None = None
        self._stored: Tokens | None = None
        self._unsaved = False
        self._last_answer = -_CONNECTED_FOR
        self._ask_again_at: float | None = None
        self._catching_up: asyncio.Task[None] | None = None

    async def load(self) -> Tokens | None:
        """The newest tokens known, whichever process got them."""
        try:
            loaded = await self._ask(lambda: self._store.load(self.key))
        except _UnavailableError:
            return self._copy
        self.refusal = loaded if rules.tell_of_a_refusal(loaded) else None
        if self.refusal is not None:
            return self._copy
        if loaded is not None and not rules.are_usable(loaded):
            logger.warning("the token store holds what are no tokens; they will be replaced")
            loaded = None
        # Evicted, or not caught up with after an outage: the copy is newer.
        if loaded is None or (self._unsaved and loaded == self._stored):
            return self._copy
        self._copy = self._stored = loaded
        self._unsaved = False
        return loaded

    async def save(self, tokens: Tokens) -> None:
        """Keep the tokens: at once in memory, and in the store as soon as it takes them."""
        self._copy, self._unsaved = tokens, True
        try:
            await self._save(tokens)
        except _UnavailableError:
            if self._catching_up is None or self._catching_up.done():
                self._catching_up = asyncio.create_task(self._catch_up(), name="dify_async token store")

    async def save_refusal(self, mark: Tokens) -> None:
        """Put it in the place of tokens that are of no more use; the next sign-in replaces it."""
        self._copy, self._unsaved = None, False
        with suppress(_UnavailableError):
            await self._ask(lambda: self._store.save(self.key, mark))

    async def clear(self) -> None:
        """Forget the tokens."""
        self._copy, self._unsaved = None, False
        with suppress(_UnavailableError):
            await self._ask(lambda: self._store.clear(self.key))

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Held while tokens are renewed; without the store there is nobody to keep out."""
        lock = None
        with suppress(_UnavailableError):
            lock = await self._ask(self._taken_lock, _LOCK_DEADLINE)
        try:
            yield
        finally:
            if lock is not None:
                # Also where the store has just failed, and is left alone: a lock that stays holds up others.
                with anyio.move_on_after(_RELEASE_DEADLINE, shield=True), suppress(Exception):
                    await lock.__aexit__(None, None, None)

    async def close(self) -> None:
        """End the catching up; what the store lacks then, another sign-in replaces."""
        task, self._catching_up = self._catching_up, None
        if task is not None:
            await end(task)

    async def _taken_lock(self) -> AbstractAsyncContextManager[None]:
        lock = self._store.lock(self.key)
        await lock.__aenter__()
        return lock

    async def _save(self, tokens: Tokens) -> None:
        await self._ask(lambda: self._store.save(self.key, tokens))
        self._stored = tokens
        if self._copy is tokens:  # else there are newer ones meanwhile
            self._unsaved = False

    async def _catch_up(self) -> None:
        """Save what could not be saved, unless another process has renewed meanwhile."""
        for pause in jittered_delays(_PAUSE / 2, _MAX_PAUSE):
            await anyio.sleep(pause)
            if not self._unsaved:
                return
            if self._ask_again_at is not None:
                self._ask_again_at = 0.0
            with suppress(_UnavailableError):
                async with self.lock():
                    loaded = await self._ask(lambda: self._store.load(self.key))
                    copy = self._copy
                    if copy is not None and (loaded is None or loaded == self._stored):
                        await self._save(copy)
                    elif copy is self._copy:  # another process has saved newer ones
                        self._unsaved = False

    async def _ask(self, operation: Callable[[], Awaitable[T]], deadline: float | None = None) -> T:
        now = time.monotonic()
        if self._ask_again_at is not None and now < self._ask_again_at:
            raise _UnavailableError
        if deadline is None:
            connected = now - self._last_answer < _CONNECTED_FOR
            deadline = _DEADLINE if connected else _DEADLINE_TO_CONNECT
        try:
            with anyio.fail_after(deadline):
                result = await operation()
        except Exception as error:  # noqa: BLE001 - a store is anybody's code
            if self._ask_again_at is None:
                kind = type(error).__name__
                logger.warning(
                    "the token store does not work (%s); the tokens are kept in memory until it does", kind
                )
                self._emit(StoreDown(kind))
            self._ask_again_at = time.monotonic() + _PAUSE
            raise _UnavailableError from None
        self._last_answer = time.monotonic()
        if self._ask_again_at is not None:
            self._ask_again_at = None
            logger.info("the token store works again")
            self._emit(StoreUp())
        return result
