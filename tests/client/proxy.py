"""An HTTP proxy that requires a password."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PASSWORD = "p#s/w?rd é"
QUOTED = "p%23s%2Fw%3Frd%20%C3%A9"
BASIC = base64.b64encode(f"user:{PASSWORD}".encode()).decode()


class Proxy:
    """Forwards to one server; requires the password unless it rejects all requests."""

    def __init__(self, target: str, refusal: bytes | None = None) -> None:
        self.heads: list[str] = []
        self.url = ""
        self._host, _, self._port = target.partition("://")[2].partition(":")
        self._refusal = refusal

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Proxy]:
        async with await asyncio.start_server(self._accept, "127.0.0.1", 0) as server:
            self.url = "http://user:{}@{}:{}".format(QUOTED, *server.sockets[0].getsockname())
            yield self

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode())
        if self._refusal is not None:
            writer.write(self._refusal)
            writer.close()
            return
        inner_reader, inner_writer = await asyncio.open_connection(self._host, int(self._port))
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            inner_writer.write(head)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()
