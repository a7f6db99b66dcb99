"""Invalid arguments raise an error before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import aiohttp
import pytest

from dify_async import AsyncDifyServer, DifyConfigError, RedisTokenStore, RetryPolicy
from dify_async.testing import FakeDifyServer
from tests.client.support import ACCOUNT, KEY, URL
from tests.support import UNKNOWN, an_app


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"email": "ops@example.com"},
        {"password": "hunter2"},
        {"email": "ops@example.com", "password": ""},
        {"email": "", "password": "hunter2"},
        {"email": "ops@example.com", "password": 5},
        {"admin_api_key": "hunter2"},
        {"workspace_id": "w"},
        {**ACCOUNT, **KEY},
        {**ACCOUNT, "workspace_id": "w"},
        {**KEY, "admin_api_key": "hunter2\r\nX: y"},
        {**KEY, "admin_api_key": "hunter2\udce9"},
        {**KEY, "workspace_id": "w\udce9"},
        {**ACCOUNT, "email": "\udce9@example.com"},
        {**ACCOUNT, "password": "hunter2\udce9"},  # Latin-1 in the environment, as Python decodes it
        {**ACCOUNT, "proxy": "http://user:hunter2#1@proxy:3128"},
        {**ACCOUNT, "proxy": "http://"},
        {**ACCOUNT, "timeout": 0},
        {**ACCOUNT, "timeout": -1},
        {**ACCOUNT, "timeout": math.nan},
        {**ACCOUNT, "timeout": math.inf},
        {**ACCOUNT, "timeout": "30"},
        {**ACCOUNT, "timeout": None},
        {**ACCOUNT, "timeout": True},
        {**ACCOUNT, "max_concurrency": 0},
        {**ACCOUNT, "max_concurrency": -1},
        {**ACCOUNT, "max_concurrency": 1.5},
        {**ACCOUNT, "max_concurrency": True},
        {**ACCOUNT, "max_response_bytes": 0},
        {**ACCOUNT, "max_response_bytes": 1e6},
        {**ACCOUNT, "max_response_bytes": True},
        {**ACCOUNT, "server_version": "latest"},
        {**ACCOUNT, "server_version": 1.11},
        {**ACCOUNT, "proxy": "proxy.example.com"},
        {**ACCOUNT, "proxy": 5},
        {**ACCOUNT, "ssl": "ca.pem"},
        {**ACCOUNT, "ssl": None},
        {**ACCOUNT, "ssl": 1},
        {**ACCOUNT, "session": 5},
        {**ACCOUNT, "retry": None},
        {**ACCOUNT, "retry": 3},
        {**ACCOUNT, "token_store": "redis://localhost"},
        {**ACCOUNT, "token_store": {}},
        {**ACCOUNT, "on_event": 5},
    ],
)
def test_invalid_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(DifyConfigError) as refused:
        AsyncDifyServer(URL, **wrong)
    assert isinstance(refused.value, ValueError)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("rest", [{}, {"password": "hunter2"}])
def test_an_api_key_instead_of_an_account(rest: dict[str, Any]) -> None:
    with pytest.raises(DifyConfigError, match=r"^email must be that of a console account, got an API key$"):
        AsyncDifyServer(URL, "app-SECRET0SECRET1SECRET2SEC", **rest)


def test_a_client_can_be_created_without_an_event_loop() -> None:
    assert repr(AsyncDifyServer(URL, **ACCOUNT)) == "AsyncDifyServer('https://dify.example.com')"
    assert "hunter2" not in repr(AsyncDifyServer(URL, **KEY))


@pytest.mark.parametrize("value", [0, True, "30", math.nan, 3601])
def test_an_invalid_lock_timeout(value: Any) -> None:
    with pytest.raises(DifyConfigError, match=r"^lock_timeout must be a number from 0\.01 to 3600, got "):
        RedisTokenStore("redis://localhost", lock_timeout=value)


@pytest.mark.parametrize("value", [True, "1", -1, math.nan, math.inf, None])
@pytest.mark.parametrize("name", ["base_delay", "max_delay", "max_retry_after"])
def test_an_invalid_delay(name: str, value: Any) -> None:
    with pytest.raises(DifyConfigError, match=f"^RetryPolicy.{name} must be a number of at least 0, got "):
        RetryPolicy(**{name: value})


@pytest.mark.parametrize("value", [0, True, 1.0, "4", None])
def test_an_invalid_number_of_attempts(value: Any) -> None:
    with pytest.raises(
        DifyConfigError, match=r"^RetryPolicy.attempts must be an integer of at least 1, got "
    ):
        RetryPolicy(attempts=value)


CALLS: dict[str, Callable[[AsyncDifyServer, str], Any]] = {
    "limit 0": lambda dify, _: dify.apps_page(limit=0),
    "limit 101": lambda dify, _: dify.apps_page(limit=101),
    "page 0": lambda dify, _: dify.apps_page(page=0),
    "page 100000": lambda dify, _: dify.apps_page(page=100_000),
    "tags as text": lambda dify, _: dify.apps(tag_ids="abc"),
    "conversations limit": lambda dify, app: dify.chat_conversations(app, limit=0),
    "conversations page": lambda dify, app: dify.chat_conversations(app, page=0),
    "conversations start": lambda dify, app: dify.chat_conversations(app, start="2025-10"),
    "conversations order": lambda dify, app: dify.chat_conversations(
        app, start="2025-10-24", end="2025-10-23"
    ),
    "completions end": lambda dify, app: dify.completion_conversations(app, end="tomorrow"),
    "logs order": lambda dify, app: dify.workflow_app_logs(app, start="2025-10-24T00Z", end="2025-10-23T00Z"),
    "feedback": lambda dify, app: dify.export_feedbacks(app, start_date="1 November"),
    "start": lambda dify, app: dify.daily_messages(app, "2025-10-23 0:00"),
    "end": lambda dify, app: dify.daily_messages(app, None, "23/10/2025"),
    "order": lambda dify, app: dify.daily_messages(app, date(2025, 10, 24), date(2025, 10, 23)),
    "many: order": lambda dify, app: dify.statistics_many([app], date(2025, 10, 24), date(2025, 10, 23)),
    "many: apps as text": lambda dify, app: dify.statistics_many(app),
    "many: metric": lambda dify, app: dify.statistics_many([app], metrics=["daily_mesages"]),  # type: ignore[list-item]
    "many: on_error": lambda dify, app: dify.statistics_many([app], on_error="ignore"),  # type: ignore[arg-type]
    "id": lambda dify, _: dify.app("a/../b"),
    "id of a statistic": lambda dify, _: dify.daily_messages(".."),
    "second id": lambda dify, app: dify.delete_app_api_key(app, ""),
}


async def test_invalid_calls_send_nothing(
    fake: FakeDifyServer, dify: AsyncDifyServer, subtests: pytest.Subtests
) -> None:
    for name, call in CALLS.items():
        fake.reset_counters()
        with subtests.test(name):
            with pytest.raises(DifyConfigError):
                await call(dify, an_app(fake))
            assert fake.requests == []


def test_lists_check_their_arguments_at_the_call() -> None:
    """Not when they are awaited: the traceback shows the line with the mistake."""
    dify = AsyncDifyServer(URL, **ACCOUNT)
    with pytest.raises(DifyConfigError, match=r"^page_size must be an integer from 1 to 100, got "):
        dify.iter_apps(page_size=0)
    with pytest.raises(DifyConfigError, match=r"^page_size must be an integer from 1 to 100, got "):
        dify.iter_chat_conversations(UNKNOWN, page_size=101)
    for name in (
        name for name in CALLS if name.startswith(("limit", "page", "tags", "conv", "comp", "logs"))
    ):
        with pytest.raises(DifyConfigError):
            CALLS[name](dify, UNKNOWN)


async def test_a_closed_session() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    with pytest.raises(DifyConfigError, match="closed"):
        async with AsyncDifyServer(URL, **ACCOUNT, session=session):
            pass
