"""Calls whose tokens are refused: by one route alone, or again and again."""

from __future__ import annotations

import asyncio

import pytest

from dify_async import AsyncDifyServer, DifyAuthenticationError
from dify_async._auth.grant import TokenGrant
from dify_async.testing import FakeDifyServer
from tests.support import counted, until

REFUSED = b'{"code":"unauthorized","message":"Invalid token signature.","status":401}'


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
    grant = dify._auth.credentials
    assert isinstance(grant, TokenGrant)
    later = dict.fromkeys(grant._refused_by, 0.0)
    monkeypatch.setattr(grant, "_refused_by", later)
    await dify.apps()
