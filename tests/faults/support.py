"""Token stores that fail, and calls whose tokens are rejected."""

from __future__ import annotations

import asyncio
from typing import Any

from dify_async import AsyncDifyServer, DifyError, MemoryTokenStore
from dify_async.testing import FakeDifyServer
from dify_async.tokens import StoredValue
from tests.support import client

# Faults of a refresh that do not show that the refresh token is invalid.
PASSING: list[dict[str, Any]] = [
    {"status": 503},
    {"status": 401, "body": b'{"result":"fail","message":"Error 111 connecting to redis:6379."}'},
    {"cut": "before"},
]


class ReadOnlyStore(MemoryTokenStore):
    """Takes no writes while it is down."""

    is_down = False

    async def save(self, key: str, value: StoredValue, /) -> None:
        if self.is_down:
            raise OSError("read-only")
        await super().save(key, value)

    async def clear(self, key: str) -> None:
        if self.is_down:
            raise OSError("read-only")
        await super().clear(key)


class FlakyStore(ReadOnlyStore):
    """Cannot be read either while it is down."""

    async def load(self, key: str) -> StoredValue | None:
        if self.is_down:
            raise OSError("down")
        return await super().load(key)


async def all_at_once(dify: AsyncDifyServer, calls: int) -> None:
    await asyncio.gather(*(dify.profile() for _ in range(calls)))


async def outcome(fake: FakeDifyServer, **options: Any) -> DifyError | None:
    """The error of one call by a new client."""
    async with client(fake, **options) as dify:
        try:
            await dify.profile()
        except DifyError as error:
            return error
    return None
