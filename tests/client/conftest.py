"""A fake of each version, and a client signed up for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer
from tests.support import ERAS, client


@pytest.fixture(params=ERAS)
def version(request: pytest.FixtureRequest) -> str:
    """One of each era; a test may be parametrised by more."""
    return str(request.param)


@pytest.fixture
async def fake(version: str) -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(version) as fake:
        yield fake


@pytest.fixture
async def dify(fake: FakeDifyServer) -> AsyncIterator[AsyncDifyServer]:
    async with client(fake) as dify:
        yield dify
