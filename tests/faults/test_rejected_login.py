"""A password that is refused: six of them lock the account for a day."""

from __future__ import annotations

import asyncio

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConnectionError,
    DifyDecodeError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyRateLimitError,
    DifyServerError,
)
from dify_async.testing import FakeDifyServer
from tests.support import JSON, client


async def test_a_new_client_logs_in_once(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """streamflow#454."""
    await asyncio.gather(*(dify.profile() for _ in range(20)))
    assert fake.count("POST", "/login") == 1
    assert fake.count("GET", "/system-features") == 1


async def test_a_wrong_password_is_sent_once(fake: FakeDifyServer) -> None:
    """lghorizon#60, dify#11759: with 20 calls at once, then more."""
    async with client(fake, password="wrong-Pass-1") as dify:
        errors = await asyncio.gather(*(dify.profile() for _ in range(20)), return_exceptions=True)
        for _ in range(3):
            with pytest.raises(DifyLoginError) as refused:
                await dify.apps()
            errors.append(refused.value)
        assert fake.count("POST", "/login") == 1
        assert fake.count() == 2
    assert [type(error) for error in errors] == [DifyLoginError] * 23
    assert len({id(error) for error in errors}) == 23  # raising adds to an error's traceback
    assert {error.code for error in errors if isinstance(error, DifyLoginError)} == {"authentication_failed"}
    assert "wrong-Pass-1" not in repr(errors)


async def test_a_rejected_password_is_sent_by_login_or_by_a_new_client(fake: FakeDifyServer) -> None:
    async with client(fake, password="wrong-Pass-1") as dify:
        for sent in (1, 2):
            with pytest.raises(DifyLoginError):
                await dify.login()
            with pytest.raises(DifyLoginError):
                await dify.profile()
            assert fake.count("POST", "/login") == sent
    async with client(fake) as dify:
        await dify.profile()
    assert fake.count("POST", "/login") == 3


async def test_the_text_of_a_rejected_password(fake: FakeDifyServer) -> None:
    text = "Dify rejected the email or password. Correct it, then call login() or create a new client."
    async with client(fake, password="wrong-Pass-1") as dify:
        with pytest.raises(DifyLoginError) as refused:
            await dify.profile()
    assert str(refused.value).endswith(text)
    assert str(refused.value).startswith("POST /login: 40")


async def test_a_password_that_was_changed_while_the_client_runs(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """It was accepted once, is rejected now, and is never retried."""
    await dify.profile()
    fake.password = "Another-Pass-1"
    fake.revoke_all_tokens()
    errors = await asyncio.gather(*(dify.profile() for _ in range(10)), return_exceptions=True)
    assert [type(error) for error in errors] == [DifyLoginError] * 10
    assert fake.count("POST", "/login") == 2


async def test_a_locked_account(fake: FakeDifyServer) -> None:
    """dify#16960: 429 email_code_login_limit is the lock, not a rate limit to wait for."""
    for _ in range(6):
        async with client(fake, password="wrong-Pass-1") as dify:
            with pytest.raises(DifyLoginError):
                await dify.profile()
    async with client(fake) as dify:
        for _ in range(2):
            with pytest.raises(DifyLoginLockedError) as locked:
                await dify.profile()
        assert locked.value.code == "email_code_login_limit"
        assert isinstance(locked.value, DifyRateLimitError)
        assert fake.count("POST", "/login") == 7
        fake.unlock()
        await dify.login()
        await dify.profile()


async def test_a_200_that_is_a_rejection(fake: FakeDifyServer) -> None:
    """{"result":"fail","data":"workspace not found…"} [1.9.1 to 1.15.0]."""
    fake.add_account("new@example.com", "Secret-Pass-1", workspace=False)
    async with AsyncDifyServer(fake.base_url, "new@example.com", "Secret-Pass-1") as dify:
        for _ in range(3):
            with pytest.raises(DifyLoginError, match="workspace not found"):
                await dify.profile()
    assert fake.count("POST", "/login") == 1


@pytest.mark.parametrize(
    "body",
    [b'{"result":"success"}', b'{"result":"success","data":{}}', b'{"data":{"access_token":""}}', b"{}"],
)
async def test_a_200_without_tokens(fake: FakeDifyServer, dify: AsyncDifyServer, body: bytes) -> None:
    """It is not a verdict: a proxy may have removed the cookies."""
    fault = fake.inject("/login", body=body, headers=JSON, times=2)
    for _ in range(2):
        with pytest.raises(DifyDecodeError, match="has no tokens"):
            await dify.profile()
    assert fault.hits == 2
    await dify.profile()
    assert fake.count("POST", "/login") == 3


async def test_a_password_that_was_never_accepted_is_not_sent_again_after_a_lost_answer(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    fake.inject("/login", cut="after", times=1)
    with pytest.raises(DifyConnectionError):
        await dify.profile()
    assert fake.count("POST", "/login") == 1
    await dify.profile()  # a failure of the network is not remembered
    assert fake.count("POST", "/login") == 2


async def test_a_password_that_was_accepted_is_sent_again_after_a_failure(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    await dify.profile()
    fake.revoke_all_tokens()
    fake.inject("/login", status=503, times=1)
    fake.inject("/login", cut="before", times=1)
    await dify.profile()
    assert fake.count("POST", "/login") == 4


async def test_a_login_that_fails_is_raised_once_in_all_calls_that_wait(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    fake.inject("/login", status=500, delay=0.05, times=1)
    errors = await asyncio.gather(*(dify.profile() for _ in range(10)), return_exceptions=True)
    assert [type(error) for error in errors] == [DifyServerError] * 10
    assert fake.count("POST", "/login") == 1


async def test_concurrent_logins_send_the_password_once(fake: FakeDifyServer) -> None:
    """Otherwise eight tasks that call `login()` after a rejection would lock the account for a day."""
    async with client(fake, password="Wrong-Password-1") as dify:
        for sent in (1, 2):
            results = await asyncio.gather(*(dify.login() for _ in range(8)), return_exceptions=True)
            assert {type(one) for one in results} == {DifyLoginError}
            assert fake.count("POST", "/login") == sent
