"""The services, commands and examples, and malicious clients."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final, NamedTuple

import anyio
import pytest

from dify_async.testing import FakeDifyServer
from tests.programs import line_with, started
from tests.support import until
from tests.test_examples import settings

pytestmark = pytest.mark.slow


class Service(NamedTuple):
    command: tuple[str, ...]
    path: str
    asked: str  # the path that the service requests from the console


SERVICES: Final = {
    "web page": Service(("-m", "dify_async", "dashboard"), "/api/numbers?days=30", "/apps"),
    "exporter": Service(("-m", "dify_async", "exporter"), "/metrics", "/apps"),
    "FastAPI": Service(("examples/fastapi_service.py",), "/dashboard?days=30", "/apps"),
}
STREAM_LIMIT: Final = 2**26


class Running(NamedTuple):
    process: asyncio.subprocess.Process
    port: int
    path: str

    async def send(self, data: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=STREAM_LIMIT)
        writer.write(data.encode())
        return reader, writer

    async def get(self, path: str, host: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await self.send(f"GET {path} HTTP/1.1\r\nHost: {host or f'127.0.0.1:{self.port}'}\r\n\r\n")


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> Service:
    return SERVICES[request.param]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(apps=6) as server:
        yield server


@asynccontextmanager
async def served(fake: FakeDifyServer, service: Service, *arguments: str) -> AsyncIterator[Running]:
    command = ("-u", *service.command, "--port", "0", *arguments)
    async with started(*command, **settings(fake)) as process:
        port = int((await line_with(process, r"http://127\.0\.0\.1:(\d+)"))[1])
        yield Running(process, port, service.path)


async def status_of(running: Running, path: str, host: str) -> int:
    reader, writer = await running.get(path, host)
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


async def test_other_host_names_are_rejected(fake: FakeDifyServer, service: Service) -> None:
    """DNS rebinding: another site lets its host name resolve to 127.0.0.1."""
    async with served(fake, service) as running:
        for host in (
            "evil.example",
            f"evil.example:{running.port}",
            "127.0.0.1.evil.example",
            "localhost.evil",
        ):
            assert 400 <= await status_of(running, service.path, host) < 500, host
        names = ("127.0.0.1", "localhost", "[::1]")
        for host in (*names, *(f"{name}:{running.port}" for name in names)):
            assert await status_of(running, service.path, host) == 200, host


async def test_the_host_name_of_a_proxy(fake: FakeDifyServer) -> None:
    exporter = SERVICES["exporter"]
    async with served(fake, exporter, "--name", "metrics.example.com") as running:
        assert await status_of(running, "/metrics", "metrics.example.com") == 200
        assert await status_of(running, "/metrics", "evil.example") == 403


async def test_sigterm_ends_the_service_whatever_clients_do(fake: FakeDifyServer, service: Service) -> None:
    """Container runtimes kill after ten seconds; half of that allows for busy machines."""
    fake.inject("/apps/*/statistics/*", delay=30.0)
    async with served(fake, service) as running, AsyncExitStack() as stack:
        head = f"GET {service.path} HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n"
        for data in (
            *("", "GET / HT", head, f"{head}Content-Length: 100\r\n\r\nhalf of it"),  # half-sent
            *[f"{head}\r\n"] * 20,  # running, and never read
            f"{head}Connection: keep-alive\r\n\r\n",
        ):
            _, writer = await running.send(data)
            stack.callback(writer.close)
        reader, writer = await running.get(service.path)
        stack.callback(writer.close)
        reading = asyncio.create_task(reader.read())
        await until(lambda: fake.count("GET", "/apps/*/statistics/*") > 0)
        running.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        with anyio.fail_after(20), suppress(ConnectionError):
            await asyncio.gather(running.process.communicate(), reading)
        assert time.monotonic() - begun < 5
        assert running.process.returncode in {0, -signal.SIGTERM}
