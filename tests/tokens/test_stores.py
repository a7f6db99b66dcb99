"""The behavior of both stores, and that of Redis only."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
import redis.asyncio
from cryptography.fernet import Fernet

from dify_async import (
    LoginAttempts,
    MemoryTokenStore,
    RedisTokenStore,
    StoredValue,
    Tokens,
    TokenStore,
)
from tests.redis_server import RedisServer
from tests.support import until

TOKENS = Tokens(
    access_token="access-secret",
    refresh_token="refresh-secret",
    csrf_token="csrf-secret",
    expires_at=1795575178,
    cookie_names={"access_token": "__Host-access_token"},
)
OTHER = Tokens(access_token="a", refresh_token="r")


@pytest.fixture(params=["memory", "redis url", "redis client", "redis client with text"])
async def store(request: pytest.FixtureRequest, redis_server: RedisServer) -> AsyncIterator[TokenStore]:
    kind = request.param
    if kind == "memory":
        yield MemoryTokenStore()
    elif kind == "redis url":
        by_url = RedisTokenStore(redis_server.url)
        yield by_url
        await by_url.aclose()
    else:
        client = redis.asyncio.Redis(
            unix_socket_path=redis_server.socket, decode_responses=kind == "redis client with text"
        )
        async with client:
            by_client = RedisTokenStore(client)
            yield by_client
            await by_client.aclose()
            await client.ping()  # a client passed in is not closed


async def test_saved_tokens_are_loaded(store: TokenStore) -> None:
    assert await store.load("a") is None
    await store.save("a", TOKENS)
    assert await store.load("a") == TOKENS
    assert await store.load("b") is None
    await store.save("a", OTHER)
    assert await store.load("a") == OTHER
    await store.clear("a")
    assert await store.load("a") is None
    await store.clear("a")


async def test_the_lock_is_held_by_one(store: TokenStore) -> None:
    inside = 0

    async def use() -> None:
        nonlocal inside
        async with store.lock("a"):
            inside += 1
            assert inside == 1
            await anyio.sleep(0.002)
            inside -= 1

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(use)


async def test_locks_of_two_keys_are_two(store: TokenStore) -> None:
    async with store.lock("a"), store.lock("b"):
        pass


async def test_the_lock_is_released_after_an_error_and_a_cancellation(store: TokenStore) -> None:
    with pytest.raises(KeyError):
        async with store.lock("a"):
            raise KeyError
    with anyio.move_on_after(0.05):
        async with store.lock("a"):
            await anyio.sleep_forever()
    with anyio.fail_after(60):
        async with store.lock("a"):
            pass


async def test_waiting_for_the_lock_may_be_cancelled(store: TokenStore) -> None:
    async with store.lock("a"):
        with anyio.move_on_after(0.05) as scope:
            async with store.lock("a"):
                pass
        assert scope.cancelled_caught
    with anyio.fail_after(60):
        async with store.lock("a"):
            pass


async def test_no_secret_in_its_repr(store: TokenStore) -> None:
    await store.save("a", TOKENS)
    assert "secret" not in repr(store)
    assert "secret" not in repr(TOKENS)


def test_a_memory_store_outlives_an_event_loop() -> None:
    store = MemoryTokenStore()

    async def contend() -> None:
        async def use() -> None:
            async with store.lock("a"):
                await asyncio.sleep(0)

        await asyncio.gather(use(), use(), use())
        await store.save("a", TOKENS)

    asyncio.run(contend())
    asyncio.run(contend())


def test_a_redis_store_by_url_outlives_an_event_loop(redis_server: RedisServer) -> None:
    store = RedisTokenStore(redis_server.url)

    async def use() -> StoredValue | None:
        await store.save("a", TOKENS)
        tokens = await store.load("a")
        await store.aclose()
        return tokens

    assert asyncio.run(use()) == TOKENS
    assert asyncio.run(use()) == TOKENS


async def test_many_at_once(redis_server: RedisServer) -> None:
    """redis.asyncio's own pool fails 400 of them with MaxConnectionsError."""
    store = RedisTokenStore(redis_server.url)
    await store.save("a", TOKENS)
    assert await asyncio.gather(*(store.load("a") for _ in range(200))) == [TOKENS] * 200
    await store.aclose()


async def test_the_keys_in_redis(redis_server: RedisServer) -> None:
    """One key per account, which expires with its refresh token, and one hash tag for clusters."""
    store = RedisTokenStore(redis_server.url, prefix="mine:")
    async with store.lock("k"):
        await store.save("k", TOKENS)
        with redis_server.admin() as admin:
            keys: Any = admin.keys()
            assert set(keys) == {b"mine:{k}:tokens", b"mine:{k}:lock"}
            # Taken for a short time, and extended once it is known to be held.
            await until(lambda: 25_000 < int(admin.pttl("mine:{k}:lock")) <= 30_000)
    with redis_server.admin() as admin:
        keys = admin.keys()
        assert keys == [b"mine:{k}:tokens"]
        ttl: Any = admin.ttl("mine:{k}:tokens")
        assert 29 * 86_400 < ttl <= 30 * 86_400
    await store.aclose()


async def test_invalid_data_is_ignored_and_replaced(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisTokenStore(redis_server.url)
    for invalid in (b"", b"invalid", b"\xff\x00", b"[" * 100_000, b'{"access_token":5}'):
        with redis_server.admin() as admin:
            admin.set("dify_async:{a}:tokens", invalid)
        async with store.lock("a"):
            assert await store.load("a") is None
            await store.save("a", TOKENS)
        assert await store.load("a") == TOKENS
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 5
    await store.aclose()


async def test_a_holder_that_lost_the_lock_does_not_overwrite_the_next(redis_server: RedisServer) -> None:
    """redis-py#3847: its process stood still for longer than the lock lives."""
    slow, quick = (RedisTokenStore(redis_server.url) for _ in range(2))
    async with slow.lock("a"):
        with redis_server.admin() as admin:
            admin.delete("dify_async:{a}:lock")
        async with quick.lock("a"):
            await quick.save("a", OTHER)
        await slow.save("a", TOKENS)
    assert await slow.load("a") == OTHER
    for store in (slow, quick):
        await store.aclose()


async def test_a_holder_that_lost_the_lock_does_not_release_anothers(redis_server: RedisServer) -> None:
    slow, lasting = (RedisTokenStore(redis_server.url) for _ in range(2))
    with redis_server.admin() as admin:
        async with slow.lock("a"):
            admin.delete("dify_async:{a}:lock")
            taken = asyncio.create_task(_hold(lasting))
            await until(lambda: bool(admin.exists("dify_async:{a}:lock")))
        assert admin.exists("dify_async:{a}:lock")
        taken.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taken
        assert not admin.exists("dify_async:{a}:lock")
    for store in (slow, lasting):
        await store.aclose()


async def test_a_lock_is_extended_while_its_holder_works(redis_server: RedisServer) -> None:
    """A refresh may take longer than `lock_timeout`."""
    holder, other = (RedisTokenStore(redis_server.url, lock_timeout=0.2) for _ in range(2))
    async with holder.lock("a"):
        with anyio.move_on_after(0.7) as scope:
            async with other.lock("a"):
                pass
        assert scope.cancelled_caught
    with anyio.fail_after(1):
        async with other.lock("a"):
            pass
    for store in (holder, other):
        await store.aclose()


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_login_attempts_have_a_key_of_their_own(redis_server: RedisServer, *, is_sealed: bool) -> None:
    """It expires 24 hours after the last attempt, so no clocks are compared; one hash tag for a cluster."""
    key = Fernet.generate_key() if is_sealed else None
    store = RedisTokenStore(redis_server.url, encryption_key=key)
    attempts = LoginAttempts(sent={"hash": 2}, sent_at=5, answer="POST /login: 503")
    async with store.lock("k"):
        await store.save("k", TOKENS)
        await store.save("k-login", attempts)
    assert (await store.load("k"), await store.load("k-login")) == (TOKENS, attempts)
    with redis_server.admin() as admin:
        keys: Any = admin.keys()
        assert set(keys) == {b"dify_async:{k}:tokens", b"dify_async:{k}:login"}
        assert 86_390 < int(admin.ttl("dify_async:{k}:login")) <= 86_400
        assert (b"503" in admin.get("dify_async:{k}:login")) is not is_sealed
    await store.clear("k-login")
    assert (await store.load("k"), await store.load("k-login")) == (TOKENS, None)
    assert "hash" not in repr(attempts)
    await store.aclose()


def test_one_store_in_threads_has_one_client_per_event_loop(redis_server: RedisServer) -> None:
    store = RedisTokenStore(redis_server.url)
    barrier = threading.Barrier(4)

    async def use() -> int:
        for _ in range(20):
            await store.save("a", TOKENS)
            assert await store.load("a") == TOKENS
        with redis_server.admin() as admin:
            barrier.wait()
            found = len(admin.client_list())
            barrier.wait()
        await store.aclose()
        return found

    with ThreadPoolExecutor(4) as threads:
        found = [future.result() for future in [threads.submit(asyncio.run, use()) for _ in range(4)]]
    assert max(found) <= 4 + 5  # one each, and those that look


async def _hold(store: RedisTokenStore) -> None:
    async with store.lock("a"):
        await anyio.sleep_forever()
