"""Connections to Redis, by a URL or by a client that is passed in."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from redis import Redis as BlockingRedis
from redis import RedisCluster as BlockingCluster
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from ._secrets import masked
from .errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from redis.asyncio.cluster import RedisCluster

try:
    from redis.driver_info import DriverInfo
except ImportError:  # older versions read their version once
    _DRIVER: dict[str, Any] = {}
else:
    # Created once, because redis-py would read its version from files for each connection.
    _DRIVER = {"driver_info": DriverInfo()}

_POOL_TIMEOUT: Final = 1.5
_DENIED: Final = re.compile(r"no permissions to run the ('[a-z|_-]+') command")


class RedisConnections:
    """Runs commands on a client that is passed in, which is not closed, or on its own connections to a URL.

    Raises:
        DifyConfigError: The client is blocking, or the URL is invalid.
    """

    def __init__(self, argument: str, redis_or_url: Redis | RedisCluster | str) -> None:
        if isinstance(redis_or_url, BlockingRedis | BlockingCluster):
            raise DifyConfigError(
                f"{argument} must be a redis.asyncio client or a URL, got a blocking client"
            )
        redis_or_url = masked(redis_or_url)  # keeps its password out of the local variables of a traceback
        self._url = redis_or_url if isinstance(redis_or_url, str) else ""
        self._client: Any = None if isinstance(redis_or_url, str) else redis_or_url
        # Connections belong to one event loop; one object may be used by several, in threads.
        self._opened: dict[asyncio.AbstractEventLoop, tuple[Redis, AsyncGenerator[Redis, None]]] = {}
        if isinstance(redis_or_url, str) and not _is_usable(redis_or_url):
            del redis_or_url  # error trackers would show the local variable with its password
            raise DifyConfigError(
                'the Redis URL must be like "redis://host:6379/0", "rediss://…" or "unix://…", with valid'
                " options of redis-py and special characters percent-encoded"
            )

    async def run(self, command: str, *arguments: object, **options: object) -> Any:
        """Run a command, and return its result."""
        # redis-py's annotations omit awaitables, and differ for a cluster.
        redis = await self._redis() if self._client is None else self._client
        try:
            return await getattr(redis, command)(*arguments, **options)
        except RedisError as error:  # at a connection it is a ConnectionError
            denied = _DENIED.search(str(error))
            if denied is None:
                raise
            raise DifyConfigError(f"the Redis user must be permitted to run {denied[1]}") from None

    async def aclose(self) -> None:
        """Close the connections of this event loop that this object has opened; it may be used again.

        Without it they are closed when the event loop ends, by asyncio.run() or by a synchronous client.
        """
        opened = self._opened.pop(asyncio.get_running_loop(), None)
        if opened is not None:
            await opened[1].aclose()

    async def _redis(self) -> Redis:
        loop = asyncio.get_running_loop()
        if loop not in self._opened:
            for other in [one for one in self._opened if one.is_closed()]:
                self._opened.pop(other, None)
            clients = _opened(self._url)
            self._opened[loop] = await anext(clients), clients
        return self._opened[loop][0]


def _is_usable(url: str) -> bool:
    """Whether redis-py accepts the URL. It reports an invalid option only at the first connection."""
    try:
        _pool(url).make_connection()  # type: ignore[no-untyped-call]  # redis-py does not annotate it
    except Exception:  # noqa: BLE001 - of many classes, including AttributeError
        return False
    return True


async def _opened(url: str) -> AsyncGenerator[Redis, None]:
    """A client. The end of an event loop closes its asynchronous generators, and so the connections."""
    client = Redis.from_pool(_pool(url))
    try:
        yield client
    finally:
        await client.aclose()


def _pool(url: str) -> BlockingConnectionPool:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=8,
        timeout=_POOL_TIMEOUT,
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
