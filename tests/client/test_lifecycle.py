"""Opening and closing clients, and the resources that they own."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import anyio
import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConnectionError,
    DifyError,
    DifyUnknownOutcomeError,
    MemoryTokenStore,
)
from dify_async.testing import FakeDifyServer
from tests.support import QUICK, an_app, client, until


@pytest.fixture
def version() -> str:
    return "1.11.2"


async def test_a_call_outside_of_the_context_says_so(fake: FakeDifyServer) -> None:
    dify = client(fake)
    for call in (dify.profile, dify.version, dify.login, dify.logout, dify.apps):
        with pytest.raises(DifyError, match="async with"):
            await call()
    async with dify:
        await dify.profile()
    with pytest.raises(DifyError, match="async with"):
        await dify.profile()
    assert fake.count() == 3


async def test_entering_twice_is_an_error(dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyError, match="open already"):
        async with dify:
            pass
    await dify.profile()


async def test_entering_again_works_and_needs_no_new_sign_in(fake: FakeDifyServer) -> None:
    dify = client(fake)
    for _ in range(3):
        async with dify:
            await dify.profile()
    assert fake.count("POST", "/login") == 1


async def test_opening_and_closing_without_a_block(fake: FakeDifyServer) -> None:
    dify = client(fake)
    await dify.aclose()  # a client that was never open
    for _ in range(2):
        assert await dify.open() is dify
        with pytest.raises(DifyError, match="open already"):
            await dify.open()
        await dify.profile()
        for _ in range(2):
            await dify.aclose()
        with pytest.raises(DifyError, match=r"call open\(\) first"):
            await dify.profile()
    assert fake.count("POST", "/login") == 1
    async with dify:
        await dify.aclose()


async def test_closing_twice_at_the_same_time(fake: FakeDifyServer) -> None:
    """Each of them returns once the client is closed."""
    dify = await client(fake).open()
    await dify.profile()
    before = asyncio.all_tasks()
    await asyncio.gather(dify.aclose(), dify.aclose())
    assert dify._transport._session is None
    assert asyncio.all_tasks() <= before


async def test_opening_twice_at_the_same_time(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them raises, and no session is left open."""
    monkeypatch.setenv("DIFY_REDIS_URL", "redis://127.0.0.1:1")  # redis is imported in a thread
    dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
    results = await asyncio.gather(dify.open(), dify.open(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["AsyncDifyServer", "DifyError"]
    await dify.aclose()


async def test_leaving_closes_all_connections_and_tasks(fake: FakeDifyServer) -> None:
    before = asyncio.all_tasks()
    async with client(fake) as dify:
        await asyncio.gather(*(dify.profile() for _ in range(20)))
    left = {task for task in asyncio.all_tasks() - before if "aiohttp/web_" not in repr(task)}
    assert left == set()


def test_a_second_event_loop() -> None:
    """httpx#2473: a client that was created or used in one event loop works in the next."""
    dify = AsyncDifyServer("http://127.0.0.1:1", "a@example.com", "p", retry=QUICK)

    async def use() -> str:
        async with FakeDifyServer() as fake, client(fake) as other:
            await other.profile()
            with pytest.raises(DifyConnectionError):
                async with dify:
                    await dify.profile()
            return await other.version()

    assert asyncio.run(use()) == asyncio.run(use()) == "1.11.2"


def test_the_same_client_in_two_event_loops() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dify = AsyncDifyServer(f"http://127.0.0.1:{port}", "a@example.com", "Secret-1", retry=QUICK)

    async def serve_and_call() -> int:
        async with FakeDifyServer(email="a@example.com", password="Secret-1", port=port) as fake, dify:
            await asyncio.gather(*(dify.profile() for _ in range(20)))
            return fake.count("POST", "/login")

    assert asyncio.run(serve_and_call()) == 1
    assert asyncio.run(serve_and_call()) == 1  # the new fake knows no token of the old one


def test_an_open_client_in_another_event_loop_says_so() -> None:
    loop, other = asyncio.new_event_loop(), asyncio.new_event_loop()
    dify = AsyncDifyServer("http://127.0.0.1:1", "a@example.com", "p", token_store=MemoryTokenStore())
    try:
        loop.run_until_complete(dify.__aenter__())
        with pytest.raises(DifyError, match="another event loop"):
            other.run_until_complete(dify.profile())
        loop.run_until_complete(dify.__aexit__(None, None, None))
    finally:
        loop.close()
        other.close()


async def test_a_session_passed_in_is_used_and_not_closed(fake: FakeDifyServer) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with client(fake, session=session) as dify:
                await dify.profile()
        assert not session.closed
        assert session.connector is not None
        assert not session.connector.closed
        async with session.get(fake.base_url + "/console/api/ping") as answer:
            assert answer.status == 200
    # The connection was shared: two clients and the caller.
    assert fake.connections_opened == 1


async def test_cookies_of_a_session_passed_in_stay_out_and_ours_too(fake: FakeDifyServer) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        jar.update_cookies({"access_token": "garbage", "other": "1"})
        async with client(fake, session=session) as dify:
            await dify.profile()
        assert {cookie.key: cookie.value for cookie in jar} == {"access_token": "garbage", "other": "1"}
    sent = [request.headers.get("Cookie", "") for request in fake.requests]
    assert not any("garbage" in cookie or "other" in cookie for cookie in sent)


async def test_closing_under_calls(fake: FakeDifyServer) -> None:
    """They end at once with an error; for a change, the error says that its outcome is unknown."""
    dify = client(fake, max_concurrency=2)
    app = an_app(fake)
    errors: list[BaseException] = []

    async def call(make: bool) -> None:  # noqa: FBT001
        try:
            await (dify.init_app_api_key(app) if make else dify.profile())
        except DifyError as error:
            errors.append(error)

    async with anyio.create_task_group() as group, dify:
        await dify.profile()
        fake.inject(path="/*", delay=30.0)
        for make in (True, False, False, False):
            group.start_soon(call, make)
        await until(lambda: fake.count() == 5)
    assert len(errors) == 4
    assert sum(isinstance(error, DifyUnknownOutcomeError) for error in errors) == 1
    assert all("closed" in str(e) for e in errors if not isinstance(e, DifyUnknownOutcomeError))


async def test_a_base_path(version: str) -> None:
    async with FakeDifyServer(version, base_path="/dify") as fake:
        for url in (fake.base_url, fake.base_url + "/", fake.base_url + "/console/api"):
            async with AsyncDifyServer(url, fake.email, fake.password) as dify:
                await dify.profile()


async def test_the_pool_drops_idle_connections_before_the_server_does(fake: FakeDifyServer) -> None:
    """Dify's gunicorn closes idle connections after 2.0 s, and each occupies one of its 10 slots."""
    async with client(fake) as dify:
        await dify.profile()
        session = dify._transport._session
        assert session is not None
        assert isinstance(session.connector, aiohttp.TCPConnector)
        # aiohttp looks once in this time, so a connection is kept for twice as long at most.
        kept = session.connector._keepalive_timeout
        assert kept is not None
        assert kept * 2 <= 1.5
