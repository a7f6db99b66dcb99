"""A session is not lost, nor a password sent, for what may pass or does not concern it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyAuthenticationError,
    DifyConnectionError,
    DifyError,
    DifyLoginError,
    DifyServerError,
    DifyStatusError,
    MemoryTokenStore,
)
from dify_async._auth import session
from dify_async.testing import FakeDifyServer
from tests.faults.support import PASSING
from tests.support import client, counted, running, until

REFUSED = b'{"code":"unauthorized","message":"Invalid token signature.","status":401}'


async def sign_in_by_code(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    token = await dify.request_login_code(fake.email)
    await dify.login_with_code(fake.email, fake.login_code(token), token)


@pytest.mark.parametrize("fault", PASSING)
async def test_a_session_by_code_outlives_a_failed_refresh(
    fake: FakeDifyServer, dify: AsyncDifyServer, fault: dict[str, Any]
) -> None:
    """There is no password for a login, and the refresh token may still be valid."""
    await sign_in_by_code(fake, dify)
    fake.expire_access_tokens()
    struck = fake.inject("/refresh-token", **fault)
    for _ in range(2):
        with pytest.raises((DifyStatusError, DifyConnectionError), match="POST /refresh-token"):
            await dify.profile()
    struck.remove()
    await dify.profile()
    assert counted(fake) == (5, 0)


async def test_a_refresh_fails_if_the_server_does_not_allow_passwords(fake: FakeDifyServer) -> None:
    """The tokens are from a session by code of another process; they are kept."""
    fake.password_login = False
    store = MemoryTokenStore()
    async with client(fake, token_store=store) as one:
        await sign_in_by_code(fake, one)
    fake.expire_access_tokens()
    async with client(fake, token_store=store) as two:
        struck = fake.inject("/refresh-token", status=503)
        with pytest.raises(DifyServerError, match="POST /refresh-token"):
            await two.profile()
        struck.remove()
        await two.profile()
    assert fake.count("POST", "/login") == 0


async def test_a_session_by_code_is_not_replaced_by_the_password_if_its_tokens_are_rejected(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    await sign_in_by_code(fake, dify)
    fake.inject("/account/*", status=401, body=REFUSED)
    for _ in range(3):
        with pytest.raises(DifyAuthenticationError, match="Invalid token signature"):
            await dify.profile()
        await dify.apps()
    assert counted(fake) == (1, 0)


async def test_a_session_by_code_of_another_process(fake: FakeDifyServer) -> None:
    """The stored tokens show how the session began; the password is not sent in place of a code."""
    store = MemoryTokenStore()
    async with client(fake, token_store=store, password="none") as one:
        await sign_in_by_code(fake, one)
        fake.expire_access_tokens()
        await one.profile()  # refreshed tokens show it too
    fake.expire_access_tokens()
    async with client(fake, token_store=store, password="none") as two:
        struck = fake.inject("/refresh-token", status=500)
        with pytest.raises(DifyServerError):
            await two.profile()
        struck.remove()
        await two.profile()
        fake.revoke_all_tokens()
        for _ in range(2):
            with pytest.raises(DifyLoginError, match="login_with_code"):
                await two.profile()
        assert fake.count("POST", "/login") == 0
        await sign_in_by_code(fake, two)
        await two.profile()


async def test_calls_after_a_rejected_login_do_not_send_the_password(fake: FakeDifyServer) -> None:
    async with client(fake, password="wrong-Pass-1") as dify:
        results = await asyncio.gather(
            dify.login(), *(dify.profile() for _ in range(5)), return_exceptions=True
        )
    assert {type(one) for one in results} == {DifyLoginError}
    assert fake.count("POST", "/login") == 1


async def test_leaving_ends_every_job_that_stands_in_line(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_CLOSE_GRACE", 0.05)
    async with client(fake) as dify:
        await dify.profile()
        slow = fake.inject("/logout", delay=30)
        jobs = [asyncio.create_task(job()) for job in (dify.logout, dify.login, dify.profile)]
        await until(lambda: slow.hits == 1)
    assert running() == []
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert not any(isinstance(one, asyncio.CancelledError) for one in results)
    assert fake.count("POST", "/login") == 1


async def test_nothing_is_reported_of_a_job_that_fails_when_nobody_waits_any_more(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """asyncio.shield would, from Python 3.14 on."""
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    slow = fake.inject("/login", status=500, delay=0.05)
    call = asyncio.create_task(dify.profile())
    await until(lambda: slow.hits == 1)
    call.cancel()
    await until(lambda: not running())
    assert call.cancelled()
    assert reported == []


async def test_closing_takes_less_than_5_s_while_a_login_hangs(fake: FakeDifyServer) -> None:
    """Services are killed soon after SIGTERM."""
    slow = fake.inject("/login", delay=60)
    async with client(fake) as dify:
        call = asyncio.create_task(dify.profile())
        await until(lambda: slow.hits == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 4.5
    with pytest.raises(DifyError, match="the client was closed"):
        await call
