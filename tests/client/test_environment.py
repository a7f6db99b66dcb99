"""Settings in environment variables, and the Redis URLs among them."""

from __future__ import annotations

import pytest

from dify_async import AsyncDifyServer, DifyConfigError, MemoryTokenStore, RedisTokenStore, RetryPolicy
from dify_async.testing import FakeDifyServer
from tests.client.support import ACCOUNT, KEY, URL

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
