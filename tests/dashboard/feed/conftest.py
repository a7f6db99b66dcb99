"""A fake console with its own date, and feeds that share their refreshes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from dify_async import DashboardFeed
from dify_async.testing import FakeDifyServer
from tests.dashboard.feed.support import SELDOM
from tests.support import ONCE, client


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    """Feeds always end today, so the fake has the date of the machine."""
    async with FakeDifyServer(apps=3) as fake:
        yield fake


@pytest.fixture(autouse=True)
def _slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis may take long to respond, as on a busy machine."""
    monkeypatch.setattr("dify_async._redis_snapshots._PATIENCE", 30.0)


@pytest.fixture
async def opened(fake: FakeDifyServer) -> AsyncIterator[Any]:
    """Opens a feed with a separate client, as in another process."""
    async with AsyncExitStack() as stack:

        async def open_feed(shared: Any, interval: float = SELDOM, **options: Any) -> DashboardFeed:
            store = {"token_store": options.pop("token_store")} if "token_store" in options else {}
            dify = await stack.enter_async_context(client(fake, retry=ONCE, **store))
            options.setdefault("days", 7)
            return await stack.enter_async_context(DashboardFeed(dify, interval, shared=shared, **options))

        yield open_feed
