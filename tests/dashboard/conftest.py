"""A fake console and its client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer
from tests.support import ONCE, client

START, END = date(2026, 10, 1), date(2026, 10, 31)
TODAY = date(2026, 10, 30)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(today=TODAY, apps=6) as fake:
        yield fake


@pytest.fixture
async def dify(fake: FakeDifyServer) -> AsyncIterator[AsyncDifyServer]:
    async with client(fake, retry=ONCE) as dify:
        yield dify
