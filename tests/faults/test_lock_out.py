"""Six wrong passwords lock an account for a day: who sends how many, whatever fails."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConnectionError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyStatusError,
    MemoryTokenStore,
    RedisTokenStore,
    RetryPolicy,
)
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import client


@pytest.mark.usefixtures("patient_redis")
async def test_eight_workers_whose_password_was_changed(
    fake: FakeDifyServer, redis_server: RedisServer
) -> None:
    """One is rejected, and the others read that in Redis; users can still log in."""
    async with AsyncExitStack() as stack:
        workers: list[AsyncDifyServer] = []
        for _ in range(8):
            store = RedisTokenStore(redis_server.url)
            stack.push_async_callback(store.aclose)
            workers.append(await stack.enter_async_context(client(fake, token_store=store)))
        await asyncio.gather(*(worker.profile() for worker in workers))
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        for _ in range(3):
            calls = [worker.profile() for worker in workers for _ in range(3)]
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(one) for one in results} == {DifyLoginError}
        assert fake.count("POST", "/login") == 2
        with redis_server.admin() as admin:
            (kept,) = (admin.get(name) for name in admin.keys("*:login"))
            assert 86_000 < int(admin.ttl(admin.keys("*:login")[0])) <= 86_400
        assert fake.password.encode() not in kept
        new = RedisTokenStore(redis_server.url)
        stack.push_async_callback(new.aclose)
        async with client(fake, token_store=new, password="Another-Pass-1") as right:
            await right.profile()


async def test_a_new_client_tries_and_so_does_login(fake: FakeDifyServer) -> None:
    """The account may have been unlocked or unbanned in the meantime."""
    store, right = MemoryTokenStore(), fake.password
    async with client(fake, token_store=store) as old, client(fake, token_store=store) as other:
        await old.profile()
        await other.profile()
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        for dify in (old, other):
            with pytest.raises(DifyLoginError):
                await dify.profile()
        assert fake.count("POST", "/login") == 2
        fake.password = right
        async with client(fake, token_store=store) as new:
            await new.profile()
        await other.login()
        await other.profile()
        assert fake.count("POST", "/login") == 4


async def test_another_password_is_not_rejected(fake: FakeDifyServer) -> None:
    """Workers with the new password already run when those with the old one are rejected."""
    store = MemoryTokenStore()
    async with (
        client(fake, token_store=store, password="Another-Pass-1") as new,
        client(fake, token_store=store) as old,
    ):
        await old.profile()
        await new.profile()
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        with pytest.raises(DifyLoginError):
            await old.profile()
        await new.profile()
    assert fake.count("POST", "/login") == 3


@pytest.mark.parametrize("cut", ["after", "body"])
async def test_wrong_passwords_whose_answers_are_lost(fake: FakeDifyServer, cut: str) -> None:
    """Dify may have counted them: after three, nothing is sent, and the error shows the last answer."""
    async with client(fake, password="wrong-Pass-1") as dify:
        fault = fake.inject("/login", cut=cut)  # type: ignore[arg-type]  # one of its texts
        for _ in range(3):
            with pytest.raises(DifyConnectionError):
                await dify.profile()
        for call in (dify.profile, dify.login):
            with pytest.raises(DifyLoginError, match="sent 3 times without success since 20") as used_up:
                await call()
            assert str(used_up.value).startswith("POST /login: ")
            assert not isinstance(used_up.value, DifyLoginLockedError)
        assert fault.hits == fake.count("POST", "/login") == 3


async def test_a_password_that_was_changed_and_whose_answers_are_lost(fake: FakeDifyServer) -> None:
    """It was accepted before; it is sent at most three times per call, whatever the retry policy."""
    async with client(fake, retry=RetryPolicy(attempts=8, base_delay=0.0)) as dify:
        await dify.profile()
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        fake.inject("/login", cut="after")
        with pytest.raises(DifyConnectionError):
            await dify.profile()
        for _ in range(5):
            with pytest.raises(DifyLoginError, match="3 times without success"):
                await dify.profile()
    assert fake.count("POST", "/login") == 1 + 3


@pytest.mark.parametrize("status", [400, 415, 422, 500])
async def test_a_server_that_echoes_the_password(fake: FakeDifyServer, status: int) -> None:
    password = 'Geheim-"ä1'
    body = b'{"code":"odd","message":"not Geheim-\\"\\u00e41, R2VoZWltLSLDpDE=","status":400}'
    fake.inject("/login", status=status, body=body)
    async with client(fake, password=password) as dify:
        with pytest.raises(DifyStatusError) as refused:
            await dify.profile()
    assert "Geheim" not in str(refused.value)
    assert "R2Vo" not in str(refused.value)
