"""Expired tokens: all rejected calls share one refresh, and no tokens are lost."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio
import pytest

from dify_async import AsyncDifyServer, DifyAuthenticationError, MemoryTokenStore, Tokens
from dify_async.testing import FakeDifyServer
from tests.faults.support import all_at_once
from tests.support import client, counted, until

REFUSED = b'{"code":"%s","message":"%s","status":401}'


def kept_in(store: MemoryTokenStore) -> Tokens:
    (tokens,) = store._tokens.values()
    assert isinstance(tokens, Tokens)
    return tokens


async def test_40_calls_rejected_at_once_refresh_once(fake: FakeDifyServer) -> None:
    """dify-spring-boot-starter's token stores, python-keycloak#710."""
    async with client(fake, max_concurrency=40) as dify:
        await dify.profile()
        body = REFUSED % (b"unauthorized", b"Token has expired.")
        refused = fake.inject("/account/*", status=401, body=body, delay=0.05, times=40)
        await all_at_once(dify, 40)
    assert refused.hits == 40
    assert counted(fake) == (1, 1)
    assert fake.count("GET", "/account/profile") == 81


async def test_a_late_rejection_refreshes_nothing(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """python-keycloak#710: the old token was rejected, and there is a new one."""
    await dify.profile()
    late = fake.inject("/account/*", delay=0.2, times=1)
    async with anyio.create_task_group() as group:
        group.start_soon(dify.profile)
        await until(lambda: late.hits == 1)
        fake.expire_access_tokens()
        await dify.profile()
    assert counted(fake) == (1, 1)


async def test_tokens_of_one_second_are_the_same_text() -> None:
    """1.11.2: no iat and no jti, so a new token may have the same text."""
    store = MemoryTokenStore()
    async with FakeDifyServer("1.11.2") as fake, client(fake, token_store=store, max_concurrency=20) as dify:
        while time.time() % 1 > 0.4:  # noqa: ASYNC110 - the clock has no event
            await anyio.sleep(0.01)
        await dify.profile()
        before = kept_in(store)
        body = REFUSED % (b"unauthorized", b"Token has expired.")
        fake.inject("/account/*", status=401, body=body, delay=0.05, times=20)
        await all_at_once(dify, 20)
        after = kept_in(store)
        assert before.access_token == after.access_token
        assert before.refresh_token != after.refresh_token
        assert counted(fake) == (1, 1)


async def test_the_call_that_refreshes_is_cancelled(fake: FakeDifyServer) -> None:
    """gcloud-aio#500: the refresh continues, and its token is not lost."""
    store = MemoryTokenStore()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        before = kept_in(store)
        fake.expire_access_tokens()
        slow = fake.inject("/refresh-token", delay=0.1)
        first = asyncio.create_task(dify.profile())
        await until(lambda: slow.hits == 1)
        others = [asyncio.create_task(dify.profile()) for _ in range(5)]
        for _ in range(5):  # until they wait for it too
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await asyncio.gather(*others)
    after = kept_in(store)
    assert after.refresh_token != before.refresh_token
    assert counted(fake) == (1, 1)


async def test_all_calls_that_wait_for_a_refresh_are_cancelled(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """gcloud-aio#500: a refresh token is valid once, so the new one is kept."""
    await dify.profile()
    fake.expire_access_tokens()
    slow = fake.inject("/refresh-token", delay=0.05)
    with anyio.move_on_after(5) as scope:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(dify.profile)
            await until(lambda: slow.hits == 1)
            scope.cancel()
    await dify.profile()
    assert counted(fake) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "tried"),
    [
        ({"status": 401, "body": b'{"result":"fail"}'}, 2),
        ({"status": 401, "body": b'{"result":"fail","message":"Invalid refresh token"}'}, 1),
        ({"status": 401, "body": b'{"result":"fail","data":"Invalid refresh token"}'}, 1),
        ({"status": 500}, 2),
        ({"status": 502, "body": b"<html>bad gateway</html>"}, 2),
        ({"status": 200, "body": b"{}"}, 2),
        ({"cut": "before"}, 2),
        ({"cut": "after"}, 2),
    ],
)
async def test_a_failed_refresh_leads_to_one_login(
    fake: FakeDifyServer, dify: AsyncDifyServer, fault: dict[str, Any], tried: int
) -> None:
    """dify-spring-boot-starter#264: no loop."""
    await dify.profile()
    fake.expire_access_tokens()
    fake.inject("/refresh-token", **fault)
    await all_at_once(dify, 10)
    assert counted(fake) == (tried, 2)


async def test_a_refresh_fails_once_because_the_servers_redis_was_down(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """1.11.2 with its Redis down: also a 401, but the refresh token is still valid."""
    await dify.profile()
    fake.expire_access_tokens()
    body = b'{"result":"fail","message":"Error 111 connecting to redis:6379. Connection refused."}'
    fake.inject("/refresh-token", status=401, body=body, times=1)
    await dify.profile()
    assert counted(fake) == (2, 1)
    bodies = [request for request in fake.requests if request.path == "/refresh-token"]
    assert bodies[0].headers.get("Cookie") == bodies[1].headers.get("Cookie")
    assert bodies[0].body == bodies[1].body


async def test_a_token_rejected_when_new_causes_no_loop(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """A refresh, a login, and then the error."""
    await dify.profile()
    fake.inject("/account/*", status=401, body=REFUSED % (b"unauthorized", b"Invalid token signature."))
    with pytest.raises(DifyAuthenticationError, match="Invalid token signature"):
        await dify.profile()
    assert counted(fake) == (1, 2)
    with pytest.raises(DifyAuthenticationError):
        await dify.profile()
    assert fake.count("POST", "/login") <= 3


@pytest.mark.parametrize("lost", ["expire_access_tokens", "revoke_all_tokens"])
async def test_tokens_that_end_before_a_call_has_used_them(
    fake: FakeDifyServer, dify: AsyncDifyServer, lost: str
) -> None:
    """Not permanently: the server may be restarted between `login()` and the first call."""
    await dify.login()
    getattr(fake, lost)()
    await asyncio.gather(*(dify.profile() for _ in range(10)))
    assert counted(fake) == (1, 1 if lost == "expire_access_tokens" else 2)


async def test_a_login_whose_tokens_are_never_accepted_causes_no_loop(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    fake.inject("/account/*", status=401, body=REFUSED % (b"unauthorized", b"Invalid token signature."))
    for _ in range(5):
        with pytest.raises(DifyAuthenticationError, match="Invalid token signature"):
            await dify.profile()
    assert counted(fake) == (1, 1)


@pytest.mark.parametrize("version", ["1.10.1", "1.11.2"], indirect=True)
async def test_csrf_is_rejected_while_the_access_token_is_valid(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """dify#28377: one refresh, and then the error."""
    await dify.profile()
    body = REFUSED % (b"unauthorized", b"CSRF token is missing or invalid.")
    fake.inject("/account/*", status=401, body=body)
    with pytest.raises(DifyAuthenticationError, match="CSRF"):
        await dify.profile()
    assert counted(fake) == (1, 1)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"unauthorized_and_force_logout", b"Your license is invalid. Please contact your administrator."),
        (b"not_setup", b"Dify has not been initialized and installed yet."),
        (b"not_init_validated", b"Init validation has not been completed yet."),
        (b"unauthorized", b"Account is banned."),
        (b"account_banned", b"Account is banned."),
    ],
)
async def test_a_401_that_no_token_cures(
    fake: FakeDifyServer, dify: AsyncDifyServer, code: bytes, message: bytes
) -> None:
    """Dify 1.13 checks its licence on every route."""
    await dify.profile()
    fake.inject("/account/*", status=401, body=REFUSED % (code, message))
    with pytest.raises(DifyAuthenticationError) as refused:
        await dify.profile()
    assert refused.value.code == code.decode()
    assert counted(fake) == (0, 1)


async def test_the_licence_expires_during_a_refresh(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """No password is sent if the server rejects all accounts."""
    await dify.profile()
    fake.expire_access_tokens()
    body = REFUSED % (b"unauthorized_and_force_logout", b"Your license is invalid.")
    fake.inject("/refresh-token", status=401, body=body)
    with pytest.raises(DifyAuthenticationError, match="license"):
        await dify.profile()
    assert counted(fake) == (1, 1)


async def test_the_logout_of_one_ends_the_newest_refresh_token_of_another(fake: FakeDifyServer) -> None:
    """That call logs in, once."""
    async with client(fake) as one, client(fake) as other:
        await one.profile()
        await other.profile()
        await one.logout()
        await other.profile()  # its access token lives on
        fake.expire_access_tokens()
        await all_at_once(other, 10)
    assert counted(fake) == (1, 3)


async def test_after_logout_the_next_call_logs_in(fake: FakeDifyServer) -> None:
    store = MemoryTokenStore()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        await dify.logout()
        assert store._tokens == {}
        await dify.profile()
    assert counted(fake) == (0, 2)
