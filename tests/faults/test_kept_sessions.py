"""A session is not lost, nor a password sent, for what may pass or does not concern it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyAuthenticationError,
    DifyConnectionError,
    DifyLoginError,
    DifyServerError,
    DifyStatusError,
    MemoryTokenStore,
)
from dify_async._auth import password
from dify_async._auth.grant import TokenGrant
from dify_async.testing import FakeDifyServer
from tests.support import ONCE, client, running, until

REFUSED = b'{"code":"unauthorized","message":"Invalid token signature.","status":401}'
PASSING: list[dict[str, Any]] = [
    {"status": 503},
    {"status": 401, "body": b'{"result":"fail","message":"Error 111 connecting to redis:6379."}'},
    {"cut": "before"},
]


async def sign_in_by_code(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    token = await dify.request_login_code(fake.email)
    await dify.login_with_code(fake.email, fake.login_code(token), token)


def counted(fake: FakeDifyServer) -> tuple[int, int]:
    return fake.count("POST", "/refresh-token"), fake.count("POST", "/login")


@pytest.mark.parametrize("fault", PASSING)
async def test_a_session_by_code_outlives_a_renewal_that_failed(
    fake: FakeDifyServer, dify: AsyncDifyServer, fault: dict[str, Any]
) -> None:
    """There is no password to fall back on, and the refresh token may still be good."""
    await sign_in_by_code(fake, dify)
    fake.expire_access_tokens()
    struck = fake.inject("/refresh-token", **fault)
    for _ in range(2):
        with pytest.raises((DifyStatusError, DifyConnectionError), match="POST /refresh-token"):
            await dify.profile()
    struck.remove()
    await dify.profile()
    assert counted(fake) == (5, 0)


async def test_a_renewal_fails_where_passwords_are_not_taken(fake: FakeDifyServer) -> None:
    """The tokens are of a session by code, and of another process; they are kept."""
    fake._console.password_login = False
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


async def test_a_session_by_code_is_not_replaced_by_the_password_where_its_tokens_are_refused(
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
    """What stands in the store tells how it began, and no password is sent in the place of a code."""
    store = MemoryTokenStore()
    async with client(fake, token_store=store, password="none") as one:
        await sign_in_by_code(fake, one)
        fake.expire_access_tokens()
        await one.profile()  # renewed tokens tell it too
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


@pytest.mark.parametrize("fault", [*PASSING, {"status": 401, "body": b'{"message":"Invalid refresh token"}'}])
async def test_a_renewal_ahead_that_fails_takes_nothing_away(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """The token is good for a while; a password that was never accepted waits until it is not."""
    store = MemoryTokenStore()
    async with client(fake, token_store=store) as one:
        await one.profile()
    async with client(fake, token_store=store, password="wrong-Pass-1") as dify:
        await dify.profile()
        grant = dify._auth.grant
        assert grant is not None
        struck = fake.inject("/refresh-token", **fault)
        monkeypatch.setattr(grant, "renew_at", 0.0)
        await dify.profile()
        await until(lambda: struck.hits > 0)
        await until(lambda: not running())
        assert dify._auth.grant is grant
        await dify.profile()
    assert fake.count("POST", "/login") == 1


async def test_a_renewal_ahead_whose_token_is_dead_signs_in_where_the_password_is_known_to_be_right(
    fake: FakeDifyServer, dify: AsyncDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dify.profile()
    grant = dify._auth.grant
    assert grant is not None
    fake.inject("/refresh-token", status=401, body=b'{"result":"fail","message":"Invalid refresh token"}')
    monkeypatch.setattr(grant, "renew_at", 0.0)
    await dify.profile()
    await until(lambda: dify._auth.grant is not grant)
    await dify.profile()
    assert counted(fake) == (1, 2)


async def test_one_route_that_refuses_what_others_accept(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """It costs a renewal and a sign-in once a token, and not with each call; and it may come back."""
    await dify.apps()
    broken = fake.inject("/account/*", status=401, body=REFUSED)
    for _ in range(10):
        with pytest.raises(DifyAuthenticationError, match="Invalid token signature"):
            await dify.profile()
        await dify.apps()
    assert counted(fake) == (1, 2)
    assert broken.hits == 12
    fake.expire_access_tokens()
    await dify.apps()
    for _ in range(10):
        with pytest.raises(DifyAuthenticationError):
            await dify.profile()
        await dify.apps()
    assert counted(fake) == (3, 3)
    broken.remove()
    await dify.profile()
    assert counted(fake) == (3, 3)


async def test_a_route_refuses_a_new_token_that_others_have_accepted_meanwhile(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """Then it is the route, and one renewal was enough to see it."""
    await dify.apps()
    fake.inject("/account/*", status=401, body=REFUSED, times=1)
    slow = fake.inject("/account/*", status=401, body=REFUSED, delay=0.2)
    call = asyncio.create_task(dify.profile())
    await until(lambda: slow.hits == 1)
    await dify.apps()
    with pytest.raises(DifyAuthenticationError):
        await call
    assert counted(fake) == (1, 1)


async def test_one_route_that_refuses_what_others_accept_under_load(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    await dify.apps()
    fake.inject("/account/*", status=401, body=REFUSED)
    for _ in range(5):
        calls = [call() for _ in range(10) for call in (dify.profile, dify.apps)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in results] == [DifyAuthenticationError, list] * 10
    assert sum(counted(fake)) <= 1 + 3


async def can_still_be_renewed(fake: FakeDifyServer, store: MemoryTokenStore) -> bool:
    """Whether the session in a copy of the store lives at the server."""
    before = fake.count("POST", "/login")
    fake.expire_access_tokens()
    async with client(fake, token_store=store) as other:
        await other.profile()
    return fake.count("POST", "/login") == before


async def test_a_logout_with_an_access_token_that_has_ended(fake: FakeDifyServer) -> None:
    """1.11.2/02_logout_expired_token: a 401, and the refresh token would live on."""
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


async def test_calls_do_not_get_the_errors_of_a_logout_or_of_a_sign_in_by_code(fake: FakeDifyServer) -> None:
    """They wait for it, and then sign in by themselves."""
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


async def test_calls_behind_a_refused_login_send_the_password_no_more(fake: FakeDifyServer) -> None:
    async with client(fake, password="wrong-Pass-1") as dify:
        results = await asyncio.gather(
            dify.login(), *(dify.profile() for _ in range(5)), return_exceptions=True
        )
    assert {type(one) for one in results} == {DifyLoginError}
    assert fake.count("POST", "/login") == 1


async def test_leaving_ends_every_job_that_stands_in_line(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password, "_GRACE_AT_CLOSE", 0.05)
    async with client(fake) as dify:
        await dify.profile()
        slow = fake.inject("/logout", delay=30)
        jobs = [asyncio.create_task(job()) for job in (dify.logout, dify.login, dify.profile)]
        await until(lambda: slow.hits == 1)
    assert running() == []
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert not any(isinstance(one, asyncio.CancelledError) for one in results)
    assert fake.count("POST", "/login") == 1


async def test_refused_tokens_use_up_no_attempts(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Three refusals and three failures of the server in one call: each kind has a limit of its own."""
    await dify.profile()
    for _ in range(2):
        fake.inject("/account/*", status=503, times=1)
        fake.inject("/account/*", status=401, body=REFUSED, times=1)
    fake.inject("/account/*", status=503, times=1)
    await dify.profile()
    assert fake.count("GET", "/account/profile") == 1 + 6


async def test_a_call_whose_tokens_are_replaced_each_time_it_is_sent(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """It is slow, and others renew meanwhile: no reason to give up."""
    await dify.profile()
    slow = fake.inject("/account/*", status=401, body=REFUSED, delay=0.2, times=5)
    call = asyncio.create_task(dify.profile())
    for number in range(1, 6):
        await until(lambda number=number: slow.hits == number)  # type: ignore[misc]  # a lambda with a default
        fake.inject("/apps", status=401, body=REFUSED, times=1)
        await dify.apps()
    await call
    assert sum(counted(fake)) == 1 + 5


async def test_a_route_that_needs_no_session_is_not_asked_for_ever(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """A gateway before Dify may want a token of its own."""
    fake.inject("*", status=401, body=REFUSED)
    for call in (dify.system_features, dify.setup_status):
        with pytest.raises(DifyAuthenticationError, match="Invalid token signature"):
            await call()
    with pytest.raises(DifyAuthenticationError):
        await dify.request_login_code(fake.email)
    assert fake.count() == 3


async def test_a_route_that_was_refused_for_a_moment_is_renewed_for_again(
    fake: FakeDifyServer, dify: AsyncDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That others accept a token, is believed for a minute, and not until the token's end."""
    await dify.profile()
    csrf = b'{"code":"unauthorized","message":"CSRF token is missing or invalid.","status":401}'
    fake.inject("/apps", status=401, body=csrf, times=2)
    with pytest.raises(DifyAuthenticationError, match="CSRF"):
        await dify.apps()
    await dify.profile()
    await dify.apps()
    fake.expire_access_tokens()
    with pytest.raises(DifyAuthenticationError, match="expired"):
        await dify.apps()
    grant = dify._auth.grant
    assert isinstance(grant, TokenGrant)
    later = dict.fromkeys(grant._refused_by, 0.0)
    monkeypatch.setattr(grant, "_refused_by", later)
    await dify.apps()


async def test_a_password_that_is_refused_ahead_leaves_the_token_that_is_good(
    fake: FakeDifyServer, dify: AsyncDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dify.profile()
    grant = dify._auth.grant
    assert grant is not None
    fake._console.owner.password = "Another-Pass-1"
    fake.revoke_refresh_tokens()
    for _ in range(3):
        monkeypatch.setattr(grant, "renew_at", 0.0)
        await dify.profile()
        await until(lambda: not running())
    assert dify._auth.grant is grant
    assert counted(fake) == (1, 2)
    fake.expire_access_tokens()
    with pytest.raises(DifyLoginError):
        await dify.profile()
    assert fake.count("POST", "/login") == 2


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


async def test_a_call_behind_a_logout_sends_no_password_that_was_refused_meanwhile(
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


async def test_a_renewal_ahead_that_fails_is_not_tried_again_with_each_call(
    fake: FakeDifyServer, dify: AsyncDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dify.profile()
    grant = dify._auth.grant
    assert grant is not None
    struck = fake.inject("/refresh-token", status=503)
    monkeypatch.setattr(grant, "renew_at", 0.0)
    for _ in range(5):
        await dify.profile()
        await until(lambda: not running())
    assert struck.hits == 2
