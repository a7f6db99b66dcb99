"""A process that can open no more files, and so no connections."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from dify_async.testing import FakeDifyServer
from tests.support import ERAS, UNKNOWN

HELPERS = """
import asyncio, contextlib, os, resource, sys
from dify_async import AsyncDifyServer, DifyError, RetryPolicy

@contextlib.contextmanager
def all_files(free=0):
    files = []
    with contextlib.suppress(OSError):
        while True:
            files.append(os.open(os.devnull, os.O_RDONLY))
    for _ in range(free):
        os.close(files.pop())
    yield
    for file in files:
        os.close(file)

async def outcome(call):
    try:
        return await call
    except DifyError as error:
        return f"{type(error).__name__}: {error}"

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
"""

SCRIPT = """
async def main(url, email, password, unknown):
    retry = RetryPolicy(attempts=10, base_delay=0.01, max_delay=0.1)
    async with AsyncDifyServer(url, email, password, server_version="1.11.2", retry=retry) as dify:
        with all_files():
            found = [await outcome(dify.app(unknown)), await outcome(dify.profile())]
        await dify.profile()
        with all_files():
            found.append(await outcome(dify.daily_messages(unknown, "2026-01-01T00:00Z")))
            # One call uses the open connection. The other one is retried until it gets it too.
            found += await asyncio.gather(*(outcome(dify.app(unknown)) for _ in range(2)))
        print(*found, sep="\\n")

asyncio.run(main(*sys.argv[1:]))
"""

ONE_FILE_LEFT = """
async def main(url, email, password, unknown):
    async with AsyncDifyServer(url, email, password) as dify:
        for free in (0, 1):
            with all_files(free):
                print(await outcome(dify.app(unknown)))

asyncio.run(main(*sys.argv[1:]))
"""
CURE = "too many open files. Close files, or raise the limit of this process (ulimit -n)."


@pytest.mark.slow
@pytest.mark.parametrize("version", ERAS[-1:])
@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is for Unix")
async def test_no_more_files_can_be_opened(fake: FakeDifyServer) -> None:
    """Retries and errors import nothing then: the first use of backoff once raised an OSError."""
    unconnected, unread, zone, *unknown = await _lines(fake, SCRIPT)
    assert unconnected == f"DifyConnectionError: Cannot connect to {fake.base_url}: {CURE}"
    # The first call of a route imports the type of its response, before anything is sent.
    call = "GET /account/profile: cannot read a module of dify_async"
    assert unread == f"DifyConnectionError: {call}: {CURE}"
    assert zone == f"DifyError: the time zone 'America/New_York' cannot be read: {CURE}"
    assert all(text.startswith("DifyNotFoundError: GET /apps/") for text in unknown)
    assert any(text.endswith("attempts)") for text in unknown)


@pytest.mark.slow
@pytest.mark.parametrize("version", ERAS[-1:])
@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is for Unix")
async def test_one_more_file_can_be_opened(fake: FakeDifyServer) -> None:
    """The connection takes it, and the probe of the server imports nothing after that."""
    unread, unknown = await _lines(fake, ONE_FILE_LEFT)
    assert unread == f"DifyConnectionError: GET /system-features: cannot read a module of dify_async: {CURE}"
    assert unknown.startswith("DifyNotFoundError: GET /apps/")


async def _lines(fake: FakeDifyServer, script: str) -> list[str]:
    """What the script prints in another process."""
    arguments = [fake.base_url, fake.email, fake.password, UNKNOWN]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HELPERS + script, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode().splitlines()
