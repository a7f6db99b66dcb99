"""A fake console."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dify_async.testing import FakeDifyServer


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(apps=10) as server:
        yield server
