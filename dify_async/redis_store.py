"""Tokens in Redis, shared between processes. The only module that imports redis."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import anyio
import msgspec
from redis import Redis as BlockingRedis
from redis import RedisCluster as BlockingCluster
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

from . import _checks as checks
from ._redis_sealing import Seal
from ._secrets import SecretBytes, masked
from ._uncopyable import Uncopyable
from .errors import DifyConfigError
from .tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from redis.asyncio.cluster import RedisCluster

try:
    from redis.driver_info import DriverInfo
except ImportError:  # older versions read their version once
    _DRIVER: dict[str, Any] = {}
else:
    # Created once, because redis-py would read its version from files for each connection.
    _DRIVER = {"driver_info": DriverInfo()}

logger: Final = logging.getLogger("dify_async")

_KEPT_FOR_MS: Final = 30 * 24 * 3600 * 1000  # the life of a refresh token
_COMMAND_TIMEOUT: Final = 0.45
_RELEASE_TIMEOUT: Final = 2.5  # other processes wait for a lock that is not released
_POLL: Final = 0.05
_MIN_LOCK: Final = 0.01
_MAX_LOCK: Final = 3600.0

# redis-py may resend a command if its answer is lost, so each script can run twice with the same result.
# All keys of an account have one hash tag, so that the scripts also run on a cluster.
_LOCK: Final = """
local holder = redis.call('get', KEYS[1])
if not holder then
  redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
  holder = ARGV[1]
end
if holder ~= ARGV[1] then return {0, false} end
return {1, redis.call('get', KEYS[2])}
"""
_UNLOCK: Final = """
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 1
"""
_REPLACE: Final = """
local present = redis.call('get', KEYS[1]) or ''
if present ~= '' and present ~= ARGV[1] and present ~= ARGV[2] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisTokenStore(Uncopyable):
    """Keeps tokens in Redis, shared by all processes that use the same account.

    Requires the commands GET, SET, DEL and EVAL on its keys, "<prefix>{<key>}:tokens" and
    "<prefix>{<key>}:lock"; also SELECT for a database other than 0, and CLIENT SETNAME for a client name.

    Args:
        redis_or_url: A `redis.asyncio` client, also of a cluster or Sentinel, which is not closed; or a
            URL: "redis://", "rediss://" or "unix://", with options of redis-py. `ssl_cert_reqs` may also
            have Celery's form ("CERT_NONE").
        prefix: The prefix of each key in Redis.
        lock_timeout: If a process dies while it holds the lock, the others wait this many seconds.
        encryption_key: Encrypts the tokens in Redis: a key from
            `cryptography.fernet.Fernet.generate_key()`, or a list of keys to rotate them: the first one
            encrypts, and all decrypt. Tokens that no key decrypts are replaced by logging in again.
            Requires the extra `dify-async[encryption]`.

    Raises:
        DifyConfigError: An argument is invalid.
    """

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
        checks.number("lock_timeout", lock_timeout, minimum=_MIN_LOCK, maximum=_MAX_LOCK)
        if isinstance(redis_or_url, BlockingRedis | BlockingCluster):
            raise DifyConfigError(
                "redis_or_url must be a redis.asyncio client or a URL, got a blocking client"
            )
        redis_or_url = masked(redis_or_url)  # keeps its password out of the local variables of a traceback
        self._url = redis_or_url if isinstance(redis_or_url, str) else None
        self._client: Any = None if isinstance(redis_or_url, str) else redis_or_url
        if self._url is not None and not _is_usable(self._url):
            del redis_or_url  # error trackers would show the local variable with its password
            raise DifyConfigError(
                'the Redis URL must be like "redis://host:6379/0", "rediss://…" or "unix://…", with valid'
                " options of redis-py and special characters percent-encoded"
            )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._prefix = prefix
        self._lock_ms = int(lock_timeout * 1000)
        self._seal = None if encryption_key is None else Seal(encryption_key)
        # What stood in Redis when a lock was taken, by key and holder: only that is replaced.
        self._held: dict[tuple[str, asyncio.Task[Any] | None], bytes] = {}

    def __repr__(self) -> str:
        return f"RedisTokenStore(prefix={self._prefix!r})"

    async def load(self, key: str) -> Tokens | None:
        """The tokens last saved by any process, or None."""
        return self._decoded(_as_bytes(await self._redis().get(self._name(key, "tokens"))))

    async def save(self, key: str, tokens: Tokens) -> None:
        """Keep these tokens.

        Under the lock only what was there when it was taken is replaced: one who outlived the lock
        does not overwrite what the next one saved.
        """
        name, value = self._name(key, "tokens"), msgspec.json.encode(tokens)
        if self._seal is not None:
            value = self._seal.close(value)
        value = SecretBytes(value)
        holder = key, asyncio.current_task()
        present = self._held.get(holder)
        if present is None:
            await self._redis().set(name, value, px=_KEPT_FOR_MS)
        elif await self._redis().eval(_REPLACE, 1, name, present, value, _KEPT_FOR_MS):
            self._held[holder] = value
        else:
            logger.info("another process has saved newer tokens meanwhile")

    async def clear(self, key: str) -> None:
        """Forget the tokens."""
        await self._redis().delete(self._name(key, "tokens"))

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Held by one process at a time, for `lock_timeout` seconds at most."""
        lock, tokens, holder = self._name(key, "lock"), self._name(key, "tokens"), uuid.uuid4().hex
        redis = self._redis()
        task = asyncio.current_task()
        taken = False
        try:
            while not taken:
                with anyio.fail_after(_COMMAND_TIMEOUT):
                    taken, present = await redis.eval(_LOCK, 2, lock, tokens, holder, self._lock_ms)
                if not taken:
                    await anyio.sleep(_POLL * random.uniform(1, 2))  # noqa: S311 - no secret
            self._held[key, task] = _as_bytes(present) or b""
            yield
        finally:
            self._held.pop((key, task), None)
            # Also where taking it was cut short, since it may have been taken.
            # What fails here must not stand in the place of a cancellation: the lock ends by itself.
            patience = _RELEASE_TIMEOUT if taken else _COMMAND_TIMEOUT
            with anyio.move_on_after(patience, shield=True), suppress(Exception):
                await redis.eval(_UNLOCK, 1, lock, holder)

    async def aclose(self) -> None:
        """Close the connections of a client made from a URL; it may be used again."""
        if self._url is not None and self._client is not None:
            client, self._client = self._client, None
            if self._loop is asyncio.get_running_loop():
                await client.aclose()

    def _redis(self) -> Any:
        # redis-py's types promise a value where there is an awaitable, and differ for a cluster.
        if self._url is None:
            return self._client
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:  # connections belong to one event loop
            self._client = Redis.from_pool(_pool(self._url))
            self._loop = loop
        return self._client

    def _decoded(self, value: bytes | None) -> Tokens | None:
        if value is None:
            return None
        opened = value if self._seal is None else self._seal.open(value)
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            if opened is not None:
                return msgspec.json.decode(opened, type=Tokens)
        logger.warning("what stands in Redis in the place of tokens cannot be read; it will be replaced")
        return None

    def _name(self, key: str, kind: str) -> str:
        return f"{self._prefix}{{{key}}}:{kind}"


def _is_usable(url: str) -> bool:
    """Whether redis-py accepts the URL. It reports an invalid option only at the first connection."""
    try:
        _pool(url).make_connection()  # type: ignore[no-untyped-call]  # redis-py does not annotate it
    except Exception:  # noqa: BLE001 - of many classes, including AttributeError
        return False
    return True


def _pool(url: str) -> BlockingConnectionPool:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=8,
        timeout=_COMMAND_TIMEOUT,
        socket_timeout=1.5,
        socket_connect_timeout=1.5,
        # By default, a client created from a URL does not retry, and one from arguments retries for 4 s.
        retry=Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.2), 2),
        **_DRIVER,
    )
    # Celery requires names that redis-py does not support, such as CERT_NONE for "none".
    requirement = pool.connection_kwargs.get("ssl_cert_reqs")
    if isinstance(requirement, str):
        pool.connection_kwargs["ssl_cert_reqs"] = requirement.lower().removeprefix("cert_")
    if "password" in pool.connection_kwargs:
        pool.connection_kwargs["password"] = masked(pool.connection_kwargs["password"])
    return pool


def _as_bytes(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
