from __future__ import annotations

import pytest

from dify_async import redis_store


@pytest.fixture(autouse=True)
def _patience_with_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about other things than a slow Redis, and a busy machine makes it one."""
    monkeypatch.setattr(redis_store, "_COMMAND_TIMEOUT", 30.0)
