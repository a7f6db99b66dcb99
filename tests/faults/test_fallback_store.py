"""What could not be saved while the token store was down is saved later, and overwrites nothing newer."""

from __future__ import annotations

import asyncio
import math
from typing import NoReturn

import anyio
import pytest

from dify_async import LoginAttempts, MemoryTokenStore, Tokens
from dify_async._auth import fallback_store
from dify_async.tokens import StoredValue
from tests.faults.support import FlakyStore
from tests.support import until

Guarded = tuple[FlakyStore, fallback_store.FallbackStore]
ONE, TWO, THREE = (Tokens(access_token=text, refresh_token="r") for text in ("1", "2", "3"))


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Guarded:
    monkeypatch.setattr(fallback_store, "_PAUSE", 0.05)
    store = FlakyStore()
    return store, fallback_store.FallbackStore(store, "key", lambda _: None)


async def test_a_token_saved_while_another_is_caught_up_with() -> None:
    """The newest tokens are kept, whichever save ends first."""
    slow, go = asyncio.Event(), asyncio.Event()

    class Slow(MemoryTokenStore):
        async def save(self, key: str, value: StoredValue, /) -> None:
            slow.set()
            await go.wait()
            await super().save(key, value)

    store = Slow()
    guard = fallback_store.FallbackStore(store, "key", lambda _: None)
    saving = asyncio.create_task(guard.save(ONE))
    await slow.wait()
    guard._tokens.value = TWO
    go.set()
    await saving
    assert guard._tokens.is_unsaved
    assert await guard.load() == TWO
    await guard.close()
    assert await store.load("key") == TWO


async def test_tokens_of_another_process_are_not_overwritten(guarded: Guarded) -> None:
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


async def test_what_could_not_be_saved_is_saved_when_the_store_is_back(guarded: Guarded) -> None:
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
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
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
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
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
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
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
    guarded: Guarded,
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
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, *, is_down: bool
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
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
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
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
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
    guarded: Guarded,
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
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, *, is_lost: bool
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
