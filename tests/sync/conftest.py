"""A fake on another thread, since these tests have no event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.sync.support import sync_client


@pytest.fixture
def fake() -> Iterator[FakeDifyServer]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakeDifyServer()) as fake:
        yield fake


@pytest.fixture
def dify(fake: FakeDifyServer) -> Iterator[DifyServer]:
    with sync_client(fake) as dify:
        yield dify
