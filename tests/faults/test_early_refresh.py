"""Tokens that expire soon are refreshed in the background, and no call waits for it."""

from __future__ import annotations

import gc
import time
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest

from dify_async import AsyncDifyServer, DifyLoginError, MemoryTokenStore
from dify_async._auth import session
from dify_async._auth.credentials import TokenCredentials
from dify_async.testing import FakeDifyServer
from tests.faults.support import PASSING, all_at_once
from tests.support import ONCE, client, counted, running, until


async def in_use(dify: AsyncDifyServer) -> TokenCredentials:
    """The credentials of a client that has made a call."""
    await dify.profile()
    assert isinstance(dify._auth.credentials, TokenCredentials)
    return dify._auth.credentials


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_clock_that_is_off(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """The expiry may be wrong: at worst that causes one more refresh in the background."""
    skewed = SimpleNamespace(time=lambda: time.time() + hours * 3600, monotonic=time.monotonic)
    monkeypatch.setattr(session, "time", skewed)
    store = MemoryTokenStore()
    for _ in range(2):
        async with client(fake, token_store=store) as dify:
            for _ in range(5):
                await dify.profile()
    assert counted(fake) in {(0, 1), (1, 1)}
    async with client(fake, token_store=store) as dify:
        fake.expire_access_tokens()
        await dify.profile()
    assert fake.count("POST", "/login") == 1
    assert fake.count("POST", "/refresh-token") <= 3


async def test_a_token_that_expires_soon_is_refreshed_once_in_the_background(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """The others use it in the meantime."""
    credentials = await in_use(dify)
    slow = fake.inject("/refresh-token", delay=0.2)
    credentials.refresh_at = 0.0
    await all_at_once(dify, 20)
    assert dify._auth.credentials is credentials  # no call waited for it
    await until(lambda: dify._auth.credentials is not credentials)
    await dify.profile()
    assert slow.hits == 1
    assert counted(fake) == (1, 1)
    assert not any(request.status == 401 for request in fake.requests)


async def test_a_failed_refresh_in_the_background_is_not_raised(
    fake: FakeDifyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A call whose token is rejected in the meantime starts its own refresh."""
    async with client(fake, retry=ONCE) as dify:
        credentials = await in_use(dify)
        credentials.refresh_at = 0.0
        failing = fake.inject("/refresh-token", status=500, delay=0.2, times=2)  # it tries twice
        await dify.profile()
        await until(lambda: failing.hits == 1)
        fake.expire_access_tokens()
        await all_at_once(dify, 5)
    gc.collect()
    assert [record.name for record in caplog.records if record.name == "asyncio"] == []
    assert counted(fake) == (3, 1)


async def test_a_date_past_the_end_of_new_tokens_tells_nothing(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """A proxy's clock is two hours ahead; this does not cause a refresh per call."""
    ahead = formatdate(time.time() + 7200, usegmt=True)
    fake.inject("*", headers={"Date": ahead})
    for _ in range(10):
        await dify.profile()
    assert counted(fake) == (0, 1)


@pytest.mark.parametrize("fault", [*PASSING, {"status": 401, "body": b'{"message":"Invalid refresh token"}'}])
async def test_a_failed_early_refresh_keeps_the_credentials(
    fake: FakeDifyServer, fault: dict[str, Any]
) -> None:
    """The token is still valid; a password that was never accepted is not sent before it expires."""
    store = MemoryTokenStore()
    async with client(fake, token_store=store) as one:
        await one.profile()
    async with client(fake, token_store=store, password="wrong-Pass-1") as dify:
        credentials = await in_use(dify)
        struck = fake.inject("/refresh-token", **fault)
        credentials.refresh_at = 0.0
        await dify.profile()
        await until(lambda: struck.hits > 0)
        await until(lambda: not running())
        assert dify._auth.credentials is credentials
        await dify.profile()
    assert fake.count("POST", "/login") == 1


async def test_an_early_refresh_with_an_invalid_token_logs_in_if_the_password_was_accepted(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    credentials = await in_use(dify)
    fake.inject("/refresh-token", status=401, body=b'{"result":"fail","message":"Invalid refresh token"}')
    credentials.refresh_at = 0.0
    await dify.profile()
    await until(lambda: dify._auth.credentials is not credentials)
    await dify.profile()
    assert counted(fake) == (1, 2)


async def test_a_password_rejected_early_leaves_the_valid_token(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    credentials = await in_use(dify)
    fake.password = "Another-Pass-1"
    fake.revoke_refresh_tokens()
    for _ in range(3):
        credentials.refresh_at = 0.0
        await dify.profile()
        await until(lambda: not running())
    assert dify._auth.credentials is credentials
    assert counted(fake) == (1, 2)
    fake.expire_access_tokens()
    with pytest.raises(DifyLoginError):
        await dify.profile()
    assert fake.count("POST", "/login") == 2


async def test_a_failed_early_refresh_is_not_retried_by_each_call(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    credentials = await in_use(dify)
    struck = fake.inject("/refresh-token", status=503)
    credentials.refresh_at = 0.0
    for _ in range(5):
        await dify.profile()
        await until(lambda: not running())
    assert struck.hits == 2
