"""A token store that may fail: its values are in memory too, and no call waits long for it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio

from dify_async._concurrency import cancel_and_wait
from dify_async._http.retry import jittered_delays
from dify_async.errors import DifyError, DifyTimeoutError
from dify_async.events import StoreDown, StoreUp
from dify_async.tokens import LoginAttempts, MemoryTokenStore, Tokens

from . import rules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from dify_async.events import OnEvent
    from dify_async.tokens import StoredValue, TokenStore

logger = logging.getLogger("dify_async")

T = TypeVar("T")

# A call waits at most 2 s for the store: this long for everything that it loads and saves, including the
# connection, and the rest for a command that takes the lock.
_PATIENCE: Final = 1.0
_MIN_PATIENCE: Final = 0.1
# In the background there is no hurry: a connection may take many round trips.
_BACKGROUND_PATIENCE: Final = 10.0
# The lock is held for as long as another process needs to refresh or to log in.
_LOCK_DEADLINE: Final = 60.0
_RELEASE_DEADLINE: Final = 3.0
_CLOSE_DEADLINE: Final = 2.0
_PAUSE: Final = 5.0
_MAX_PAUSE: Final = 30.0


class _UnavailableError(Exception):
    """The store failed, or is not asked for a while because it did."""


class FallbackStore:
    """The tokens and login attempts of one account: in the store while it works, and always in memory.

    An error on the key of the login attempts is not an outage: a store may be written for tokens only. The
    attempts are then counted in memory.
    """

    def __init__(self, store: TokenStore | None, key: str, emit: OnEvent | None) -> None:
        self.key = key
        self.store: TokenStore = MemoryTokenStore() if store is None else store
        self._tokens = rules.Entry[Tokens](key)
        self._attempts = rules.Entry[LoginAttempts](f"{key}-login")
        self._keeps_attempts: bool | None = None  # None until attempts that were saved are loaded again
        self._busy = anyio.Lock()  # otherwise an older value could arrive after a newer one
        self._emit = emit
        self._lock_is_left = False
        self._patience = _PATIENCE
        self._retry_at: float | None = None  # the store is down
        self._catching_up: asyncio.Task[None] | None = None
        self._is_closing = False

    @property
    def attempts(self) -> LoginAttempts:
        """The login attempts, as last loaded with the tokens or saved."""
        return self._attempts.value or LoginAttempts()

    @property
    def expires_attempts(self) -> bool:
        """Whether the store drops attempts by its own clock."""
        return not self._attempts.is_unsaved and bool(getattr(self.store, "expires_attempts", False))

    def begin(self) -> None:
        """Let the next call wait for the store again."""
        self._patience = _PATIENCE
        self._is_closing = False

    async def load(self) -> Tokens | None:
        """The newest known tokens of any process. Also loads `attempts`."""
        with suppress(_UnavailableError):
            await self._ask(self._load)
        return self._tokens.value

    async def save(self, tokens: Tokens | None) -> None:
        """Save the tokens, or delete them: at once in memory, and in the store as soon as it works."""
        self.begin()  # no call waits for it
        self._tokens.value, self._tokens.is_unsaved = tokens, True
        with suppress(_UnavailableError):
            await self._ask(partial(self._write, self._tokens))

    async def save_attempts(self, attempts: LoginAttempts | None) -> None:
        """Save the login attempts, or delete them."""
        self._attempts.value, self._attempts.is_unsaved = attempts, True
        with suppress(_UnavailableError):
            await self._ask(self._write_attempts)

    @asynccontextmanager
    async def lock(self, *, in_background: bool = False) -> AsyncIterator[None]:
        """Held while tokens are refreshed or a password is sent, if the store works.

        A store that failed is asked again: without it, login attempts are counted for this client only.
        """
        lock = None
        with anyio.move_on_after(_LOCK_DEADLINE) as waiting, suppress(_UnavailableError):
            if self._retry_at is not None:
                self._retry_at = 0.0
                await self._ask(self._load, _BACKGROUND_PATIENCE if in_background else None)
            lock = await self._ask(self._take_lock, math.inf)
        if lock is None and in_background:
            raise _UnavailableError
        if waiting.cancelled_caught:
            raise DifyTimeoutError(
                f"waited {_LOCK_DEADLINE:g} s for the lock of the token store: another process is"
                " refreshing the session or logging in",
                sent=False,
            )
        try:
            yield
        finally:
            if lock is not None:
                # Also if the store has just failed: a lock that is left delays other processes.
                self._lock_is_left = True
                with anyio.move_on_after(_RELEASE_DEADLINE, shield=True), suppress(Exception):
                    await lock.__aexit__(None, None, None)
                    self._lock_is_left = False
                if self._lock_is_left:
                    self._catch_up_later()

    async def close(self) -> None:
        """Try once more to save what is unsaved, and end the background task."""
        self._is_closing = True
        task, self._catching_up = self._catching_up, None
        if task is not None:
            await cancel_and_wait(task)
        if self._tokens.is_unsaved or self._attempts.is_unsaved or self._lock_is_left:
            with anyio.move_on_after(_CLOSE_DEADLINE), suppress(_UnavailableError):
                await self._save_unsaved()

    async def _load(self) -> None:
        results: dict[str, StoredValue | Exception | None] = {}

        async def load(key: str) -> None:
            try:
                results[key] = await self.store.load(key)
            except Exception as error:  # noqa: BLE001 - a store may raise anything
                results[key] = error

        async with self._busy:
            # Not asyncio.gather: if a timeout cancels it, anyio may not recognize the cancellation.
            async with anyio.create_task_group() as group:
                for entry in (self._tokens, self._attempts):
                    group.start_soon(load, entry.key)
            value, found = results[self._tokens.key], results[self._attempts.key]
            if isinstance(value, Exception):
                raise value
            tokens = rules.usable_tokens(value)
            if tokens is None and value is not None:
                logger.warning("the token store contains invalid data; it will be overwritten")
            if tokens is not None:  # otherwise they were evicted, and those in memory are valid
                self._tokens.found(tokens)
            if not isinstance(found, Exception):
                self._attempts_found(found if isinstance(found, LoginAttempts) else None)
            elif self._keeps_attempts:
                raise found
            else:
                self._attempts_failed(_reason(found))

    def _attempts_found(self, found: LoginAttempts | None) -> None:
        entry = self._attempts
        is_newer = found not in (entry.stored, *entry.tried) and (found or self._keeps_attempts)
        was_deleted = entry.value is None and entry.stored is ...
        if entry.is_unsaved and is_newer and not was_deleted:
            # Other clients have counted too, or logged in.
            bases = [entry.stored] if entry.value else [entry.stored, *entry.tried]
            entry.value = rules.merged_attempts(found, entry.value, *bases)
            entry.stored, entry.tried = found, []
        else:
            entry.found(found)

    async def _take_lock(self) -> AbstractAsyncContextManager[None]:
        lock = self.store.lock(self.key)
        await lock.__aenter__()
        return lock

    async def _write(self, entry: rules.Entry[Any]) -> None:
        async with self._busy:
            value = entry.value
            if value not in entry.tried:
                entry.tried.append(value)
            await (self.store.clear(entry.key) if value is None else self.store.save(entry.key, value))
            entry.saved(value)

    async def _write_attempts(self) -> None:
        entry = self._attempts
        try:
            await self._write(entry)
            if entry.value is None or self._keeps_attempts:
                return
            if await self.store.load(entry.key) == entry.stored:
                self._keeps_attempts = True
                return
            reason = "they are not returned as saved"
        except Exception as error:
            if self._keeps_attempts or self._retry_at is not None:  # the store is down, or was before
                raise
            await self.store.load(self._tokens.key)  # raises if the store is down
            reason = _reason(error)
        entry.is_unsaved = True
        self._attempts_failed(reason)

    def _attempts_failed(self, reason: str) -> None:
        if self._keeps_attempts is not False:
            text = "the token store does not keep login attempts (%s); this client counts its own"
            logger.warning(text, reason)
        self._keeps_attempts = False

    def _catch_up_later(self) -> None:
        if not self._is_closing and (self._catching_up is None or self._catching_up.done()):
            self._catching_up = asyncio.create_task(self._catch_up(), name="dify_async token store")

    async def _catch_up(self) -> None:
        for pause in jittered_delays(_PAUSE / 2, _MAX_PAUSE):
            await anyio.sleep(pause)
            with suppress(_UnavailableError):
                await self._save_unsaved()
                # A call may have replaced a value while it was saved.
                is_behind = self._attempts.is_unsaved and self._keeps_attempts is not False
                if not is_behind and not self._tokens.is_unsaved:
                    return

    async def _save_unsaved(self) -> None:
        """Save what is unsaved, unless another process has saved something newer."""
        async with self.lock(in_background=True):
            await self._ask(self._load, _BACKGROUND_PATIENCE)
            if self._tokens.is_unsaved:
                await self._ask(partial(self._write, self._tokens), _BACKGROUND_PATIENCE)
            if self._attempts.is_unsaved:
                await self._ask(self._write_attempts, _BACKGROUND_PATIENCE)
        if self._lock_is_left:
            raise _UnavailableError
        if self._retry_at is not None:
            self._retry_at = None
            logger.info("the token store works again")
            if self._emit is not None:
                self._emit(StoreUp())

    async def _ask(self, operation: Callable[[], Awaitable[T]], deadline: float | None = None) -> T:
        began = time.monotonic()
        if self._retry_at is not None and began < self._retry_at:
            raise _UnavailableError
        try:
            with anyio.fail_after(deadline or max(_MIN_PATIENCE, self._patience)):
                return await operation()
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            if self._retry_at is None:
                logger.warning(
                    "the token store does not work (%s); tokens are kept in memory until it does",
                    _reason(error),
                )
                if self._emit is not None:
                    self._emit(StoreDown(type(error).__name__))
            self._retry_at = time.monotonic() + _PAUSE
            self._catch_up_later()
            raise _UnavailableError from None
        finally:
            if deadline is None:
                self._patience -= time.monotonic() - began


def _reason(error: BaseException) -> str:
    """The message of our own errors; for others, whose message may contain secrets, the class."""
    return str(error) if isinstance(error, DifyError) else type(error).__name__
