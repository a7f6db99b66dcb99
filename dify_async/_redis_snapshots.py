"""The snapshots of dashboard feeds in Redis, and the lease of the feed that refreshes."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Final

import anyio

from ._redis_connections import RedisConnections
from ._redis_scripts import EXTEND, UNLOCK
from ._secrets import masked

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.cluster import RedisCluster

    from ._redis_sealing import Seal

_PATIENCE: Final = 2.0  # for one command; after it, Redis counts as unavailable

# redis-py may resend a command if its response is lost, so each script can run twice with the same result.
# All keys of a feed have one hash tag, so that the scripts also run on a cluster.
_ACQUIRE: Final = """
if (redis.call('get', KEYS[1]) or '') ~= ARGV[1] then return 0 end
local holder = redis.call('get', KEYS[2])
if holder and holder ~= ARGV[2] then return 0 end
redis.call('set', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1
"""
# A feed that lost its lease while it refreshed does not replace what another has published since.
_PUBLISH: Final = """
local state = redis.call('get', KEYS[1]) or ''
if state ~= ARGV[2] then
  if state ~= ARGV[1] then return 0 end
  redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[5])
  if ARGV[3] ~= '' then
    redis.call('set', KEYS[2], ARGV[3], 'PX', ARGV[5])
    redis.call('set', KEYS[3], ARGV[4], 'PX', ARGV[5])
  end
end
return 1
"""


class SnapshotStore:
    """What the feeds of one query share: a small state, a snapshot, and the rows of past days.

    The values are compressed, and encrypted with the key of the token store if it has one.
    Every command may raise an error of redis-py, an OSError or a TimeoutError.

    Args:
        redis_or_url: A `redis.asyncio` client, which is not closed, or a URL.
        key: What the feeds have in common; it holds no secret.
        seal: Encrypts the values.

    Raises:
        DifyConfigError: The client is blocking, or the URL is invalid.
    """

    def __init__(self, redis_or_url: Redis | RedisCluster | str, key: str, seal: Seal | None) -> None:
        redis_or_url = masked(redis_or_url)  # keeps its password out of the local variables of a traceback
        self._connections = RedisConnections("shared", redis_or_url)
        self._seal = seal
        self._state, self._snapshot, self._history, self._lease = (
            f"dify_async:{{{key}}}:feed-{name}" for name in ("state", "snapshot", "history", "lease")
        )

    async def state(self) -> bytes:
        """The state as it is in Redis, for `opened` and for `expected`; empty if there is none."""
        return await self._get(self._state)

    async def snapshot(self) -> bytes | None:
        """The snapshot; None if there is none that can be decrypted."""
        return await self._get_opened(self._snapshot)

    async def history(self) -> bytes | None:
        """The rows of past days; None if there are none that can be decrypted."""
        return await self._get_opened(self._history)

    async def acquire(self, holder: str, expected: bytes, seconds: float) -> bool:
        """Take the lease, if the state is still the expected one and no other feed has the lease."""
        keys = (self._state, self._lease)
        return bool(await self._run("eval", _ACQUIRE, 2, *keys, expected, holder, _milliseconds(seconds)))

    async def extend(self, holder: str, seconds: float) -> bool:
        """Extend the lease, if it was not lost."""
        return bool(await self._run("eval", EXTEND, 1, self._lease, holder, _milliseconds(seconds)))

    async def release(self, holder: str) -> None:
        """Give the lease back."""
        await self._run("eval", UNLOCK, 1, self._lease, holder)

    async def publish(
        self, expected: bytes, state: bytes, values: tuple[bytes, bytes] | None, seconds: float
    ) -> bool:
        """Replace the expected state, and the snapshot and history if they are given, for all feeds.

        All are as `closed` returns them. False if another feed has published in the meantime.
        """
        keys = (self._state, self._snapshot, self._history)
        snapshot, history = values or (b"", b"")
        arguments = (expected, state, snapshot, history, _milliseconds(seconds))
        return bool(await self._run("eval", _PUBLISH, 3, *keys, *arguments))

    async def aclose(self) -> None:
        """Close the connections that the store has opened."""
        await self._connections.aclose()

    def closed(self, value: bytes) -> bytes:
        """The value as it is kept in Redis: compressed, as ASCII for clients with `decode_responses`."""
        packed = zlib.compress(value, 1)
        return base64.b64encode(packed) if self._seal is None else self._seal.close(packed)

    def opened(self, value: bytes) -> bytes | None:
        """The value that was closed; None if it is empty or cannot be opened."""
        try:
            packed = base64.b64decode(value) if self._seal is None else self._seal.open(value)
            return zlib.decompress(packed) if packed else None
        except (ValueError, zlib.error):
            return None

    async def _get_opened(self, name: str) -> bytes | None:
        # In a thread: the values of a large workspace take tenths of a second.
        return await anyio.to_thread.run_sync(self.opened, await self._get(name))

    async def _get(self, name: str) -> bytes:
        found = await self._run("get", name)
        return found.encode() if isinstance(found, str) else bytes(found or b"")

    async def _run(self, command: str, *arguments: object) -> bytes | str | int | None:
        with anyio.move_on_after(_PATIENCE):
            found: bytes | str | int | None = await self._connections.run(command, *arguments)
            return found
        raise TimeoutError(f"no response within {_PATIENCE:g} s")


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
