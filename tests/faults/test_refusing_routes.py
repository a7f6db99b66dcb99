"""Calls whose tokens are rejected: by a single route, or repeatedly."""

from __future__ import annotations

import asyncio

import pytest

from dify_async import AsyncDifyServer, DifyAuthenticationError
from dify_async._auth.credentials import TokenCredentials
from dify_async.testing import FakeDifyServer
from tests.support import counted, until

REJECTED = b'{"code":"unauthorized","message":"Invalid token signature.","status":401}'


async def test_one_route_rejects_tokens_that_others_accept(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """This costs one refresh and one login per token, not per call; the route may recover."""
    await dify.apps()
    broken = fake.inject("/account/*", status=401, body=REJECTED)
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


async def test_a_route_rejects_a_new_token_that_another_route_has_accepted(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """One refresh is enough to find that the route is the cause."""
    await dify.apps()
    fake.inject("/account/*", status=401, body=REJECTED, times=1)
    slow = fake.inject("/account/*", status=401, body=REJECTED, delay=0.2)
    call = asyncio.create_task(dify.profile())
    await until(lambda: slow.hits == 1)
    await dify.apps()
    with pytest.raises(DifyAuthenticationError):
        await call
    assert counted(fake) == (1, 1)


async def test_one_route_rejects_tokens_that_others_accept_under_load(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    await dify.apps()
    fake.inject("/account/*", status=401, body=REJECTED)
    for _ in range(5):
        calls = [call() for _ in range(10) for call in (dify.profile, dify.apps)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in results] == [DifyAuthenticationError, list] * 10
    # A refresh and a login; and once more for calls that waited for a slot, and began with new credentials.
    assert sum(counted(fake)) <= 1 + 4


async def test_rejected_tokens_do_not_use_up_attempts(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Rejected tokens and server errors in one call are limited separately."""
    await dify.profile()
    for _ in range(2):
        fake.inject("/account/*", status=503, times=1)
        fake.inject("/account/*", status=401, body=REJECTED, times=1)
    fake.inject("/account/*", status=503, times=1)
    await dify.profile()
    assert fake.count("GET", "/account/profile") == 1 + 6


async def test_a_slow_call_whose_token_is_replaced_during_each_attempt(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """Other calls refresh the token in the meantime, so the call does not give up."""
    await dify.profile()
    slow = fake.inject("/account/*", status=401, body=REJECTED, delay=0.2, times=5)
    call = asyncio.create_task(dify.profile())
    for number in range(1, 6):
        await until(lambda number=number: slow.hits == number)  # type: ignore[misc]  # a lambda with a default
        fake.inject("/apps", status=401, body=REJECTED, times=1)
        await dify.apps()
    await call
    assert sum(counted(fake)) == 1 + 5


async def test_a_401_of_a_route_without_authentication_is_not_retried(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """A gateway in front of Dify may require its own token."""
    fake.inject("*", status=401, body=REJECTED)
    for call in (dify.system_features, dify.setup_status):
        with pytest.raises(DifyAuthenticationError, match="Invalid token signature"):
            await call()
    with pytest.raises(DifyAuthenticationError):
        await dify.request_login_code(fake.email)
    assert fake.count() == 3


async def test_a_route_that_rejected_tokens_briefly_gets_a_refresh_later(
    fake: FakeDifyServer, dify: AsyncDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client trusts for a minute that other routes accept a token, not until the token expires."""
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
    assert isinstance(grant, TokenCredentials)
    later = dict.fromkeys(grant.rejected_by, 0.0)
    monkeypatch.setattr(grant, "rejected_by", later)
    await dify.apps()
