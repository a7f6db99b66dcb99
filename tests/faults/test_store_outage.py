"""A token store that fails: calls continue with tokens in memory, and Redis is used again once it works."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import anyio
import pytest

from dify_async import RedisTokenStore, StoreUp, redis_store
from dify_async._auth import fallback_store
from dify_async.testing import FakeDifyServer
from tests.faults.proxy import SlowProxy
from tests.redis_server import RedisServer
from tests.support import client, until

PATIENCE = 4.0  # 2 s, and as much for a busy machine


@pytest.fixture
def version() -> str:
    return "1.11.2"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback_store, "_PAUSE", 0.1)


@pytest.fixture
async def slow_redis(redis_server: RedisServer) -> AsyncIterator[SlowProxy]:
    async with SlowProxy(redis_server).serve() as proxy:
        yield proxy


@contextmanager
def one_warning(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """One warning per outage."""
    caplog.clear()
    yield
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.name for record in warnings] == ["dify_async"]
    assert "does not work" in warnings[0].getMessage()


async def in_time(*calls: Callable[[], object]) -> None:
    """Await each call; none waits long for Redis."""
    for call in calls:
        began = time.monotonic()
        await call()  # type: ignore[misc]  # of methods with any answer
        assert time.monotonic() - began < PATIENCE


def test_a_call_waits_at_most_2_s_for_redis() -> None:
    """To load and save, to take the lock, and to give up a lock that may have been taken."""
    waits = (fallback_store._PATIENCE, redis_store._COMMAND_TIMEOUT, redis_store._GIVE_UP_TIMEOUT)
    assert sum(waits) <= 2.0


async def test_redis_is_down_at_the_start_and_comes_up(
    fake: FakeDifyServer, caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer()
    store = RedisTokenStore(server.url)
    seen: list[object] = []
    try:
        async with client(fake, token_store=store, on_event=seen.append) as dify:
            with one_warning(caplog):
                await in_time(dify.profile)
                fake.expire_access_tokens()
                await in_time(dify.profile)
                assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 1)
                server.start()
                await until(lambda: StoreUp() in seen)
            with server.admin() as admin:
                await until(lambda: admin.keys("*:tokens") != [])
        async with client(fake, token_store=store) as dify:
            await dify.profile()
        assert fake.count("POST", "/login") == 1
        await store.aclose()
    finally:
        server.close()


async def test_redis_is_killed_while_in_use_and_restarted(
    fake: FakeDifyServer, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[object] = []
    with RedisServer() as server:
        store = RedisTokenStore(server.url)
        async with client(fake, token_store=store, on_event=seen.append) as dify:
            await dify.profile()
            server.kill()
            with one_warning(caplog):
                await in_time(dify.profile)
                fake.expire_access_tokens()
                await in_time(*[dify.profile] * 3)
                fake.expire_access_tokens()
                await in_time(*[dify.profile] * 3)
                server.start()
                await until(lambda: StoreUp() in seen)
            with server.admin() as admin:
                await until(lambda: admin.keys("*:tokens") != [])
            assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 2)
        async with client(fake, token_store=store) as dify:
            await dify.profile()
        assert fake.count("POST", "/login") == 1
        await store.aclose()


async def test_redis_takes_5_s_a_command(
    fake: FakeDifyServer, slow_redis: SlowProxy, caplog: pytest.LogCaptureFixture
) -> None:
    slow_redis.delay = 5.0
    store = RedisTokenStore(slow_redis.url)
    async with client(fake, token_store=store) as dify:
        with one_warning(caplog):
            await in_time(dify.profile)
            fake.expire_access_tokens()
            await in_time(lambda: asyncio.gather(*(dify.profile() for _ in range(20))))
            assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 1)
    await store.aclose()


async def test_redis_becomes_slow_while_the_lock_is_held(fake: FakeDifyServer, slow_redis: SlowProxy) -> None:
    store = RedisTokenStore(slow_redis.url)
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        fake.expire_access_tokens()
        refreshing = fake.inject("/refresh-token", delay=0.1)
        async with anyio.create_task_group() as group:
            group.start_soon(in_time, dify.profile)
            await until(lambda: refreshing.hits == 1)
            slow_redis.delay = 5.0
        slow_redis.delay = 0.0
        assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 1)
    await store.aclose()


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["CONFIG", "SET", "maxmemory", "1"], id="full"),
        pytest.param(["REPLICAOF", "127.0.0.1", "1"], id="read-only"),
        pytest.param(["ACL", "SETUSER", "default", "-eval"], id="without the right to lock"),
    ],
)
async def test_redis_takes_no_writes(
    fake: FakeDifyServer, caplog: pytest.LogCaptureFixture, command: list[str]
) -> None:
    with RedisServer() as server:
        with server.admin() as admin:
            admin.execute_command(*command)
        store = RedisTokenStore(server.url)
        async with client(fake, token_store=store) as dify:
            with one_warning(caplog):
                await in_time(dify.profile)
                fake.expire_access_tokens()
                await in_time(*[dify.profile] * 3)
        assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 1)
        await store.aclose()


async def test_the_password_of_redis_is_wrong(fake: FakeDifyServer, caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer("--requirepass", "right") as server:
        store = RedisTokenStore(f"unix://:wrong-Secret@{server.socket}")
        async with client(fake, token_store=store) as dify:
            with one_warning(caplog):
                await in_time(dify.profile)
                fake.expire_access_tokens()
                await in_time(dify.profile)
        assert "wrong-Secret" not in caplog.text
        assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 1)
        await store.aclose()


async def test_redis_holds_another_kind_of_value(
    fake: FakeDifyServer, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """WRONGTYPE is an outage like any other."""
    store = RedisTokenStore(redis_server.url)
    async with client(fake, token_store=store) as dify:
        await dify.profile()
    with redis_server.admin() as admin:
        (name,) = admin.keys("*:tokens")
        admin.delete(name)
        admin.lpush(name, "1")
    async with client(fake, token_store=store) as dify:
        with one_warning(caplog):
            await in_time(dify.profile)
    await store.aclose()


@pytest.mark.slow
async def test_a_process_is_killed_while_it_holds_the_lock(
    fake: FakeDifyServer, redis_server: RedisServer
) -> None:
    """redis-py#3847: another process refreshes within the lock timeout."""
    holder = """
import asyncio, sys
from dify_async import RedisTokenStore
async def main():
    async with RedisTokenStore(sys.argv[1], lock_timeout=1.0).lock(sys.argv[2]):
        print("held", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
    store = RedisTokenStore(redis_server.url, lock_timeout=1.0)
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        with redis_server.admin() as admin:
            (name,) = admin.keys("*:tokens")
        key = name.decode().partition("{")[2].partition("}")[0]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            holder,
            redis_server.url,
            key,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"held\n"
        process.kill()
        await process.wait()
        fake.expire_access_tokens()
        with anyio.fail_after(60):
            await asyncio.gather(*(dify.profile() for _ in range(5)))
    assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 1)
    await store.aclose()


@pytest.mark.slow
async def test_a_redis_client_passed_in_belongs_to_another_event_loop(redis_server: RedisServer) -> None:
    """aiobotocore#807: the client continues with tokens in memory, and reports it."""
    script = """
import asyncio, sys
import redis.asyncio
from dify_async import RedisTokenStore, StoreDown, StoreUp
from dify_async.testing import FakeDifyServer
from tests.support import client
store = RedisTokenStore(redis.asyncio.Redis(unix_socket_path=sys.argv[1]))
async def use():
    seen = []
    async with FakeDifyServer() as fake, client(fake, token_store=store, on_event=seen.append) as dify:
        await dify.profile()
        fake.expire_access_tokens()
        await dify.profile()
        told = [type(event).__name__ for event in seen if isinstance(event, StoreDown | StoreUp)]
        print(fake.count("POST", "/login"), *told)
asyncio.run(use())
asyncio.run(use())
"""
    # In a subprocess, because the unclosed client causes warnings when it is garbage-collected.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        redis_server.socket,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    first, second = output.decode().splitlines()
    assert first == "1"
    # How the ended loop left the connection decides whether a command fails; the next one connects anew.
    assert second in {"1", "1 StoreDown", "1 StoreDown StoreUp"}
