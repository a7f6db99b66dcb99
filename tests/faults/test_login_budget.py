"""How often passwords are sent for an account, whatever its clients do and however often they start."""

from __future__ import annotations

import asyncio
import time

import pytest

from dify_async import (
    DifyConnectionError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyServerError,
    LoginAttempts,
    MemoryTokenStore,
)
from dify_async._auth import login_guard
from dify_async._auth.fallback_store import FallbackStore
from dify_async.testing import FakeDifyServer
from tests.faults.support import outcome
from tests.support import HASH_ROUNDS, JSON, ONCE, client, until


@pytest.fixture
def version() -> str:
    return "1.11.2"


def attempts_in(store: MemoryTokenStore) -> LoginAttempts:
    (found,) = (value for value in store._tokens.values() if isinstance(value, LoginAttempts))
    return found


async def test_an_attempt_is_recorded_before_it_is_sent(fake: FakeDifyServer) -> None:
    """If the process is killed while it waits, the attempt is counted."""
    store = MemoryTokenStore()
    slow = fake.inject("/login", delay=30)
    async with client(fake, token_store=store) as dify:
        call = asyncio.create_task(dify.profile())
        await until(lambda: slow.hits == 1)
        recorded = attempts_in(store)
        assert sum(recorded.sent.values()) == 1
        assert not recorded.is_answered
        assert recorded.answer == "POST /login: no response."
        assert fake.password not in str(recorded.sent)
        call.cancel()


async def test_a_success_clears_the_record(fake: FakeDifyServer) -> None:
    store = MemoryTokenStore()
    fault = fake.inject("/login", status=500)
    for _ in range(2):
        assert isinstance(await outcome(fake, token_store=store), DifyServerError)
    fault.remove()
    assert await outcome(fake, token_store=store) is None
    assert len(store._tokens) == 1


async def test_another_password_has_its_own_three_within_five(fake: FakeDifyServer) -> None:
    store = MemoryTokenStore()
    for password, sent in (("Wrong-Pass-1", 3), ("Wrong-Pass-2", 5), ("Wrong-Pass-3", 5)):
        for _ in range(4):
            assert isinstance(await outcome(fake, token_store=store, password=password), DifyLoginError)
        assert fake.count("POST", "/login") == sent
    error = await outcome(fake, token_store=store)
    assert isinstance(error, DifyLoginError)
    assert "5 times without success" in str(error)
    assert "login()" not in str(error)  # it would raise the same error
    assert "Wrong-Pass" not in str(error)
    assert await outcome(fake) is None  # Dify has not locked the account


@pytest.mark.parametrize("hours", [25, -1])
async def test_a_record_that_is_old_or_of_the_future_allows_one_more(
    fake: FakeDifyServer, hours: int
) -> None:
    """In a store without expiry; stoplight#315: a clock may have been wrong."""
    store = MemoryTokenStore()
    for _ in range(4):
        await outcome(fake, token_store=store, password="Wrong-Pass-1")
    (key,) = store._tokens
    then = int(time.time()) - hours * 3600
    seen = attempts_in(store)
    store._tokens[key] = LoginAttempts(sent=seen.sent, since=then, sent_at=then, answer=seen.answer)
    for _ in range(3):
        assert isinstance(await outcome(fake, token_store=store, password="Wrong-Pass-1"), DifyLoginError)
    assert fake.count("POST", "/login") == 4


async def test_a_lock_is_not_counted_and_tried_once_an_hour(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dify does not count blocked attempts. All clients of the store share the hour."""
    for _ in range(2):
        store = MemoryTokenStore()
        for _ in range(3):
            await outcome(fake, token_store=store, password="Wrong-Pass-1")
    store = MemoryTokenStore()
    for _ in range(4):
        assert isinstance(await outcome(fake, token_store=store), DifyLoginLockedError)
    assert fake.count("POST", "/login") == 7
    assert sum(attempts_in(store).sent.values()) == 0
    monkeypatch.setattr(login_guard, "_LOCK_PAUSE", 0)
    assert isinstance(await outcome(fake, token_store=store), DifyLoginLockedError)
    assert fake.count("POST", "/login") == 8
    fake.unlock()
    assert await outcome(fake, token_store=store) is None


async def test_the_lock_is_reported_although_a_later_login_failed(fake: FakeDifyServer) -> None:
    """The record then has the result of that login, whose text is not a sentence."""
    body = b'{"code":"email_code_login_limit","message":"Too many attempts.","status":429}'
    fake.inject("/login", status=429, body=body, headers=JSON, times=1)
    async with client(fake, retry=ONCE) as dify:
        with pytest.raises(DifyLoginLockedError) as locked:
            await dify.profile()
        fake.inject("/login", cut="before", times=1)
        with pytest.raises(DifyConnectionError):
            await dify.login()
        with pytest.raises(DifyLoginLockedError) as again:
            await dify.profile()
    assert str(again.value) == str(locked.value)


async def test_a_login_of_another_client_ends_the_lock(fake: FakeDifyServer) -> None:
    store = MemoryTokenStore()
    body = b'{"code":"email_code_login_limit","message":"Too many attempts.","status":429}'
    locked = fake.inject("/login", status=429, body=body, headers=JSON)
    async with client(fake, token_store=store) as one, client(fake, token_store=store) as two:
        with pytest.raises(DifyLoginLockedError):
            await one.profile()
        locked.remove()
        await two.login()
        await two.logout()
        await one.profile()


async def test_a_rejected_password_shows_that_the_lock_has_ended(fake: FakeDifyServer) -> None:
    store = MemoryTokenStore()
    body = b'{"code":"email_code_login_limit","message":"Too many attempts.","status":429}'
    locked = fake.inject("/login", status=429, body=body, headers=JSON)
    assert isinstance(await outcome(fake, token_store=store), DifyLoginLockedError)
    locked.remove()
    async with client(fake, token_store=store, password="Wrong-Pass-1") as dify:
        with pytest.raises(DifyLoginError):
            await dify.login()
    assert await outcome(fake, token_store=store) is None


async def test_a_rejection_ends_it_for_the_clients_that_run(fake: FakeDifyServer) -> None:
    """A client created later tries once more within the budget."""
    store, password = MemoryTokenStore(), fake.password
    async with client(fake, token_store=store) as one, client(fake, token_store=store) as two:
        await one.profile()
        await two.profile()
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        with pytest.raises(DifyLoginError, match="Dify rejected"):
            await one.profile()
        with pytest.raises(DifyLoginError, match="Another client of this account received this response"):
            await two.profile()
        assert fake.count("POST", "/login") == 2
    assert isinstance(await outcome(fake, token_store=store, password=password), DifyLoginError)
    assert fake.count("POST", "/login") == 3


async def test_the_fingerprint_of_a_password_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of several releases share a store: PBKDF2 with 200,000 rounds, salted with the key."""
    monkeypatch.setattr(login_guard, "_ROUNDS", HASH_ROUNDS)
    guard = login_guard.LoginGuard(FallbackStore(MemoryTokenStore(), "key", None), "Secret-Pass-42")
    assert await guard._fingerprint() == "6d85e2ad3c98abbcef9db6156062e547dcf43cceee5dd504b7020382e7d1fbf1"
