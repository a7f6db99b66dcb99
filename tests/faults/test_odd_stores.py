"""Token stores that fail in the middle of a refresh, contain invalid data, or lose their data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import msgspec
import pytest

from dify_async import AsyncDifyServer, DifyConfigError, MemoryTokenStore, RedisTokenStore, Tokens
from dify_async._auth import fallback_store
from dify_async.testing import FakeDifyServer
from dify_async.tokens import StoredValue
from tests.faults.proxy import SlowProxy
from tests.redis_server import RedisServer
from tests.support import client, running, until


@pytest.fixture
def version() -> str:
    return "1.11.2"


class PlainLock(MemoryTokenStore):
    """A store whose lock is not a generator, and whose next save fails."""

    def __init__(self) -> None:
        super().__init__()
        self.the_lock = asyncio.Lock()
        self.fails = 0

    def lock(  # type: ignore[override]  # as the protocol has it
        self,
        key: str,  # noqa: ARG002
    ) -> AbstractAsyncContextManager[None]:
        return self.the_lock

    async def save(self, key: str, value: StoredValue, /) -> None:
        if self.fails:
            self.fails -= 1
            raise OSError("full")
        await super().save(key, value)


async def test_a_lock_is_released_although_the_store_has_failed(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback_store, "_PAUSE", 0.05)
    store = PlainLock()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        store.fails = 1
        for _ in range(2):
            fake.expire_access_tokens()
            with anyio.fail_after(60):
                await dify.profile()
            await until(lambda: not store.the_lock.locked())
        await until(lambda: not running())
        assert dify._auth.credentials is not None
        assert list(store._tokens.values()) == [dify._auth.credentials.tokens]  # type: ignore[attr-defined]  # it has some
    assert fake.count("POST", "/refresh-token") == 2


@asynccontextmanager
async def refreshing(fake: FakeDifyServer, dify: AsyncDifyServer) -> AsyncIterator[None]:
    """The server takes a while to refresh the tokens of a call, which ends after the block."""
    await dify.profile()
    await until(lambda: not running())
    slow = fake.inject("/refresh-token", delay=0.1, times=1)
    fake.expire_access_tokens()
    call = asyncio.create_task(dify.profile())
    await until(lambda: slow.hits == 1)
    yield
    await call


async def test_redis_is_slow_while_tokens_are_saved(
    fake: FakeDifyServer, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is not left for 30 s, in which every process would wait."""
    async with SlowProxy(redis_server).serve() as proxy:
        store = RedisTokenStore(proxy.url)
        async with client(fake, token_store=store) as dify:
            async with refreshing(fake, dify):
                monkeypatch.setattr(fallback_store, "_PATIENCE", 0.3)
                proxy.delay = 0.6
            await until(lambda: dify._auth._store._retry_at is not None)  # type: ignore[attr-defined]  # it has one
            with redis_server.admin() as admin:
                await until(lambda: admin.keys("*:lock") == [])
        await store.aclose()


async def test_the_key_is_deleted_during_a_refresh(fake: FakeDifyServer, redis_server: RedisServer) -> None:
    """It was evicted, or Redis was restarted empty: the new tokens are saved all the same."""
    store = RedisTokenStore(redis_server.url)
    async with client(fake, token_store=store) as dify, refreshing(fake, dify):
        with redis_server.admin() as admin:
            admin.flushall()
    async with client(fake, token_store=store) as other:
        await other.profile()
    await store.aclose()
    assert (fake.count("POST", "/refresh-token"), fake.count("POST", "/login")) == (1, 1)


async def test_redis_evicts_the_key(fake: FakeDifyServer, redis_server: RedisServer) -> None:
    """The tokens in memory are valid: no login; they are saved after the next refresh."""
    store = RedisTokenStore(redis_server.url)
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        for _ in range(2):
            with redis_server.admin() as admin:
                admin.flushall()
            fake.expire_access_tokens()
            await dify.profile()
    assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 2)
    with redis_server.admin() as admin:
        assert len(admin.keys("*:tokens")) == 1
    await store.aclose()


GOOD = {"access_token": "a.b.c", "refresh_token": "r", "csrf_token": "c"}
NAMES = {name: name for name in GOOD}
INVALID: list[bytes] = [
    b"",
    b"invalid",
    b"\xff\x00",
    b"[" * 100_000,
    *map(
        msgspec.json.encode,
        [
            {"access_token": 5},
            {**GOOD, "cookie_names": {}},
            {**GOOD, "cookie_names": {"access_token": "access_token", "csrf_token": "csrf_token"}},
            {**GOOD, "access_token": "a\nb", "cookie_names": NAMES},
            {**GOOD, "refresh_token": "ä", "cookie_names": NAMES},
            {**GOOD, "csrf_token": None, "cookie_names": NAMES},
            {**GOOD, "cookie_names": {**NAMES, "access_token": "a\r\nb"}},
            {**GOOD, "access_token": "", "cookie_names": NAMES},
            {**GOOD, "cookie_names": NAMES, "expires_at": msgspec.Raw(b"1" + b"0" * 400)},
            {**GOOD, "cookie_names": NAMES, "expires_at": -1},
            {"refresh_token": ""},
            [],
            "tokens",
        ],
    ),
]


@pytest.mark.parametrize("invalid", INVALID, ids=range(len(INVALID)))
async def test_invalid_data_in_redis_is_replaced(
    fake: FakeDifyServer, redis_server: RedisServer, invalid: bytes
) -> None:
    store = RedisTokenStore(redis_server.url)
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        await until(lambda: not running())
    with redis_server.admin() as admin:
        (name,) = admin.keys("*:tokens")
        admin.set(name, invalid)
    for _ in range(2):
        async with client(fake, token_store=store) as dify:
            await dify.profile()
    await store.aclose()
    assert fake.count("POST", "/login") == 2


async def test_two_clients_of_one_store_hold_locks_of_their_own(redis_server: RedisServer) -> None:
    """A client that lost its lock does not overwrite the tokens of the other, also in one process."""
    store = RedisTokenStore(redis_server.url)
    old, newer = (Tokens(access_token=text, refresh_token="r") for text in ("old", "newer"))
    outlived = asyncio.Event()
    saved = asyncio.Event()

    async def slow() -> None:
        async with store.lock("a"):
            await outlived.wait()
            async with store.lock("b"):
                pass
            await saved.wait()
            await store.save("a", old)

    async def quick() -> None:
        async with store.lock("a"):
            await store.save("a", newer)
        saved.set()

    async with anyio.create_task_group() as group:
        group.start_soon(slow)
        with redis_server.admin() as admin:
            await until(lambda: admin.keys("*{a}:lock") != [])
            admin.delete("dify_async:{a}:lock")
        outlived.set()
        group.start_soon(quick)
    assert await store.load("a") == newer
    await store.aclose()


async def test_nothing_is_opened_again_by_calls_that_wake_up_when_the_client_is_left(
    fake: FakeDifyServer, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIFY_REDIS_URL", redis_server.url)
    for steps in range(30):
        dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
        async with dify:
            await dify.profile()
            fake.expire_access_tokens()
            calls = [asyncio.create_task(dify.profile()) for _ in range(4)]
            for _ in range(steps):
                await asyncio.sleep(0)
        await asyncio.gather(*calls, return_exceptions=True)
        assert running() == []
        assert dify._own_store is not None
        assert dify._own_store._redis is not None
        assert dify._own_store._redis._connections._opened == {}


async def test_a_blocking_redis_client_is_an_error(redis_server: RedisServer) -> None:
    with redis_server.admin() as blocking, pytest.raises(DifyConfigError, match=r"redis\.asyncio"):
        RedisTokenStore(blocking)


@pytest.mark.parametrize("timeout", [0, -1, 0.0001, float("inf"), float("nan"), "x", None])
def test_a_life_of_the_lock_that_is_none(timeout: float) -> None:
    with pytest.raises(DifyConfigError, match="lock_timeout"):
        RedisTokenStore("redis://localhost", lock_timeout=timeout)


class _Lock:
    """Raises its own error instead of a cancellation, as a failed clean-up does."""

    async def __aenter__(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ConnectionError("lost while it was cancelled")

    async def __aexit__(self, *_: object) -> None: ...


class _StoreThatSwallows(MemoryTokenStore):
    async def save(self, key: str, value: StoredValue, /) -> None:
        raise ConnectionError(key, type(value))

    def lock(self, key: str) -> Any:
        return _Lock() if self.catching_up else super().lock(key)

    catching_up = False


async def test_a_store_that_swallows_a_cancellation_does_not_hang_the_close(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background task continued after it was cancelled, and closing waited for it forever."""
    monkeypatch.setattr(fallback_store, "_PAUSE", 0.1)
    store = _StoreThatSwallows()
    with anyio.fail_after(60):
        async with client(fake, token_store=store) as dify:
            await dify.profile()
            store.catching_up = True
            await anyio.sleep(0.3)  # until it waits for the lock, or for its next turn
    assert running() == []
