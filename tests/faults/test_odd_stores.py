"""Token stores that fail in the middle of a refresh, contain invalid data, or lose their data."""

from __future__ import annotations

import asyncio
import math
from contextlib import AbstractAsyncContextManager
from typing import NoReturn

import anyio
import msgspec
import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    LoginAttempts,
    MemoryTokenStore,
    RedisTokenStore,
    Tokens,
)
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


async def test_redis_is_slow_while_tokens_are_saved(
    fake: FakeDifyServer, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is not left for 30 s, in which every process would wait."""
    async with SlowProxy(redis_server).serve() as proxy:
        store = RedisTokenStore(proxy.url)
        async with client(fake, token_store=store) as dify:
            await dify.profile()
            await until(lambda: not running())
            slow = fake.inject("/refresh-token", delay=0.1, times=1)
            fake.expire_access_tokens()
            call = asyncio.create_task(dify.profile())
            await until(lambda: slow.hits == 1)
            monkeypatch.setattr(fallback_store, "_PATIENCE", 0.3)
            proxy.delay = 0.6
            await call
            await until(lambda: dify._auth._store._retry_at is not None)  # type: ignore[attr-defined]  # it has one
            with redis_server.admin() as admin:
                await until(lambda: admin.keys("*:lock") == [])
        await store.aclose()


async def test_the_key_is_deleted_during_a_refresh(fake: FakeDifyServer, redis_server: RedisServer) -> None:
    """It was evicted, or Redis was restarted empty: the new tokens are saved all the same."""
    store = RedisTokenStore(redis_server.url)
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        await until(lambda: not running())
        slow = fake.inject("/refresh-token", delay=0.1, times=1)
        fake.expire_access_tokens()
        call = asyncio.create_task(dify.profile())
        await until(lambda: slow.hits == 1)
        with redis_server.admin() as admin:
            admin.flushall()
        await call
    async with client(fake, token_store=store) as other:
        await other.profile()
    await store.aclose()
    assert (fake.count("POST", "/refresh-token"), fake.count("POST", "/login")) == (1, 1)


GOOD = {"access_token": "a.b.c", "refresh_token": "r", "csrf_token": "c"}
NAMES = {name: name for name in GOOD}
INVALID: list[object] = [
    {**GOOD, "cookie_names": {}},
    {**GOOD, "cookie_names": {"access_token": "access_token", "csrf_token": "csrf_token"}},
    {**GOOD, "access_token": "a\nb", "cookie_names": NAMES},
    {**GOOD, "refresh_token": "ä", "cookie_names": NAMES},
    {**GOOD, "csrf_token": None, "cookie_names": NAMES},
    {**GOOD, "cookie_names": {**NAMES, "access_token": "a\r\nb"}},
    {**GOOD, "access_token": "", "cookie_names": NAMES},
    {**GOOD, "cookie_names": NAMES, "expires_at": 10**400},
    {**GOOD, "cookie_names": NAMES, "expires_at": -1},
    {"refresh_token": ""},
    [],
    "tokens",
]


@pytest.mark.parametrize("value", INVALID)
async def test_invalid_data_in_redis_is_replaced(
    fake: FakeDifyServer, redis_server: RedisServer, value: object
) -> None:
    store = RedisTokenStore(redis_server.url)
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        await until(lambda: not running())
    with redis_server.admin() as admin:
        (name,) = admin.keys("*:tokens")
        admin.set(name, msgspec.json.encode(value) if value != INVALID[7] else text_of(INVALID[7]))
    async with client(fake, token_store=store) as dify:
        await dify.profile()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
    await store.aclose()
    assert fake.count("POST", "/login") == 2


def text_of(value: object) -> str:
    """msgspec cannot encode a number of 400 digits."""
    return str(value).replace("'", '"')


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


async def test_a_token_saved_while_another_is_caught_up_with(fake: FakeDifyServer) -> None:
    """The newest tokens are kept, whichever save ends first."""
    slow, go = asyncio.Event(), asyncio.Event()

    class Slow(MemoryTokenStore):
        async def save(self, key: str, value: StoredValue, /) -> None:
            slow.set()
            await go.wait()
            await super().save(key, value)

    store = Slow()
    guard = fallback_store.FallbackStore(store, "key", lambda _: None)
    first, second = (Tokens(access_token=text, refresh_token="r") for text in ("1", "2"))
    saving = asyncio.create_task(guard.save(first))
    await slow.wait()
    guard._tokens.value = second
    go.set()
    await saving
    assert guard._tokens.is_unsaved
    assert await guard.load() == second
    await guard.close()
    assert await store.load("key") == second
    assert fake.count() == 0


class Flaky(MemoryTokenStore):
    """Fails while it is down."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = False

    async def load(self, key: str) -> StoredValue | None:
        if self.is_down:
            raise OSError("down")
        return await super().load(key)

    async def save(self, key: str, value: StoredValue, /) -> None:
        if self.is_down:
            raise OSError("down")
        await super().save(key, value)

    async def clear(self, key: str) -> None:
        if self.is_down:
            raise OSError("down")
        await super().clear(key)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> tuple[Flaky, fallback_store.FallbackStore]:
    monkeypatch.setattr(fallback_store, "_PAUSE", 0.05)
    store = Flaky()
    return store, fallback_store.FallbackStore(store, "key", lambda _: None)


ONE, TWO, THREE = (Tokens(access_token=text, refresh_token="r") for text in ("1", "2", "3"))


async def test_tokens_of_another_process_are_not_overwritten(
    guarded: tuple[Flaky, fallback_store.FallbackStore],
) -> None:
    """The store was down for this process only."""
    store, guard = guarded
    await guard.save(ONE)
    store.is_down = True
    await guard.save(TWO)
    store._tokens["key"] = THREE
    store.is_down = False
    await until(lambda: not guard._tokens.is_unsaved)
    assert await store.load("key") == THREE
    assert await guard.load() == THREE
    await guard.close()


async def test_what_could_not_be_saved_is_saved_when_the_store_is_back(
    guarded: tuple[Flaky, fallback_store.FallbackStore],
) -> None:
    store, guard = guarded
    await guard.save(ONE)
    store.is_down = True
    await guard.save(TWO)
    store.is_down = False
    guard._retry_at = None
    assert await guard.load() == TWO  # the store has the older one
    await until(lambda: store._tokens == {"key": TWO})
    assert not guard._tokens.is_unsaved
    await guard.close()


async def test_catching_up_does_not_wait_for_a_call(
    guarded: tuple[Flaky, fallback_store.FallbackStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsaved tokens are saved although no call uses the store."""
    store, guard = guarded
    store.is_down = True
    await guard.save(ONE)
    monkeypatch.setattr(guard, "_retry_at", math.inf)
    store.is_down = False
    await until(lambda: store._tokens == {"key": ONE})
    await guard.close()


async def test_catching_up_goes_on_while_another_process_holds_the_lock(
    guarded: tuple[Flaky, fallback_store.FallbackStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background task does not end with the error that a call would raise."""
    store, guard = guarded
    monkeypatch.setattr(fallback_store, "_LOCK_DEADLINE", 0.02)
    store.is_down = True
    async with store.lock("key"):
        await guard.save(ONE)
        store.is_down = False
        await anyio.sleep(0.3)  # several deadlines
        assert store._tokens == {}
    await until(lambda: store._tokens == {"key": ONE})
    await guard.close()


async def test_catching_up_does_not_end_without_the_lock(
    guarded: tuple[Flaky, fallback_store.FallbackStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store can be read, but not locked: that is not a store that works again."""
    store, guard = guarded

    def lock(_: str) -> NoReturn:
        raise OSError("read-only")

    with monkeypatch.context() as patch:
        patch.setattr(store, "lock", lock)
        async with guard.lock():
            pass
        monkeypatch.setattr(fallback_store, "_PAUSE", 0.0)
        await anyio.sleep(0.3)  # several turns
        assert guard._retry_at is not None
    await until(lambda: guard._retry_at is None)
    await guard.close()


async def test_a_store_that_is_down_is_not_reported_as_one_that_keeps_no_attempts(
    guarded: tuple[Flaky, fallback_store.FallbackStore],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It can be read, but not written, and the pause after the first failure is over."""
    store, guard = guarded

    async def save(*_: object) -> NoReturn:
        raise OSError("read-only")

    monkeypatch.setattr(store, "save", save)
    await guard.save(ONE)
    monkeypatch.setattr(guard, "_retry_at", 0.0)
    await guard.save_attempts(LoginAttempts(sent={"hash": 1}))
    assert [record.getMessage() for record in caplog.records if "attempts" in record.getMessage()] == []
    assert guard.attempts.sent == {"hash": 1}
    await guard.close()


@pytest.mark.parametrize("is_down", [False, True])
async def test_a_value_that_was_saved_although_saving_it_failed_is_not_newer(
    guarded: tuple[Flaky, fallback_store.FallbackStore], monkeypatch: pytest.MonkeyPatch, *, is_down: bool
) -> None:
    """The response of Redis was lost. Found in a soak: logins that succeeded stayed in the record."""
    store, guard = guarded
    await guard.save(ONE)
    save = store.save

    async def lose_the_response(key: str, value: StoredValue, /) -> None:
        await save(key, value)
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(store, "save", lose_the_response)
        patch.setattr(guard, "_catch_up_later", lambda: None)
        await guard.save(TWO)
        guard._retry_at = None
        await guard.save_attempts(LoginAttempts(sent={"hash": 1}, sent_at=1))
    assert len(store._tokens) == 2
    store.is_down = is_down
    await guard.save(THREE)
    await guard.save_attempts(None)
    store.is_down = False
    await guard.close()
    assert store._tokens == {"key": THREE}
    assert guard.attempts.sent == {}


async def test_attempts_that_another_client_has_cleared_are_not_counted_again(
    guarded: tuple[Flaky, fallback_store.FallbackStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only those that this client has made during the outage are added."""
    store, guard = guarded
    monkeypatch.setattr(guard, "_catch_up_later", lambda: None)
    await guard.save_attempts(LoginAttempts(sent={"hash": 1}, sent_at=1))
    store.is_down = True
    await guard.save_attempts(LoginAttempts(sent={"hash": 2}, sent_at=2, answer="lost"))
    store.is_down = False
    await store.clear("key-login")
    await guard.close()
    assert await store.load("key-login") == LoginAttempts(sent={"hash": 1}, sent_at=2, answer="lost")


async def test_a_login_clears_what_others_have_counted_on_top_of_it(
    guarded: tuple[Flaky, fallback_store.FallbackStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It succeeded during an outage of this client: only the attempts of others stay in the record."""
    store, guard = guarded
    monkeypatch.setattr(guard, "_catch_up_later", lambda: None)
    await guard.save_attempts(LoginAttempts(sent={"hash": 2}, sent_at=1))
    store.is_down = True
    await guard.save_attempts(None)
    store.is_down = False
    await store.save("key-login", LoginAttempts(sent={"hash": 3}, sent_at=2))
    guard._retry_at = None
    await guard.load()
    assert guard.attempts.sent == {"hash": 1}
    await store.save("key-login", LoginAttempts(sent={"hash": 4}, sent_at=3))
    await guard.close()
    assert await store.load("key-login") == LoginAttempts(sent={"hash": 2}, sent_at=3)


@pytest.mark.parametrize("is_saved_first", [False, True])
async def test_a_value_that_changes_while_the_older_one_is_saved(
    guarded: tuple[Flaky, fallback_store.FallbackStore],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_saved_first: bool,
) -> None:
    """The older one is saved in the background after an outage; a login succeeds in the meantime."""
    store, guard = guarded
    save, started, proceed = store.save, asyncio.Event(), asyncio.Event()

    async def save_slowly(key: str, value: StoredValue, /) -> None:
        if is_saved_first:
            await save(key, value)
        if isinstance(value, LoginAttempts):
            started.set()
            await proceed.wait()
        if not is_saved_first:
            await save(key, value)

    store.is_down = True
    await guard.save_attempts(LoginAttempts(sent={"hash": 1}, sent_at=1))
    store.is_down = False
    with monkeypatch.context() as patch:
        patch.setattr(store, "save", save_slowly)
        await started.wait()
        if is_saved_first:
            monkeypatch.setattr(guard, "_retry_at", math.inf)  # not asked by this call
            await guard.save_attempts(None)
        else:
            guard._retry_at = None
            clearing = asyncio.create_task(guard.save_attempts(None))
            await anyio.wait_all_tasks_blocked()
            proceed.set()
            await clearing
        proceed.set()
        await until(lambda: guard._catching_up is None or guard._catching_up.done())
    assert store._tokens == {}
    assert not guard._attempts.is_unsaved
    await guard.close()


@pytest.mark.parametrize("is_lost", [False, True])
async def test_a_store_that_does_not_let_itself_be_cancelled(
    guarded: tuple[Flaky, fallback_store.FallbackStore], monkeypatch: pytest.MonkeyPatch, *, is_lost: bool
) -> None:
    """redis-py may raise another error in place of a cancellation, or return.

    Found in a soak on a slow event loop: aclose() raised CancelledError in a task that was not cancelled.
    """
    store, guard = guarded
    monkeypatch.setattr(fallback_store, "_PATIENCE", 0.05)
    monkeypatch.setattr(fallback_store, "_CLOSE_DEADLINE", 0.05)
    monkeypatch.setattr(fallback_store, "_BACKGROUND_PATIENCE", 0.1)

    async def load(key: str) -> None:
        try:
            await anyio.sleep(0 if key == guard._tokens.key else 30)
        except asyncio.CancelledError:
            if is_lost:
                raise OSError("the connection was lost") from None

    monkeypatch.setattr(store, "load", load)
    guard.begin()
    assert await guard.load() is None
    await guard.save(ONE)
    async with guard.lock():
        pass
    await guard.close()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
