"""A server with prebuilt answers, in a separate process, so that it is never the bottleneck.

    python -m benchmarks.server --latency 20

It prints its port. With `--gunicorn`, it behaves like Dify's worker: it serves 10 connections, and an
eleventh waits until one closes; idle connections are closed after 2.0 s; it sends one answer at a time, 5 ms
each. With `--idle`, so many apps, the first ones, have no traffic: a statistic of theirs takes 10 ms, and one
of another app 44 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections import deque
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs, urlsplit

from benchmarks import bodies

API: Final = "/console/api"
PLACES: Final = 10
IDLE: Final = 2.0
WORK: Final = 0.005
IDLE_WORK: Final = 0.010
BUSY_WORK: Final = 0.044
_STATISTIC: Final = re.compile(rb"GET /console/api/apps/([^/]+)/statistics/([a-z-]+)")
_COOKIES: Final = "".join(
    f"Set-Cookie: {name}={name}-{'x' * 180}; Max-Age=3600; Path=/; HttpOnly\r\n"
    for name in ("access_token", "refresh_token", "csrf_token")
)


class Console:
    """The answers and the counters."""

    def __init__(self, version: str, apps: int, latency: float, *, gunicorn: bool, idle: int) -> None:
        self._version = version
        self._apps = apps
        self.latency = latency
        self.gunicorn = gunicorn
        self._idle = {bodies.app_id(number).encode() for number in range(idle)}
        self._no_rows = self._answer(b'{"data": []}')
        self.connections = 0
        self.requests = 0
        self.served: set[Connection] = set()
        self.waiting: deque[Connection] = deque()
        self.free_at = 0.0
        self._statistics = {name.encode(): self._answer(body) for name, body in bodies.statistics().items()}
        self.page = lru_cache(maxsize=None)(self._page)

    def answer(self, head: bytes) -> bytes:
        self.requests += 1
        match = _STATISTIC.match(head)
        if match is None:
            return self._other(head)
        return self._no_rows if match[1] in self._idle else self._statistics[match[2]]

    def work(self, head: bytes) -> float:
        """How long the worker takes for an answer."""
        match = _STATISTIC.match(head)
        if match is None or not self._idle:
            return WORK
        return IDLE_WORK if match[1] in self._idle else BUSY_WORK

    def _other(self, head: bytes) -> bytes:
        target = urlsplit(head.split(b" ", 2)[1].decode())
        path = target.path.removeprefix(API)
        if path == "/counts":
            counts = {"connections": self.connections, "requests": self.requests}
            return self._answer(json.dumps(counts).encode())
        if path == "/apps":
            query = parse_qs(target.query)
            return self.page(int(query["page"][0]), int(query["limit"][0]))
        if path == "/login":
            return self._login()
        body = {
            "/system-features": {"enable_email_password_login": True},
            "/account/profile": {
                "id": bodies.app_id(10**6),
                "name": "Owner",
                "email": "owner@example.com",
                "timezone": "Europe/Berlin",
            },
        }[path]
        return self._answer(json.dumps(body).encode())

    def _page(self, page: int, limit: int) -> bytes:
        return self._answer(bodies.apps_page(page, limit, self._apps))

    def _login(self) -> bytes:
        if self._version < "1.9.2":
            data = {"access_token": "x" * 180, "refresh_token": "y" * 128}
            return self._answer(json.dumps({"result": "success", "data": data}).encode())
        return self._answer(b'{"result": "success"}', _COOKIES)

    def _answer(self, body: bytes, headers: str = "") -> bytes:
        head = (
            "HTTP/1.1 200 OK\r\nServer: gunicorn\r\nContent-Type: application/json\r\n"
            f"X-Version: {self._version}\r\nX-Env: PRODUCTION\r\nVary: Cookie\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Connection(asyncio.Protocol):
    """A connection; a request is complete with its head and the announced length of its body."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._buffer = b""
        self._idle: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        console = self._console
        console.connections += 1
        if console.gunicorn and len(console.served) == PLACES:
            transport.pause_reading()
            console.waiting.append(self)
        else:
            self._serve()

    def _serve(self) -> None:
        self._console.served.add(self)
        self._wait_for_next()

    def _wait_for_next(self) -> None:
        if self._console.gunicorn:
            self._idle = asyncio.get_running_loop().call_later(IDLE, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - required by the protocol
        console = self._console
        if self in console.waiting:
            console.waiting.remove(self)
        console.served.discard(self)
        if console.waiting and len(console.served) < PLACES:
            following = console.waiting.popleft()
            following.transport.resume_reading()
            following._serve()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length and len(rest) < int(length[1]):
            return
        self._buffer = b""
        if self._idle is not None:
            self._idle.cancel()
        self._reply(head, self._console.answer(head))

    def _reply(self, head: bytes, answer: bytes) -> None:
        console, loop = self._console, asyncio.get_running_loop()
        if console.gunicorn:
            console.free_at = max(console.free_at, loop.time()) + console.work(head)
            loop.call_at(console.free_at, self._write, answer)
        elif console.latency:
            loop.call_later(console.latency, self._write, answer)
        else:
            self.transport.write(answer)

    def _write(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self._wait_for_next()


async def serve(console: Console) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(console), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Stop when the parent process closes the pipe.
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", default="1.11.2")
    parser.add_argument("--latency", type=float, default=0, metavar="MS")
    parser.add_argument("--apps", type=int, default=100)
    parser.add_argument("--gunicorn", action="store_true")
    parser.add_argument("--idle", type=int, default=0, metavar="APPS")
    arguments = parser.parse_args()
    latency = arguments.latency / 1000
    console = Console(
        arguments.version, arguments.apps, latency, gunicorn=arguments.gunicorn, idle=arguments.idle
    )
    asyncio.run(serve(console))


if __name__ == "__main__":
    main()
