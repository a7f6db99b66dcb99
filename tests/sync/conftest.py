"""A fake on another thread, since these tests have no event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.sync.support import sync_client, threads, wait_until


@pytest.fixture(autouse=True)
def _no_thread_is_leaked() -> Iterator[None]:
    yield
    wait_until(lambda: threads() == [])  # a stopped thread is still listed for a moment


@pytest.fixture
def fake() -> Iterator[FakeDifyServer]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakeDifyServer()) as fake:
        yield fake


@pytest.fixture
def dify(fake: FakeDifyServer) -> Iterator[DifyServer]:
    with sync_client(fake) as dify:
        yield dify
