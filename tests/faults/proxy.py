"""A TCP proxy in front of Redis that can delay answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.redis_server import RedisServer


class SlowProxy:
    """Forwards to a Redis, and delays each answer by `delay` seconds."""

    def __init__(self, server: RedisServer) -> None:
        self.delay = 0.0
        self.url = ""
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[SlowProxy]:
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            listener.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(self._server.socket)
        for pump in (
            self._pump(reader, inner_writer, slow=False),
            self._pump(inner_reader, writer, slow=True),
        ):
            self._tasks.add(asyncio.create_task(pump))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool) -> None:
        try:
            while data := await reader.read(65536):
                if slow and self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()
