"""What the tests of the client share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import anyio

from dify_async import AsyncDifyServer, MemoryTokenStore, RetryPolicy
from dify_async.testing import FakeDifyServer

ERAS: Final = ("1.9.1", "1.10.1", "1.11.2")
VERSIONS: Final = ("0.15.3", "1.9.1", "1.10.1", "1.11.2", "1.14.1", "1.15.0")
MODES: Final = ("chat", "agent-chat", "completion", "advanced-chat", "workflow")
QUICK: Final = RetryPolicy(base_delay=0.01, max_delay=0.02)
ONCE: Final = RetryPolicy(attempts=1)


def client(fake: FakeDifyServer, **options: Any) -> AsyncDifyServer:
    """A client of the fake that waits little between two attempts."""
    options.setdefault("token_store", MemoryTokenStore())
    options.setdefault("retry", QUICK)
    base_url = options.pop("base_url", fake.base_url)
    if "admin_api_key" in options:
        return AsyncDifyServer(base_url, **options)
    password = options.pop("password", fake.password)
    return AsyncDifyServer(base_url, fake.email, password, **options)


def an_app(fake: FakeDifyServer, mode: str = "chat") -> str:
    """The id of an app of this mode."""
    return next(app.id for app in fake.apps if app.mode == mode)


def running() -> list[asyncio.Task[Any]]:
    """The client's own tasks."""
    return [task for task in asyncio.all_tasks() if "dify_async" in task.get_name()]


async def until(condition: Callable[[], bool]) -> None:
    """Let the others go on until it is so."""
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - what it looks at has no event
            await anyio.sleep(0.001)


def zone_at_noon() -> str:
    """A time zone in which it is about noon, so that today remains today during a test."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+}"


def counted(fake: FakeDifyServer) -> tuple[int, int]:
    """Renewals, and sign-ins by password."""
    return fake.count("POST", "/refresh-token"), fake.count("POST", "/login")
