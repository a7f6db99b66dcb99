"""How often passwords are sent for an account, whatever its clients do and however often they start."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest

from dify_async import (
    DifyAuthenticationError,
    DifyConnectionError,
    DifyError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyServerError,
    LoginAttempts,
    MemoryTokenStore,
    StoredValue,
)
from dify_async._auth import login_guard, rules
from dify_async._auth.fallback_store import FallbackStore
from dify_async._http.retry import Safety
from dify_async._http.wire import Reply, Request
from dify_async.testing import FakeDifyServer
from tests.captures import capture
from tests.support import HASH_ROUNDS, ONCE, client, counted, until

JSON = {"Content-Type": "application/json"}
EXPIRED = b'{"code":"unauthorized","message":"Token has expired.","status":401}'


@pytest.fixture
def version() -> str:
    return "1.11.2"


def attempts_in(store: MemoryTokenStore) -> LoginAttempts:
    (found,) = (value for value in store._tokens.values() if isinstance(value, LoginAttempts))
    return found


async def outcome(fake: FakeDifyServer, **options: Any) -> DifyError | None:
    """The error of one call by a new client."""
    async with client(fake, **options) as dify:
        try:
            await dify.profile()
        except DifyError as error:
            return error
    return None


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


async def test_a_proxy_that_replaces_the_answers_is_named(fake: FakeDifyServer) -> None:
    """GET /system-features has responses of Dify, and POST /login never."""
    fake.inject("/login", status=503, body=b"<html>sorry</html>", headers={"X-Version": ""})
    store = MemoryTokenStore()
    for _ in range(3):
        assert isinstance(await outcome(fake, token_store=store, retry=ONCE), DifyServerError)
    error = await outcome(fake, token_store=store)
    assert isinstance(error, DifyLoginError)
    assert "a proxy or gateway in front of Dify replaces the responses of POST /login" in str(error)
    assert "503" in str(error)
    assert "since 20" in str(error)
    assert fake.count("POST", "/login") == 3


@pytest.mark.parametrize(
    "body", [b'{"code":"internal_server_error","message":"Internal Server Error","status":500}', EXPIRED]
)
async def test_errors_of_dify_itself_are_not_blamed_on_a_proxy(fake: FakeDifyServer, body: bytes) -> None:
    fake.inject("/login", status=500 if b"internal" in body else 401, body=body, headers=JSON)
    store = MemoryTokenStore()
    for _ in range(3):
        assert not isinstance(await outcome(fake, token_store=store, retry=ONCE), DifyLoginError)
    error = await outcome(fake, token_store=store)
    assert isinstance(error, DifyLoginError)
    assert "3 times without success" in str(error)
    assert "proxy" not in str(error)


async def test_the_code_of_a_gateway_is_not_one_of_dify(fake: FakeDifyServer) -> None:
    """It carries no X-Version, which earlier responses had."""
    body = b'{"code":"forbidden","message":"Access denied"}'
    fake.inject("/login", status=403, body=body, headers={**JSON, "X-Version": ""})
    store = MemoryTokenStore()
    for _ in range(3):
        assert not isinstance(await outcome(fake, token_store=store, retry=ONCE), DifyLoginError)
    assert "a proxy or gateway in front of Dify" in str(await outcome(fake, token_store=store))
    assert fake.count("POST", "/login") == 3


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


async def test_a_password_that_was_not_sent_does_not_end_the_doubt(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before it was not answered: GET /system-features must answer before the next one too."""
    fake.inject("/login", cut="before", times=1)
    async with client(fake, retry=ONCE) as dify:
        with pytest.raises(DifyConnectionError):
            await dify.profile()
        send = dify._transport.send

        async def refuse_logins(request: Request, safety: Safety) -> Reply:
            if request.route == "/login":
                raise DifyConnectionError("connection refused", sent=False)
            return await send(request, safety)

        with monkeypatch.context() as patch:
            patch.setattr(dify._transport, "send", refuse_logins)
            with pytest.raises(DifyConnectionError, match="refused"):
                await dify.profile()
        asked = fake.count("GET", "/system-features")
        await dify.profile()
        assert fake.count("GET", "/system-features") == asked + 1
    assert fake.count("POST", "/login") == 2


async def test_an_outage_costs_one_attempt(fake: FakeDifyServer) -> None:
    """401 "Token has expired." for every route: no password is sent until the server recovers."""
    async with client(fake) as dify:
        await dify.profile()
        faults = [
            fake.inject("*", status=401, body=EXPIRED, headers=JSON),
        ]
        for _ in range(10):
            with pytest.raises(DifyAuthenticationError):
                await dify.profile()
        assert fake.count("POST", "/login") == 2
        for fault in faults:
            fault.remove()
        await dify.profile()


async def test_the_database_of_dify_is_down(fake: FakeDifyServer) -> None:
    """1.16.1: a refresh is then a 500, and its token is valid again afterwards."""
    body = capture("1.16.1/11_db_down_refresh").reply.body
    down: dict[str, Any] = {"status": 500, "body": body, "headers": JSON}
    assert not rules.refresh_token_is_dead(capture("1.16.1/11_redis_down_refresh").reply)
    assert rules.read_tokens(capture("1.16.1/11_db_up_again_refresh_of_the_same_token").reply) is not None
    async with client(fake, retry=ONCE) as dify:
        await dify.profile()
        fake.expire_access_tokens()
        faults = [fake.inject(path, **down) for path in ("/refresh-token", "/login")]
        for _ in range(5):
            with pytest.raises(DifyServerError):
                await dify.profile()
        assert counted(fake) == (10, 2)
        for fault in faults:
            fault.remove()
        await dify.profile()
        assert counted(fake) == (11, 2)
        sent = {one.headers["Cookie"] for one in fake.requests if one.path == "/refresh-token"}
        assert len(sent) == 1


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


class Down(MemoryTokenStore):
    """Saves nothing while it is down."""

    is_down = False

    async def save(self, key: str, value: StoredValue, /) -> None:
        if self.is_down:
            raise OSError("read-only")
        await super().save(key, value)

    async def clear(self, key: str) -> None:
        if self.is_down:
            raise OSError("read-only")
        await super().clear(key)


async def test_a_store_that_takes_no_writes(fake: FakeDifyServer) -> None:
    """The limit of the promise: each process sends a password that was changed once."""
    store = Down()
    async with client(fake, token_store=store) as one, client(fake, token_store=store) as two:
        await one.profile()
        await two.profile()
        store.is_down = True
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        for _ in range(3):
            for dify in (one, two):
                with pytest.raises(DifyLoginError):
                    await dify.profile()
    assert fake.count("POST", "/login") == 1 + 2


async def test_a_session_that_ended_is_not_saved_after_a_rejected_password(
    fake: FakeDifyServer,
) -> None:
    """Its tokens were unsaved, and the store works again."""
    store = Down()
    async with client(fake, token_store=store) as dify:
        await dify.profile()
        store.is_down = True
        fake.expire_access_tokens()
        await dify.profile()
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        with suppress(DifyLoginError):
            await dify.profile()
        store.is_down = False
    assert [value for value in store._tokens.values() if not isinstance(value, LoginAttempts)] == []


async def test_the_fingerprint_of_a_password_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of several releases share a store: PBKDF2 with 200,000 rounds, salted with the key."""
    monkeypatch.setattr(login_guard, "_ROUNDS", HASH_ROUNDS)
    guard = login_guard.LoginGuard(FallbackStore(MemoryTokenStore(), "key", None), "Secret-Pass-42")
    assert await guard._fingerprint() == "6d85e2ad3c98abbcef9db6156062e547dcf43cceee5dd504b7020382e7d1fbf1"
