"""Tokens in Redis, shared between processes."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import anyio
import msgspec
from redis.exceptions import RedisError

from . import _checks
from ._concurrency import cancel_and_wait
from ._redis_connections import RedisConnections
from ._redis_scripts import EXTEND, LOCK, REPLACE, UNLOCK
from ._redis_sealing import Seal
from ._secrets import SecretBytes, masked
from ._uncopyable import Uncopyable
from .tokens import LoginAttempts, Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster

    from .tokens import StoredValue

logger: Final = logging.getLogger("dify_async")

_TOKENS_TTL_MS: Final = 30 * 24 * 3600 * 1000  # the life of a refresh token
_ATTEMPTS_TTL_MS: Final = 24 * 3600 * 1000  # as Dify counts them (LOGIN_LOCKOUT_DURATION)
_ATTEMPTS: Final = "-login"  # the suffix of their key
_COMMAND_TIMEOUT: Final = 0.7  # to take the lock, for which a call may wait
_GIVE_UP_TIMEOUT: Final = 0.3  # to release a lock that may have been taken; the call still waits
_CONNECT_TIMEOUT: Final = 10.0  # in the background; the caller has a shorter one
_RELEASE_TIMEOUT: Final = 2.5  # a lock that stays delays other processes
# A lock whose response was lost, because Redis paused, must not stay for long: it is taken for this time,
# and extended once it is known to be held.
_UNKNOWN_LOCK_MS: Final = 1500
_POLL: Final = 0.05
_MIN_LOCK: Final = 0.01
_MAX_LOCK: Final = 3600.0


class RedisTokenStore(Uncopyable):
    """Keeps tokens and login attempts in Redis, shared by all processes that use the same account.

    Requires the commands GET, SET, DEL and EVAL on its keys, which begin with the prefix; also SELECT for a
    database other than 0, and CLIENT SETNAME for a client name.

    Args:
        redis_or_url: A `redis.asyncio` client, also of a cluster or Sentinel, which the store does not
            close; or a URL: "redis://", "rediss://" or "unix://", with options of redis-py. `ssl_cert_reqs`
            may also have Celery's form ("CERT_NONE").
        prefix: The prefix of each key in Redis.
        lock_timeout: How long the others wait if a process dies while it holds the lock, in seconds. A
            process extends the lock while it works.
        encryption_key: Encrypts the tokens in Redis: a key from
            `cryptography.fernet.Fernet.generate_key()`, or a list of keys to rotate them: the first one
            encrypts, and all decrypt. Tokens that no key decrypts are replaced by logging in again.
            Requires the extra `dify-async[encryption]`.

    Raises:
        DifyConfigError: An argument is invalid.
    """

    expires_attempts = True  # in Redis, so no clocks are compared
    seal: Seal | None  # internal: also encrypts the snapshots of dashboard feeds
    _instead = "create one in each process; they share the tokens in Redis"
    _prefix: str = ""  # for the repr if __init__ raised an error

    def __init__(
        self,
        redis_or_url: Redis | RedisCluster | str,
        *,
        prefix: str = "dify_async:",
        lock_timeout: float = 30.0,
        encryption_key: str | bytes | Sequence[str | bytes] | None = None,
    ) -> None:
        _checks.number("lock_timeout", lock_timeout, minimum=_MIN_LOCK, maximum=_MAX_LOCK)
        redis_or_url = masked(redis_or_url)  # keeps its password out of the local variables of a traceback
        self._connections = RedisConnections("redis_or_url", redis_or_url)
        self._has_answered = False
        self._prefix = prefix
        self._lock_ms = int(lock_timeout * 1000)
        self.seal = None if encryption_key is None else Seal(encryption_key)
        self._left_locks: dict[str, str] = {}  # that could not be released; their holders
        # The value in Redis when a lock was acquired, by key and task; only that is replaced.
        self._held: dict[tuple[str, asyncio.Task[Any] | None], bytes] = {}

    def __repr__(self) -> str:
        return f"RedisTokenStore(prefix={self._prefix!r})"

    async def load(self, key: str) -> StoredValue | None:
        """Return the value that any process saved last, or None."""
        found = await self._connections.run("get", self._name(key))
        self._has_answered = True
        return self._decoded(_as_bytes(found), LoginAttempts if key.endswith(_ATTEMPTS) else Tokens)

    async def save(self, key: str, value: StoredValue, /) -> None:
        """Save the value.

        Under the lock, tokens replace only those that were there when it was acquired: a process that has
        lost the lock does not overwrite what the next one has saved.
        """
        name, data = self._name(key), msgspec.json.encode(value)
        if self.seal is not None:
            data = self.seal.close(data)
        data = SecretBytes(data)
        holder = key, asyncio.current_task()
        present = self._held.get(holder)
        if present is None:
            ttl = _ATTEMPTS_TTL_MS if isinstance(value, LoginAttempts) else _TOKENS_TTL_MS
            await self._connections.run("set", name, data, px=ttl)
        elif await self._connections.run("eval", REPLACE, 1, name, present, data, _TOKENS_TTL_MS):
            self._held[holder] = data
        else:
            logger.info("another process has saved newer tokens")

    async def clear(self, key: str) -> None:
        """Delete the value."""
        await self._connections.run("delete", self._name(key))

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock for the key, which one process can hold at a time.

        The lock is extended until the block ends.
        """
        lock, tokens, holder = self._name(key, "lock"), self._name(key), uuid.uuid4().hex
        task = asyncio.current_task()
        keeper: asyncio.Task[None] | None = None
        is_over = asyncio.Event()
        is_released = False
        try:
            while keeper is None:
                left, short = self._left_locks.get(lock, ""), min(self._lock_ms, _UNKNOWN_LOCK_MS)
                # The first connection may take many round trips, and no call waits for a lock that was left.
                has_to_be_quick = self._has_answered and not left
                with anyio.fail_after(_COMMAND_TIMEOUT if has_to_be_quick else _CONNECT_TIMEOUT):
                    taken, present = await self._connections.run(
                        "eval", LOCK, 2, lock, tokens, holder, short, left
                    )
                self._has_answered = True
                if taken:
                    keeper = asyncio.create_task(self._keep(lock, holder, is_over), name="dify_async lock")
                else:
                    await anyio.sleep(_POLL * random.uniform(1, 2))  # noqa: S311 - no secret
            self._held[key, task] = _as_bytes(present) or b""
            yield
        finally:
            self._held.pop((key, task), None)
            # Also if acquiring it was interrupted, because Redis may have executed the command. A failure
            # here must not replace another error; the next lock of this store takes over.
            patience = _GIVE_UP_TIMEOUT if keeper is None else _RELEASE_TIMEOUT
            with anyio.move_on_after(patience, shield=True), suppress(Exception):
                if keeper is not None:
                    is_over.set()
                    await asyncio.wait([keeper])
                await self._connections.run("eval", UNLOCK, 1, lock, holder)
                is_released = True
            if keeper is not None and not keeper.done():
                with anyio.CancelScope(shield=True):
                    await cancel_and_wait(keeper)
            if is_released:
                self._left_locks.pop(lock, None)
            elif keeper is not None:
                self._left_locks[lock] = holder
        if not is_released:
            raise RedisError("the lock could not be released")

    async def aclose(self) -> None:
        """Close the connections that the store has opened in this event loop. It can be used again.

        Connections that are still open when the event loop ends are closed with it.
        """
        await self._connections.aclose()

    async def _keep(self, lock: str, holder: str, is_over: asyncio.Event) -> None:
        """Extend the lock until it is released or another process has it."""
        is_held = True
        while is_held and not is_over.is_set():
            with suppress(Exception):  # Redis does not respond, and the lock may still be held
                is_held = await self._connections.run("eval", EXTEND, 1, lock, holder, self._lock_ms)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._lock_ms / 3000):
                    await is_over.wait()

    def _decoded(self, value: bytes | None, model: type[StoredValue]) -> StoredValue | None:
        if value is None:
            return None
        opened = value if self.seal is None else self.seal.open(value)
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            if opened is not None:
                return msgspec.json.decode(opened, type=model)
        logger.warning(
            "Redis contains invalid data in place of tokens, or tokens of another encryption_key;"
            " they will be overwritten"
        )
        return None

    def _name(self, key: str, suffix: str = "tokens") -> str:
        # One hash tag per account, so that its keys are on one node of a cluster.
        if key.endswith(_ATTEMPTS):
            key, suffix = key.removesuffix(_ATTEMPTS), "login"
        return f"{self._prefix}{{{key}}}:{suffix}"


def _as_bytes(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
