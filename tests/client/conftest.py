from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from dify_async.testing import FakeDifyServer


@pytest.fixture
async def pinned() -> AsyncIterator[FakeDifyServer]:
    """A fake with a fixed date, for `busy`."""
    # No other test has this name of UTC: `put_messages` changes all fakes with it.
    async with FakeDifyServer("1.15.0", timezone="Etc/Universal", today=date(2026, 11, 7)) as fake:
        yield fake
