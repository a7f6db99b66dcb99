"""Changes that were certainly not sent, and caller's sessions that cannot be used."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyConnectionError,
    DifyError,
    DifyTimeoutError,
    DifyUnknownOutcomeError,
    RetryPolicy,
)
from dify_async.testing import FakeDifyServer
from tests.support import ONCE, an_app, client


@pytest.fixture
def version() -> str:
    return "1.11.2"


async def test_changes_that_wait_for_a_connection_of_the_callers_session(fake: FakeDifyServer) -> None:
    """aiohttp#2648: after a timeout while waiting for a free connection, the call is retried."""
    app = an_app(fake)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
        client(fake, session=session, timeout=1.0, retry=RetryPolicy(attempts=20, base_delay=0.01)) as dify,
    ):
        await dify.profile()
        fake.inject("/apps/*", "POST", delay=0.4)
        results = await asyncio.gather(
            *(dify.init_app_api_key(app) for _ in range(6)), return_exceptions=True
        )
        made = [one for one in results if not isinstance(one, BaseException)]
        unknown = [one for one in results if isinstance(one, DifyUnknownOutcomeError)]
        assert len(made) + len(unknown) == fake.count("POST", "/apps/*") == 6
        assert len(made) <= len(await dify.get_app_api_key(app)) <= fake.count("POST", "/apps/*")


class Hanging(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        await asyncio.Event().wait()
        raise AssertionError(host, port, family)

    async def close(self) -> None:
        """Nothing to close."""


async def test_a_host_name_that_never_resolves(fake: FakeDifyServer) -> None:
    connector = aiohttp.TCPConnector(resolver=Hanging())
    url = fake.base_url.replace("127.0.0.1", "dify.example.com")
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        AsyncDifyServer(
            url, fake.email, fake.password, session=session, server_version="1.11.2", timeout=0.1, retry=ONCE
        ) as dify,
    ):
        with pytest.raises(DifyTimeoutError, match=r"timed out after 0\.1 s\. Is the") as failed:
            await dify.profile()
        assert not failed.value.sent


async def test_a_session_that_is_closed_while_the_client_is_open(fake: FakeDifyServer) -> None:
    session = aiohttp.ClientSession()
    async with client(fake, session=session, retry=ONCE) as dify:
        await dify.profile()
        await session.close()
        for call in (dify.profile(), dify.init_app_api_key(an_app(fake))):
            with pytest.raises(DifyError, match="session passed in was closed") as failed:
                await call
            assert not isinstance(failed.value, DifyConnectionError)


def test_a_session_of_another_event_loop() -> None:
    async def made() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    async def use(session: aiohttp.ClientSession) -> None:
        async with AsyncDifyServer("http://127.0.0.1:9", "a@example.com", "secret", session=session) as dify:
            await dify.profile()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        session = first.run(made())
        with pytest.raises(DifyConfigError, match="another event loop"):
            second.run(use(session))
        first.run(session.close())


@pytest.mark.parametrize("status", [520, 522, 524])
async def test_cloudflare_lost_the_answer(fake: FakeDifyServer, dify: AsyncDifyServer, status: int) -> None:
    fake.inject("/apps/*", "POST", status=status, body=b"<html>error</html>")
    with pytest.raises(DifyUnknownOutcomeError):
        await dify.init_app_api_key(an_app(fake))
    assert fake.count("POST", "/apps/*") == 1


async def test_no_error_keeps_what_was_sent(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Some aiohttp errors hold the request's headers, and so the token."""
    await dify.profile()
    fake.inject("/account/*", cut="before")
    with pytest.raises(DifyConnectionError) as failed:
        await dify.profile()
    error: BaseException | None = failed.value
    while error is not None:
        assert type(error).__module__.startswith("dify_async")
        error = error.__cause__ or error.__context__


class Unencodable(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        raise UnicodeError(f"encoding with 'idna' codec failed: {host} {port} {family}")

    async def close(self) -> None:
        """Nothing to close."""


async def test_a_host_name_that_the_resolver_cannot_encode(fake: FakeDifyServer) -> None:
    """requests#5367: without conversion, a UnicodeError escapes `except DifyError`."""
    connector = aiohttp.TCPConnector(resolver=Unencodable())
    url = fake.base_url.replace("127.0.0.1", "dify.example.com")
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        AsyncDifyServer(url, admin_api_key="key", workspace_id="w", session=session) as dify,
    ):
        for call in (dify.profile(), dify.init_dataset_api_key()):
            with pytest.raises(DifyConnectionError, match="the host name is invalid") as failed:
                await call
            assert (failed.value.sent, failed.value.may_pass) == (False, False)
