"""Clients of the same account share its tokens; clients of different accounts do not."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from dify_async import (
    AsyncDifyServer,
    MemoryTokenStore,
    RedisTokenStore,
    TokenStore,
)
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import QUICK, client, running, until


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, redis_server: RedisServer) -> TokenStore:
    return MemoryTokenStore() if request.param == "memory" else RedisTokenStore(redis_server.url)


async def close(store: TokenStore) -> None:
    if isinstance(store, RedisTokenStore):
        await store.aclose()


async def test_one_account_on_one_server_in_any_spelling(store: TokenStore) -> None:
    """dify-spring-boot-starter: one key for all."""
    async with FakeDifyServer() as fake:
        url = fake.base_url
        for spelling in (url, url + "/", url + "/console/api", url.upper().replace("HTTP", "http")):
            async with AsyncDifyServer(spelling, fake.email, fake.password, token_store=store) as dify:
                await dify.profile()
        assert fake.count("POST", "/login") == 1
    await close(store)


async def test_two_accounts_and_two_servers(store: TokenStore) -> None:
    async with FakeDifyServer() as one, FakeDifyServer() as two:
        for fake in (one, two):
            fake.add_account("second@example.com", "Secret-Pass-2")
            for email, password in ((fake.email, fake.password), ("second@example.com", "Secret-Pass-2")):
                async with AsyncDifyServer(fake.base_url, email, password, token_store=store) as dify:
                    assert (await dify.profile()).email == email
            assert fake.count("POST", "/login") == 2
    await close(store)


async def test_clients_share_a_refresh(store: TokenStore) -> None:
    async with (
        FakeDifyServer() as fake,
        client(fake, token_store=store) as one,
        client(fake, token_store=store) as two,
    ):
        await one.profile()
        await two.profile()
        fake.expire_access_tokens()
        await asyncio.gather(*(dify.profile() for dify in (one, two) for _ in range(10)))
        assert fake.count("POST", "/login") == 1
        assert fake.count("POST", "/refresh-token") == 1
    await close(store)


async def test_a_store_passed_in_is_not_closed_and_one_by_environment_is(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIFY_REDIS_URL", redis_server.url)
    async with FakeDifyServer() as fake:
        for _ in range(2):
            async with AsyncDifyServer(fake.base_url, fake.email, fake.password) as dify:
                await dify.profile()
        assert fake.count("POST", "/login") == 1
    with redis_server.admin() as admin:
        await until(lambda: len(admin.client_list()) == 1)  # this one; Redis has to notice an end


@pytest.mark.slow
async def test_processes_share_one_login(redis_server: RedisServer) -> None:
    script = """
import asyncio, sys
from dify_async import AsyncDifyServer
async def main():
    async with AsyncDifyServer(*sys.argv[1:4]) as dify:
        await asyncio.gather(*(dify.profile() for _ in range(5)))
asyncio.run(main())
"""
    async with FakeDifyServer() as fake:
        arguments = [sys.executable, "-c", script, fake.base_url, fake.email, fake.password]
        environment = {"DIFY_REDIS_URL": redis_server.url, "PYTHONPATH": ":".join(sys.path)}
        processes = [
            await asyncio.create_subprocess_exec(*arguments, env=environment, stderr=subprocess.PIPE)
            for _ in range(3)
        ]
        for process in processes:
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
        assert fake.count("GET", "/account/profile") == 15
        assert fake.count("POST", "/login") == 1


async def test_a_steady_call_asks_the_store_for_nothing(redis_server: RedisServer) -> None:
    store = RedisTokenStore(redis_server.url)
    async with FakeDifyServer() as fake, client(fake, token_store=store, retry=QUICK) as dify:
        await dify.profile()
        await until(lambda: not running())
        with redis_server.admin() as admin:
            before = _commands(admin.info("commandstats"))
            await asyncio.gather(*(dify.profile() for _ in range(50)))
            after = _commands(admin.info("commandstats"))
        assert before == after
    await store.aclose()


def _commands(statistics: object) -> dict[str, object]:
    assert isinstance(statistics, dict)
    return {name: value["calls"] for name, value in statistics.items() if name != "cmdstat_info"}
