from __future__ import annotations

import pytest

from dify_async import redis_store


@pytest.fixture(autouse=True)
def _patience_with_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests do not test a slow Redis, but Redis is slow on a busy machine."""
    monkeypatch.setattr(redis_store, "_COMMAND_TIMEOUT", 30.0)
