"""Local variables in error trackers show no passwords, cookies, tokens or keys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import RedisError

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyError,
    DifyLoginError,
    RedisTokenStore,
)
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import EACH_ERA, ONCE, an_app, client, shown_by_trackers, until

KEY = "ADMIN-KEY-7"


def secrets_of(fake: FakeDifyServer) -> list[str]:
    """The fake's password, and all tokens and cookies sent to it."""
    found = [fake.password]
    for request in fake.requests:
        for name in ("Authorization", "Cookie", "X-CSRF-Token"):
            value = request.headers.get(name, "").removeprefix("Bearer ")
            found += [pair.rpartition("=")[2] for pair in value.split("; ") if pair]
    assert len(found) > 1
    return found


def check(error: BaseException, secrets: list[str]) -> None:
    shown = shown_by_trackers(error)
    assert " = " in shown
    assert [secret for secret in secrets if secret in shown] == []


@EACH_ERA
@pytest.mark.parametrize("fault", [{"status": 500}, {"cut": "before"}, {"body": b"no JSON"}], ids=str)
async def test_a_failed_call(fake: FakeDifyServer, fault: dict[str, object]) -> None:
    async with client(fake, retry=ONCE) as dify:
        await dify.profile()
        fake.inject("/account/*", **fault)  # type: ignore[arg-type]  # of several kinds
        with pytest.raises(DifyError) as failed:
            await dify.profile()
        check(failed.value, secrets_of(fake))


@EACH_ERA
async def test_a_cancelled_call(fake: FakeDifyServer) -> None:
    """The traceback includes aiohttp, which copies the headers."""
    async with client(fake, retry=ONCE) as dify:
        await dify.profile()
        fake.inject("/account/*", delay=30)
        call = asyncio.create_task(dify.profile())
        await until(lambda: fake.count("GET", "/account/profile") == 2)
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await call
        shown = shown_by_trackers(cancelled.value)
        assert "CIMultiDict" in shown
        assert [secret for secret in secrets_of(fake) if secret in shown] == []


@EACH_ERA
@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 401, "body": b"{}"}, {"body": b"{}"}, {"cut": "before"}], ids=str
)
@pytest.mark.parametrize("path", ["/login", "/refresh-token"])
async def test_a_failed_sign_in(fake: FakeDifyServer, path: str, fault: dict[str, object]) -> None:
    async with client(fake, retry=ONCE) as dify:
        if path != "/login":
            await dify.profile()
            fake.expire_access_tokens()
            fake.inject("/login", status=500)
        fake.inject(path, **fault)  # type: ignore[arg-type]  # of several kinds
        with pytest.raises(DifyError) as failed:
            await dify.profile()
        await until(lambda: fake.count("POST", path) >= 1)
        secrets = secrets_of(fake) if path != "/login" else [fake.password]
        check(failed.value, secrets)


@EACH_ERA
async def test_a_refused_code(fake: FakeDifyServer) -> None:
    async with client(fake, retry=ONCE) as dify:
        with pytest.raises(DifyError) as refused:
            await dify.login_with_code(fake.email, "secret-code", "secret-token")
        check(refused.value, [fake.password, "secret-code", "secret-token"])


@pytest.mark.parametrize("version", ["1.11.2"])
async def test_an_admin_key(version: str) -> None:
    async with FakeDifyServer(version, admin_api_key=KEY) as fake:
        key = {"admin_api_key": KEY, "workspace_id": fake.workspace_id}
        async with client(fake, retry=ONCE, **key) as dify:
            await dify.profile()
            echo = f'{{"code":"invalid_param","message":"no {KEY}"}}'.encode()
            fake.inject("/apps*", status=400, body=echo)
            for call in (dify.profile(), dify.apps(), dify.init_app_api_key(an_app(fake))):
                fake.inject("/account/*", status=500, times=1)
                with pytest.raises(DifyError) as failed:
                    await call
                check(failed.value, [KEY])


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"base_url": "http://a..b"},
        {"proxy": "http://user:hunter2#1@proxy:3128"},
        {"proxy": "http://user:hunter2@proxy:3128", "server_version": "x"},
        {"admin_api_key": "hunter2"},
        {"password": "hunter2\udce9"},
    ],
    ids=str,
)
def test_a_client_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]) -> None:
    monkeypatch.setenv("DIFY_BASE_URL", "http://host")
    monkeypatch.setenv("DIFY_EMAIL", "ops@example.com")
    monkeypatch.setenv("DIFY_PASSWORD", "hunter2")
    with pytest.raises(DifyConfigError) as refused:
        AsyncDifyServer.from_env(**wrong)  # type: ignore[arg-type]  # wrong ones
    check(refused.value, ["hunter2"])


@pytest.mark.parametrize("kind", [AsyncDifyServer, DifyServer])
@pytest.mark.parametrize(
    "arguments",
    [
        {"email": "a@b.c", "password": "hunter2"},
        {"admin_api_key": "hunter2", "workspace_id": "w"},
        {"email": "a@b.c", "password": "b", "proxy": "http://u:hunter2@h:1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("wrong", [{"timeout": -1}, {"base_url": "http://a..b"}], ids=str)
def test_secret_arguments_of_a_client_that_cannot_be_made(
    kind: type[AsyncDifyServer | DifyServer], arguments: dict[str, Any], wrong: dict[str, Any]
) -> None:
    for make in (kind, kind.from_env):
        with pytest.raises(DifyConfigError) as refused:
            make(**{"base_url": "http://host", **arguments, **wrong})
        check(refused.value, ["hunter2"])


def test_a_code_that_the_synchronous_client_refuses() -> None:
    with DifyServer("http://host", "a@b.c", "hunter2") as dify, pytest.raises(DifyConfigError) as refused:
        dify.login_with_code("other@b.c", "secret-code", "secret-token")
    check(refused.value, ["hunter2", "secret-code", "secret-token"])


async def test_an_invalid_redis_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """celery#5988: such URLs come from the environment."""
    url = "redis://:hunter2@host/0?nonsense=1"
    monkeypatch.setenv("DIFY_REDIS_URL", url)
    with pytest.raises(DifyConfigError) as refused:
        RedisTokenStore(url)
    check(refused.value, ["hunter2"])
    with pytest.raises(DifyConfigError) as refused:
        await AsyncDifyServer("http://host", "a@b.c", "hunter2").__aenter__()
    check(refused.value, ["hunter2"])


@EACH_ERA
async def test_a_rejected_login(fake: FakeDifyServer) -> None:
    async with client(fake, password="Wrong-Pass-42") as dify:
        with pytest.raises(DifyLoginError) as refused:
            await dify.profile()
        check(refused.value, ["Wrong-Pass-42"])


async def test_a_password_that_redis_rejects(redis_server: RedisServer) -> None:
    store = RedisTokenStore(f"unix://unknown:hunter2@{redis_server.socket}")
    with pytest.raises(RedisError) as refused:
        await store.load("key")
    await store.aclose()
    check(refused.value, ["hunter2"])
