"""Logins while Dify, its database, a proxy in front of it or the token store is down."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from dify_async import (
    DifyAuthenticationError,
    DifyConnectionError,
    DifyLoginError,
    DifyServerError,
    LoginAttempts,
    MemoryTokenStore,
)
from dify_async._auth import rules
from dify_async._http.retry import Safety
from dify_async._http.wire import Reply, Request
from dify_async.testing import FakeDifyServer
from tests.captures import capture
from tests.faults.support import ReadOnlyStore, outcome
from tests.support import JSON, ONCE, client, counted

EXPIRED = b'{"code":"unauthorized","message":"Token has expired.","status":401}'


@pytest.fixture
def version() -> str:
    return "1.11.2"


async def test_a_proxy_that_replaces_the_answers_is_named(fake: FakeDifyServer) -> None:
    """GET /system-features has responses of Dify, and POST /login never."""
    fake.inject("/login", status=503, body=b"<html>sorry</html>", headers={"X-Version": ""})
    store = MemoryTokenStore()
    for _ in range(3):
        assert isinstance(await outcome(fake, token_store=store, retry=ONCE), DifyServerError)
    error = await outcome(fake, token_store=store)
    assert isinstance(error, DifyLoginError)
    assert "a proxy or gateway in front of Dify replaces the responses of POST /login" in str(error)
    assert "503" in str(error)
    assert "since 20" in str(error)
    assert fake.count("POST", "/login") == 3


@pytest.mark.parametrize(
    "body", [b'{"code":"internal_server_error","message":"Internal Server Error","status":500}', EXPIRED]
)
async def test_errors_of_dify_itself_are_not_blamed_on_a_proxy(fake: FakeDifyServer, body: bytes) -> None:
    fake.inject("/login", status=500 if b"internal" in body else 401, body=body, headers=JSON)
    store = MemoryTokenStore()
    for _ in range(3):
        assert not isinstance(await outcome(fake, token_store=store, retry=ONCE), DifyLoginError)
    error = await outcome(fake, token_store=store)
    assert isinstance(error, DifyLoginError)
    assert "3 times without success" in str(error)
    assert "proxy" not in str(error)


async def test_the_code_of_a_gateway_is_not_one_of_dify(fake: FakeDifyServer) -> None:
    """It carries no X-Version, which earlier responses had."""
    body = b'{"code":"forbidden","message":"Access denied"}'
    fake.inject("/login", status=403, body=body, headers={**JSON, "X-Version": ""})
    store = MemoryTokenStore()
    for _ in range(3):
        assert not isinstance(await outcome(fake, token_store=store, retry=ONCE), DifyLoginError)
    assert "a proxy or gateway in front of Dify" in str(await outcome(fake, token_store=store))
    assert fake.count("POST", "/login") == 3


async def test_a_password_that_was_not_sent_does_not_end_the_doubt(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before it was not answered: GET /system-features must answer before the next one too."""
    fake.inject("/login", cut="before", times=1)
    async with client(fake, retry=ONCE) as dify:
        with pytest.raises(DifyConnectionError):
            await dify.profile()
        send = dify._transport.send

        async def refuse_logins(request: Request, safety: Safety) -> Reply:
            if request.route == "/login":
                raise DifyConnectionError("connection refused", sent=False)
            return await send(request, safety)

        with monkeypatch.context() as patch:
            patch.setattr(dify._transport, "send", refuse_logins)
            with pytest.raises(DifyConnectionError, match="refused"):
                await dify.profile()
        asked = fake.count("GET", "/system-features")
        await dify.profile()
        assert fake.count("GET", "/system-features") == asked + 1
    assert fake.count("POST", "/login") == 2


async def test_an_outage_costs_one_attempt(fake: FakeDifyServer) -> None:
    """401 "Token has expired." for every route: no password is sent until the server recovers."""
    async with client(fake) as dify:
        await dify.profile()
        faults = [
            fake.inject("*", status=401, body=EXPIRED, headers=JSON),
        ]
        for _ in range(10):
            with pytest.raises(DifyAuthenticationError):
                await dify.profile()
        assert fake.count("POST", "/login") == 2
        for fault in faults:
            fault.remove()
        await dify.profile()


async def test_the_database_of_dify_is_down(fake: FakeDifyServer) -> None:
    """1.16.1: a refresh is then a 500, and its token is valid again afterwards."""
    body = capture("1.16.1/11_db_down_refresh").reply.body
    down: dict[str, Any] = {"status": 500, "body": body, "headers": JSON}
    assert not rules.refresh_token_is_dead(capture("1.16.1/11_redis_down_refresh").reply)
    assert rules.read_tokens(capture("1.16.1/11_db_up_again_refresh_of_the_same_token").reply) is not None
    async with client(fake, retry=ONCE) as dify:
        await dify.profile()
        fake.expire_access_tokens()
        faults = [fake.inject(path, **down) for path in ("/refresh-token", "/login")]
        for _ in range(5):
            with pytest.raises(DifyServerError):
                await dify.profile()
        assert counted(fake) == (10, 2)
        for fault in faults:
            fault.remove()
        await dify.profile()
        assert counted(fake) == (11, 2)
        sent = {one.headers["Cookie"] for one in fake.requests if one.path == "/refresh-token"}
        assert len(sent) == 1


async def test_a_store_that_takes_no_writes(fake: FakeDifyServer) -> None:
    """The limit of the promise: each process sends a password that was changed once."""
    store = ReadOnlyStore()
    async with client(fake, token_store=store) as one, client(fake, token_store=store) as two:
        await one.profile()
        await two.profile()
        store.is_down = True
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        for _ in range(3):
            for dify in (one, two):
                with pytest.raises(DifyLoginError):
                    await dify.profile()
    assert fake.count("POST", "/login") == 1 + 2


async def test_a_session_that_ended_is_not_saved_after_a_rejected_password(
    fake: FakeDifyServer,
) -> None:
    """Its tokens were unsaved, and the store works again."""
    store = ReadOnlyStore()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        store.is_down = True
        fake.expire_access_tokens()
        await dify.profile()
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        with suppress(DifyLoginError):
            await dify.profile()
        store.is_down = False
    assert [value for value in store._tokens.values() if not isinstance(value, LoginAttempts)] == []
