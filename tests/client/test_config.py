"""Wrong arguments are refused before anything is sent."""

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
        {**ACCOUNT, "password": "hunter2\udce9"},  # as Python reads Latin-1 in the environment
        {**ACCOUNT, "proxy": "http://user:hunter2#1@proxy:3128"},
        {**ACCOUNT, "proxy": "http://"},
        {**ACCOUNT, "timeout": 0},
        {**ACCOUNT, "timeout": -1},
        {**ACCOUNT, "timeout": math.nan},
        {**ACCOUNT, "timeout": math.inf},
        {**ACCOUNT, "timeout": "30"},
        {**ACCOUNT, "timeout": None},
        {**ACCOUNT, "max_concurrency": 0},
        {**ACCOUNT, "max_concurrency": -1},
        {**ACCOUNT, "max_concurrency": 1.5},
        {**ACCOUNT, "max_concurrency": True},
        {**ACCOUNT, "max_response_bytes": 0},
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
def test_wrong_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(DifyConfigError) as refused:
        AsyncDifyServer(URL, **wrong)
    assert isinstance(refused.value, ValueError)
    assert "hunter2" not in str(refused.value)


def test_a_client_is_made_outside_of_an_event_loop() -> None:
    assert repr(AsyncDifyServer(URL, **ACCOUNT)) == "AsyncDifyServer('https://dify.example.com')"
    assert "hunter2" not in repr(AsyncDifyServer(URL, **KEY))


# None of these raises the same class in redis-py.
UNUSABLE = [
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


@pytest.mark.parametrize("url", ["", *UNUSABLE])
def test_a_redis_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(DifyConfigError, match="Redis URL") as refused:
        RedisTokenStore(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", UNUSABLE)
def test_a_redis_url_of_the_environment_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    """baserow PR 4930: REDIS_URL may be meant for another program, DIFY_REDIS_URL cannot."""
    monkeypatch.setenv("REDIS_URL", url)
    with caplog.at_level("INFO", "dify_async"):
        AsyncDifyServer(URL, **ACCOUNT)
    warning, choice = caplog.records
    assert warning.levelname == "WARNING"
    assert warning.getMessage().startswith("REDIS_URL is not used")
    assert "in memory" in choice.getMessage()
    monkeypatch.setenv("DIFY_REDIS_URL", url)
    with pytest.raises(DifyConfigError, match=r"^DIFY_REDIS_URL: the Redis URL") as refused:
        AsyncDifyServer(URL, **ACCOUNT)
    assert "hunter2" not in caplog.text + str(refused.value)


@pytest.mark.parametrize(
    "requirement", ["CERT_NONE", "CERT_OPTIONAL", "CERT_REQUIRED", "none", "optional", "required"]
)
@pytest.mark.parametrize("variable", ["DIFY_REDIS_URL", "REDIS_URL"])
def test_a_redis_url_in_the_form_of_celery(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, requirement: str
) -> None:
    """celery#5988, celery PR 8113: a rediss:// URL must have one of these."""
    monkeypatch.setenv(variable, f"rediss://127.0.0.1:6380/0?ssl_cert_reqs={requirement}")
    with caplog.at_level("INFO", "dify_async"):
        AsyncDifyServer(URL, **ACCOUNT)
    assert [record.getMessage() for record in caplog.records] == [f"tokens are kept in Redis, by {variable}"]


def test_a_lock_without_time() -> None:
    with pytest.raises(DifyConfigError, match="lock_timeout"):
        RedisTokenStore("redis://localhost", lock_timeout=0)


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
    # Another way in, given here, goes before that of the environment.
    AsyncDifyServer.from_env(**KEY)
    monkeypatch.setenv("DIFY_ADMIN_API_KEY", "k")
    monkeypatch.setenv("DIFY_WORKSPACE_ID", "w")
    with pytest.raises(DifyConfigError, match="either"):
        AsyncDifyServer.from_env()
    AsyncDifyServer.from_env(**ACCOUNT)


async def test_from_env_reads_the_settings_of_requests(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DIFY_BASE_URL": "http://dify.example.com",
        "DIFY_EMAIL": fake.email,
        "DIFY_PASSWORD": fake.password,
        "DIFY_MAX_CONCURRENCY": "3",
        "DIFY_TIMEOUT": "20.5",
        # The fake takes the whole URL that a proxy is asked for.
        "DIFY_PROXY": fake.base_url,
    }.items():
        monkeypatch.setenv(name, value)
    dify = AsyncDifyServer.from_env(retry=RetryPolicy(attempts=1))
    assert (dify._max_concurrency, dify._transport._timeout) == (3, 20.5)
    async with dify:
        assert (await dify.profile()).email == fake.email
    # What is given goes before, and its variable is not looked at.
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
        ("DIFY_MAX_CONCURRENCY", "0", "must be an integer of at least 1, got '0'"),
        ("DIFY_MAX_CONCURRENCY", "-2", "must be an integer"),
        ("DIFY_MAX_CONCURRENCY", "2.5", "must be an integer"),
        ("DIFY_TIMEOUT", "30s", "must be a number of seconds greater than 0, got '30s'"),
        ("DIFY_TIMEOUT", "0", "must be a number of seconds"),
        ("DIFY_TIMEOUT", "nan", "must be a number of seconds"),
        ("DIFY_TIMEOUT", "inf", "must be a number of seconds"),
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
        ({"REDIS_URL": "redis://a"}, "in Redis, by REDIS_URL"),
        ({"DIFY_REDIS_URL": "redis://b"}, "in Redis, by DIFY_REDIS_URL"),
        ({"DIFY_REDIS_URL": "redis://b", "REDIS_URL": "redis://a"}, "in Redis, by DIFY_REDIS_URL"),
        ({"DIFY_REDIS_URL": "", "REDIS_URL": "redis://a"}, "in Redis, by REDIS_URL"),
    ],
)
def test_the_store_is_chosen_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variables: dict[str, str],
    says: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level("INFO", "dify_async"):
        AsyncDifyServer(URL, **ACCOUNT)
        AsyncDifyServer(URL, **ACCOUNT, token_store=MemoryTokenStore())
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
    "conversations start": lambda dify, app: dify.chat_conversations(app, start="2025-10-23"),
    "start": lambda dify, app: dify.daily_messages(app, "2025-10-23T00:00"),
    "end": lambda dify, app: dify.daily_messages(app, None, "23/10/2025"),
    "seconds": lambda dify, app: dify.daily_messages(app, "2025-10-23 00:00:00"),
    "order": lambda dify, app: dify.daily_messages(app, date(2025, 10, 24), date(2025, 10, 23)),
    "many: order": lambda dify, app: dify.statistics_many([app], date(2025, 10, 24), date(2025, 10, 23)),
    "many: apps as text": lambda dify, app: dify.statistics_many(app),
    "many: metric": lambda dify, app: dify.statistics_many([app], metrics=["daily_mesages"]),
    "many: on_error": lambda dify, app: dify.statistics_many([app], on_error="ignore"),  # type: ignore[arg-type]
    "id": lambda dify, _: dify.app("a/../b"),
    "id of a statistic": lambda dify, _: dify.daily_messages(".."),
    "second id": lambda dify, app: dify.delete_app_api_key(app, ""),
}


@pytest.mark.parametrize("name", CALLS)
async def test_wrong_calls_send_nothing(name: str) -> None:
    async with (
        FakeDifyServer() as fake,
        AsyncDifyServer(fake.base_url, fake.email, fake.password, token_store=MemoryTokenStore()) as dify,
    ):
        with pytest.raises(DifyConfigError):
            await CALLS[name](dify, an_app(fake))
        assert fake.requests == []


async def test_iterators_check_their_page_size() -> None:
    dify = AsyncDifyServer(URL, **ACCOUNT)
    with pytest.raises(DifyConfigError, match="rows"):
        dify.iter_apps(page_size=0)
    with pytest.raises(DifyConfigError, match="rows"):
        await anext(dify.iter_chat_conversations("id", page_size=101))


async def test_a_session_that_is_closed() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    with pytest.raises(DifyConfigError, match="closed"):
        async with AsyncDifyServer(URL, **ACCOUNT, session=session):
            pass
