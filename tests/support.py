"""Helpers that the tests share."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import anyio
import pytest

from dify_async import AppMode, AsyncDifyServer, MemoryTokenStore, RetryPolicy
from dify_async._auth import login_guard
from dify_async.testing import FakeDifyServer
from dify_async.testing._console.history import Message

HASH_ROUNDS: Final = login_guard._ROUNDS  # before the tests make it small
ERAS: Final = ("1.9.1", "1.10.1", "1.11.2")
# For tests of sessions: the eras differ in how tokens travel.
EACH_ERA: Final = pytest.mark.parametrize("version", ERAS)
VERSIONS: Final = ("0.15.3", "1.9.1", "1.10.1", "1.11.2", "1.14.1", "1.15.0", "1.16.1", "1.17.0")
MODES: Final[tuple[AppMode, ...]] = ("chat", "agent-chat", "completion", "advanced-chat", "workflow")
UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"  # the id of nothing
JSON: Final = {"Content-Type": "application/json"}
QUICK: Final = RetryPolicy(base_delay=0.01, max_delay=0.02)
ONCE: Final = RetryPolicy(attempts=1, base_delay=0.01)


def client(fake: FakeDifyServer, **options: Any) -> AsyncDifyServer:
    """A client of the fake, with short delays between attempts."""
    options.setdefault("token_store", MemoryTokenStore())
    options.setdefault("retry", QUICK)
    base_url = options.pop("base_url", fake.base_url)
    if "admin_api_key" in options:
        return AsyncDifyServer(base_url, **options)
    password = options.pop("password", fake.password)
    return AsyncDifyServer(base_url, fake.email, password, **options)


def an_app(fake: FakeDifyServer, mode: str = "chat") -> str:
    """The id of an app with this mode."""
    return next(app.id for app in fake.apps if app.mode == mode)


def put_messages(
    fake: FakeDifyServer, app_id: str, moments: Iterable[datetime], *, liked: bool = False
) -> None:
    """Replace all messages of an app by these, each in its own conversation; see `put_rows`."""
    put_rows(
        fake,
        app_id,
        [
            Message(int(at.timestamp()), number, 1, 0, 10, 5, None, 1000, liked=liked)
            for number, at in enumerate(moments)
        ],
    )


def put_rows(fake: FakeDifyServer, app_id: str, messages: Iterable[Message]) -> None:
    """Replace all messages of an app, in all fakes of this process with the same seed, time zone and date."""
    app = next(app for app in fake.apps if app.id == app_id)
    traffic, zone = fake._state.traffic, ZoneInfo(fake.timezone)
    days: dict[Any, list[Message]] = {day: [] for day in traffic._dates}
    for message in messages:
        days[datetime.fromtimestamp(message.at, zone).date()].append(message)
    for day, rows in days.items():
        traffic._made[app.id, app.mode, app.messages_per_day, day] = rows
    traffic._histories.pop((app.id, app.mode, app.messages_per_day), None)
    traffic._days.clear()
    fake._state.statistics.clear()


def running() -> list[asyncio.Task[Any]]:
    """The client's own tasks."""
    return [task for task in asyncio.all_tasks() if "dify_async" in task.get_name()]


def shown_by_trackers(error: BaseException | None) -> str:
    """An error as Sentry, structlog and rich show it: its chain, except suppressed contexts, with the local
    variables of each frame, except those of the tests."""
    texts: list[str] = []
    while error is not None:
        texts += traceback.format_exception_only(error)
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if Path(__file__).parent in Path(frame.f_code.co_filename).parents:
                continue
            for name, value in frame.f_locals.items():
                with suppress(AttributeError):  # an object that is not initialized yet
                    parts = list(value.items()) if isinstance(value, Mapping) else []
                    texts.append(f"{name} = {value!r} {parts!r}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(texts)


async def until(condition: Callable[[], bool]) -> None:
    """Yield to other tasks until the condition holds."""
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await anyio.sleep(0.001)


def zone_at_noon() -> str:
    """A time zone in which it is about noon, so that the date does not change during a test."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+}"


def counted(fake: FakeDifyServer) -> tuple[int, int]:
    """The number of refreshes, and of logins by password."""
    return fake.count("POST", "/refresh-token"), fake.count("POST", "/login")
