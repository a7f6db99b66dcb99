"""Certificate authorities, and servers that ask for certificates."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio.to_thread
import trustme

HOST = "127.0.0.1"


@dataclass
class Authority:
    """A private certificate authority."""

    ca: trustme.CA = field(default_factory=trustme.CA)

    def server(self, host: str = HOST, first: datetime | None = None) -> ssl.SSLContext:
        """A server's context; with `first`, its certificate is valid for nine days from that day."""
        last = first and first + timedelta(days=9)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(host, not_before=first, not_after=last).configure_cert(context)
        return context

    @property
    def trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        return context


@asynccontextmanager
async def one_that_asks_for_a_certificate(
    authority: Authority, version: ssl.TLSVersion, *, says_why: bool
) -> AsyncIterator[str]:
    """Serves in a thread, since asyncio, like some proxies, closes without sending the alert."""
    context = authority.server()
    authority.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    with socket.create_server((HOST, 0)) as listener:
        base_url = "https://{}:{}".format(*listener.getsockname())

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    with connection, suppress(OSError), context.wrap_socket(connection, server_side=True):
                        raise AssertionError

        if says_why:
            thread = threading.Thread(target=serve)
            thread.start()
            try:
                yield base_url
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                await anyio.to_thread.run_sync(thread.join)
            return
    async with await asyncio.start_server(lambda _, writer: writer.close(), HOST, 0, ssl=context) as server:
        yield "https://{}:{}".format(*server.sockets[0].getsockname())
