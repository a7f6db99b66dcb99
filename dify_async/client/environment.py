"""The token store that environment variables select."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

import anyio

from dify_async._secrets import masked
from dify_async.errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_async._auth.fallback_store import FallbackStore
    from dify_async.redis_store import RedisTokenStore

logger: Final = logging.getLogger("dify_async")

_OWN_VARIABLE: Final = "DIFY_REDIS_URL"
_REDIS_VARIABLES: Final = (_OWN_VARIABLE, "REDIS_URL")


class EnvironmentStore:
    """The token store that the environment selects: Redis if a variable has a URL for it, otherwise memory.

    The variables are read when the client is created. redis is imported when the client is entered, in a
    thread, because importing it would block the event loop.
    """

    def __init__(self, fallback: FallbackStore) -> None:
        self._fallback = fallback
        self._urls = {name: masked(url) for name in _REDIS_VARIABLES if (url := os.environ.get(name))}
        self._is_selected = False
        self._redis: RedisTokenStore | None = None

    async def open(self) -> None:
        """Select the store, the first time that the client is entered."""
        if self._is_selected:
            return
        if self._urls:
            self._redis = await anyio.to_thread.run_sync(_redis_store, self._urls)
        if self._redis is None:
            logger.info("tokens are kept in memory")
        else:
            self._fallback.store = self._redis
        self._is_selected = True

    async def aclose(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.aclose()


def _redis_store(urls: Mapping[str, str]) -> RedisTokenStore | None:
    from dify_async.redis_store import RedisTokenStore  # noqa: PLC0415 - it imports redis

    for variable, url in urls.items():
        try:
            store = RedisTokenStore(url)
        except DifyConfigError as error:
            if variable == _OWN_VARIABLE:
                raise DifyConfigError(f"{variable}: {error}") from None
            # REDIS_URL may be meant for another program.
            logger.warning("%s is not used for tokens: %s", variable, error)
        else:
            logger.info("tokens are kept in Redis (%s)", variable)
            return store
    return None
