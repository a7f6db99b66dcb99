"""Invalid arguments raise an error before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import aiohttp
import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    MemoryTokenStore,
    RedisTokenStore,
    RetryPolicy,
)
from dify_async.testing import FakeDifyServer
from tests.support import an_app

URL = "https://dify.example.com"
ACCOUNT: dict[str, Any] = {"email": "ops@example.com", "password": "hunter2"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
KEY: dict[str, Any] = {"admin_api_key": "hunter2", "workspace_id": "w"}


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


def test_a_client_can_be_created_without_an_event_loop() -> None:
    assert repr(AsyncDifyServer(URL, **ACCOUNT)) == "AsyncDifyServer('https://dify.example.com')"
    assert "hunter2" not in repr(AsyncDifyServer(URL, **KEY))


# redis-py raises a different class for each of these.
INVALID_URLS = [
    "mysql://:hunter2@host",
    "host:6379",
    "redis://:hunter2@host:port",
    "redis://:hunter2#@host",
    "redis://:hunter2@h?nonsense=1",
    "redis://:hunter2@h?retry=1",
    "redis://:hunter2@h?protocol=9",
    "redis://:hunter2@h?ssl_cert_reqs=CERT_NONE",  # without TLS
    "rediss://:hunter2@h?ssl_cert_reqs=CERT_SOME",
    "sentinel://:hunter2@host:26379",
]


@pytest.mark.parametrize("url", ["", *INVALID_URLS])
def test_an_invalid_redis_url(url: str) -> None:
    with pytest.raises(DifyConfigError, match="Redis URL") as refused:
        RedisTokenStore(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", INVALID_URLS)
async def test_an_invalid_redis_url_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    """baserow PR 4930: REDIS_URL may be meant for another program, unlike DIFY_REDIS_URL."""
    monkeypatch.setenv("REDIS_URL", url)
    with caplog.at_level("INFO", "dify_async"):
        dify = AsyncDifyServer(URL, **ACCOUNT)
        for _ in range(2):
            async with dify:
                pass
    warning, choice = caplog.records
    assert warning.levelname == "WARNING"
    assert warning.getMessage().startswith("REDIS_URL is not used")
    assert "in memory" in choice.getMessage()
    monkeypatch.setenv("DIFY_REDIS_URL", url)
    dify = AsyncDifyServer(URL, **ACCOUNT)
    for _ in range(2):
        with pytest.raises(DifyConfigError, match=r"^DIFY_REDIS_URL: the Redis URL must be") as refused:
            await dify.__aenter__()
    assert "hunter2" not in caplog.text + str(refused.value)


@pytest.mark.parametrize(
    "requirement", ["CERT_NONE", "CERT_OPTIONAL", "CERT_REQUIRED", "none", "optional", "required"]
)
@pytest.mark.parametrize("variable", ["DIFY_REDIS_URL", "REDIS_URL"])
async def test_a_redis_url_in_the_form_of_celery(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, requirement: str
) -> None:
    """celery#5988, celery PR 8113: a rediss:// URL must have one of these."""
    monkeypatch.setenv(variable, f"rediss://127.0.0.1:6380/0?ssl_cert_reqs={requirement}")
    with caplog.at_level("INFO", "dify_async"):
        async with AsyncDifyServer(URL, **ACCOUNT):
            pass
    assert [record.getMessage() for record in caplog.records] == [f"tokens are kept in Redis ({variable})"]


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


def test_from_env(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DifyConfigError, match="DIFY_BASE_URL"):
        AsyncDifyServer.from_env()
    monkeypatch.setenv("DIFY_BASE_URL", URL)
    monkeypatch.setenv("DIFY_EMAIL", "ops@example.com")
    with pytest.raises(DifyConfigError, match="password is missing"):
        AsyncDifyServer.from_env()
    monkeypatch.setenv("DIFY_PASSWORD", "hunter2")
    assert repr(AsyncDifyServer.from_env()) == f"AsyncDifyServer({URL!r})"
    other = AsyncDifyServer.from_env(base_url="http://other", retry=RetryPolicy(attempts=1))
    assert repr(other) == "AsyncDifyServer('http://other')"
    # Credentials that are passed take precedence over those in the environment.
    AsyncDifyServer.from_env(**KEY)
    monkeypatch.setenv("DIFY_ADMIN_API_KEY", "k")
    monkeypatch.setenv("DIFY_WORKSPACE_ID", "w")
    with pytest.raises(DifyConfigError, match="either"):
        AsyncDifyServer.from_env()
    AsyncDifyServer.from_env(**ACCOUNT)


async def test_from_env_reads_settings(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DIFY_BASE_URL": "http://dify.example.com",
        "DIFY_EMAIL": fake.email,
        "DIFY_PASSWORD": fake.password,
        "DIFY_MAX_CONCURRENCY": "3",
        "DIFY_TIMEOUT": "20.5",
        # The fake accepts absolute URLs, as a proxy does.
        "DIFY_PROXY": fake.base_url,
    }.items():
        monkeypatch.setenv(name, value)
    dify = AsyncDifyServer.from_env(retry=RetryPolicy(attempts=1))
    assert (dify._max_concurrency, dify._transport._timeout) == (3, 20.5)
    async with dify:
        assert (await dify.profile()).email == fake.email
    # Arguments take precedence, and their variables are not read.
    for name in ("DIFY_MAX_CONCURRENCY", "DIFY_TIMEOUT", "DIFY_PROXY"):
        monkeypatch.setenv(name, "nonsense")
    dify = AsyncDifyServer.from_env(max_concurrency=4, timeout=60, proxy=None)
    assert (dify._max_concurrency, dify._transport._timeout) == (4, 60)
    for name in ("DIFY_MAX_CONCURRENCY", "DIFY_TIMEOUT", "DIFY_PROXY"):
        monkeypatch.setenv(name, "")
    dify = AsyncDifyServer.from_env()
    assert (dify._max_concurrency, dify._transport._timeout) == (8, 30.0)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("DIFY_MAX_CONCURRENCY", "x", "must be an integer of at least 1, got 'x'"),
        ("DIFY_MAX_CONCURRENCY", "0", "must be an integer of at least 1, got 0"),
        ("DIFY_MAX_CONCURRENCY", "-2", "must be an integer"),
        ("DIFY_MAX_CONCURRENCY", "2.5", "must be an integer"),
        ("DIFY_TIMEOUT", "30s", "must be a number greater than 0, got '30s'"),
        ("DIFY_TIMEOUT", "0", "must be a number greater than 0"),
        ("DIFY_TIMEOUT", "nan", "must be a number greater than 0"),
        ("DIFY_TIMEOUT", "inf", "must be a number greater than 0"),
        ("DIFY_PROXY", "me:hunter2@proxy.example.com", "must be .http:"),
    ],
)
def test_from_env_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(DifyConfigError, match=f"^{variable} {says}") as refused:
        AsyncDifyServer.from_env(base_url=URL, **ACCOUNT)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "in memory"),
        ({"REDIS_URL": "redis://a"}, "in Redis (REDIS_URL)"),
        ({"DIFY_REDIS_URL": "redis://b"}, "in Redis (DIFY_REDIS_URL)"),
        ({"DIFY_REDIS_URL": "redis://b", "REDIS_URL": "redis://a"}, "in Redis (DIFY_REDIS_URL)"),
        ({"DIFY_REDIS_URL": "", "REDIS_URL": "redis://a"}, "in Redis (REDIS_URL)"),
    ],
)
async def test_the_environment_selects_the_store(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variables: dict[str, str],
    says: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level("INFO", "dify_async"):
        for store in (None, MemoryTokenStore()):
            async with AsyncDifyServer(URL, **ACCOUNT, token_store=store):
                pass
    (record,) = caplog.records
    assert says in record.message


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


@pytest.mark.parametrize("name", CALLS)
async def test_invalid_calls_send_nothing(name: str) -> None:
    async with (
        FakeDifyServer() as fake,
        AsyncDifyServer(fake.base_url, fake.email, fake.password, token_store=MemoryTokenStore()) as dify,
    ):
        with pytest.raises(DifyConfigError):
            await CALLS[name](dify, an_app(fake))
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
