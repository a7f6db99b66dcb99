"""Logging out, and the calls that wait for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConnectionError,
    DifyLoginError,
    DifyServerError,
    MemoryTokenStore,
)
from dify_async._auth import fallback_store
from dify_async.testing import FakeDifyServer
from tests.faults.support import FlakyStore
from tests.support import ONCE, client, counted, until


async def can_still_be_renewed(fake: FakeDifyServer, store: MemoryTokenStore) -> bool:
    """Whether the server still accepts the session in a copy of the store."""
    before = fake.count("POST", "/login")
    fake.expire_access_tokens()
    async with client(fake, token_store=store) as other:
        await other.profile()
    return fake.count("POST", "/login") == before


async def test_a_logout_with_an_access_token_that_has_ended(fake: FakeDifyServer) -> None:
    """1.11.2/02_logout_expired_token: a 401, after which the refresh token would stay valid."""
    store, copy = MemoryTokenStore(), MemoryTokenStore()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        copy._tokens.update(store._tokens)
        fake.expire_access_tokens()
        await dify.logout()
    assert store._tokens == {}
    assert not await can_still_be_renewed(fake, copy)


async def test_a_logout_of_a_session_that_has_ended(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    await dify.profile()
    fake.revoke_all_tokens()
    await dify.logout()
    await dify.logout()
    assert counted(fake) == (1, 1)


@pytest.mark.parametrize("fault", [{"status": 502}, {"cut": "before"}])
async def test_a_logout_that_fails_can_be_repeated(fake: FakeDifyServer, fault: dict[str, Any]) -> None:
    store, copy = MemoryTokenStore(), MemoryTokenStore()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        copy._tokens.update(store._tokens)
        struck = fake.inject("/logout", **fault)
        with pytest.raises((DifyServerError, DifyConnectionError), match="/logout"):
            await dify.logout()
        assert struck.hits == 4
        assert store._tokens == {}
        struck.remove()
        await dify.logout()
    assert not await can_still_be_renewed(fake, copy)


async def test_calls_do_not_get_the_errors_of_a_logout_or_a_login_by_code(fake: FakeDifyServer) -> None:
    """They wait for it, then log in."""
    async with client(fake, retry=ONCE) as dify:
        await dify.profile()
        slow = fake.inject("/logout", status=502, delay=0.05)
        leaving = asyncio.create_task(dify.logout())
        await until(lambda: slow.hits == 1)
        await asyncio.gather(*(dify.profile() for _ in range(5)))
        with pytest.raises(DifyServerError):
            await leaving
        slow.remove()
        await dify.logout()
        token = await dify.request_login_code(fake.email)
        slow = fake.inject("/email-code-login/validity", delay=0.05)
        wrong = asyncio.create_task(dify.login_with_code(fake.email, "000000", token))
        await until(lambda: slow.hits == 1)
        await asyncio.gather(*(dify.profile() for _ in range(5)))
        with pytest.raises(DifyLoginError):
            await wrong
    assert fake.count("POST", "/login") == 3


async def test_a_call_after_a_logout_does_not_send_a_rejected_password(
    fake: FakeDifyServer,
) -> None:
    async with client(fake, password="wrong-Pass-1") as dify:
        slow = fake.inject("/login", delay=0.05)
        first = asyncio.create_task(dify.profile())
        await until(lambda: slow.hits == 1)
        leaving = asyncio.create_task(dify.logout())
        await asyncio.sleep(0)
        second = asyncio.create_task(dify.profile())
        results = await asyncio.gather(first, leaving, second, return_exceptions=True)
    assert [type(one) for one in results] == [DifyLoginError, type(None), DifyLoginError]
    assert fake.count("POST", "/login") == 1


async def test_a_logout_while_the_store_is_down_for_a_client_that_has_not_read_it(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session in the store is deleted later, and not used again."""
    monkeypatch.setattr(fallback_store, "_PAUSE", 0.05)
    store = FlakyStore()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
    async with client(fake, token_store=store) as dify:
        store.is_down = True
        await dify.logout()
        store.is_down = False
        await until(lambda: store._tokens == {})
        await dify.profile()
    assert fake.count("POST", "/login") == 2
