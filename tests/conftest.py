"""What every test may use."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp and redis run on asyncio alone."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests is not theirs to read."""
    for name in (
        "DIFY_BASE_URL",
        "DIFY_EMAIL",
        "DIFY_PASSWORD",
        "DIFY_ADMIN_API_KEY",
        "DIFY_WORKSPACE_ID",
        "DIFY_REDIS_URL",
        "REDIS_URL",
    ):
        monkeypatch.delenv(name, raising=False)
