"""Helpers for the tests of the synchronous client."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from dify_async import MemoryTokenStore
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.support import QUICK


def sync_client(fake: FakeDifyServer, **options: Any) -> DifyServer:
    options.setdefault("token_store", MemoryTokenStore())
    options.setdefault("retry", QUICK)
    return DifyServer(fake.base_url, fake.email, fake.password, **options)


def threads() -> list[threading.Thread]:
    """The threads of open clients."""
    return [thread for thread in threading.enumerate() if thread.name == "dify_async"]


def under_way(dify: DifyServer) -> int:
    """The number of tasks in the client's loop, and of connections in use."""
    session = dify._dify._transport._session
    assert session is not None
    assert isinstance(session.connector, aiohttp.TCPConnector)
    connections = len(session.connector._acquired)

    async def tasks() -> int:
        # Except this task and the main task of the loop.
        return len(asyncio.all_tasks()) - 2

    return connections + dify._call(tasks)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)
