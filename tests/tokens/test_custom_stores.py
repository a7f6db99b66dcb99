"""Token stores of users, among them stores that were written for tokens only."""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import anyio
import msgspec
import pytest

from dify_async import (
    DifyLoginError,
    Event,
    LoginAttempts,
    MemoryTokenStore,
    StoreDown,
    StoredValue,
    Tokens,
    TokenStore,
)
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import client


@pytest.fixture
def version() -> str:
    return "1.11.2"


class TokensStore:
    """Reads each value as tokens."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._lock = anyio.Lock()

    async def load(self, key: str) -> Tokens | None:
        value = self._values.get(key)
        return None if value is None else msgspec.json.decode(value, type=Tokens)

    async def save(self, key: str, tokens: StoredValue) -> None:
        self._values[key] = msgspec.json.encode(tokens)

    async def clear(self, key: str) -> None:
        self._values.pop(key, None)

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - one account
        return self._lock


class ReadsFields(TokensStore):
    """Fails for values that are not tokens."""

    async def save(self, key: str, tokens: StoredValue) -> None:
        assert isinstance(tokens, Tokens)
        await super().save(key, tokens)


class Ignores(TokensStore):
    """Saves tokens, and drops other values without an error."""

    async def save(self, key: str, tokens: StoredValue) -> None:
        if isinstance(tokens, Tokens):
            await super().save(key, tokens)


class RefusesKeys(TokensStore):
    """Fails for each key but that of the tokens, as a column that is too short does."""

    async def load(self, key: str) -> Tokens | None:
        return await super().load(self._checked(key))

    async def save(self, key: str, tokens: StoredValue) -> None:
        await super().save(self._checked(key), tokens)

    async def clear(self, key: str) -> None:
        await super().clear(self._checked(key))

    def _checked(self, key: str) -> str:
        if len(key) > 32:
            raise OSError("value too long for type character varying(32)")
        return key


@pytest.fixture(params=[TokensStore, ReadsFields, Ignores, RefusesKeys])
def store(request: pytest.FixtureRequest) -> TokenStore:
    made: TokenStore = request.param()
    return made


async def test_a_store_for_tokens_only_keeps_the_tokens(fake: FakeDifyServer, store: TokenStore) -> None:
    """It is not down: errors on the key of the login attempts are not an outage."""
    events: list[Event] = []
    for _ in range(3):
        async with client(fake, token_store=store, on_event=events.append) as dify:
            await dify.profile()
            fake.expire_access_tokens()
            await dify.profile()
    assert (fake.count("POST", "/login"), fake.count("POST", "/refresh-token")) == (1, 3)
    assert not [event for event in events if isinstance(event, StoreDown)]


async def test_the_login_budget_is_then_that_of_the_client(
    fake: FakeDifyServer, store: TokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    async with client(fake, token_store=store, password="Wrong-Pass-1") as dify:
        for _ in range(6):
            with pytest.raises(DifyLoginError):
                await dify.login()
    assert fake.count("POST", "/login") == 3
    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "does not keep login attempts" in warnings[0]
    assert "value too long" not in caplog.text


async def test_a_store_that_is_down_for_tokens_too_is_an_outage(fake: FakeDifyServer) -> None:
    class Full(TokensStore):
        async def load(self, key: str) -> Tokens | None:
            raise OSError(key)

    events: list[Event] = []
    async with client(fake, token_store=Full(), on_event=events.append) as dify:
        await dify.profile()
    assert StoreDown("OSError") in events


def test_types_of_a_store() -> None:
    """`load` may return less than the protocol allows, and the parameter of `save` any name."""
    store: TokenStore = TokensStore()
    assert store is not None


async def test_attempts_in_memory_expire_by_the_clock(fake: FakeDifyServer) -> None:
    """A store that says it expires attempts cannot expire those that it does not keep."""

    class Expires(ReadsFields):
        expires_attempts = True

    async with client(fake, token_store=Expires(), password="Wrong-Pass-1") as dify:
        for _ in range(4):
            with suppress(DifyLoginError):
                await dify.login()
        assert fake.count("POST", "/login") == 3
        attempts = dify._auth._store._attempts  # type: ignore[attr-defined]  # it has one
        assert isinstance(attempts.value, LoginAttempts)
        attempts.value = msgspec.structs.replace(attempts.value, sent_at=attempts.value.sent_at - 25 * 3600)
        with suppress(DifyLoginError):
            await dify.login()
        assert fake.count("POST", "/login") == 4


async def test_the_store_of_the_environment_expires_attempts(
    fake: FakeDifyServer, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is selected when the client is entered, after the client was created."""
    monkeypatch.setenv("DIFY_REDIS_URL", redis_server.url)
    async with client(fake, token_store=None) as dify:
        assert dify._auth._store.expires_attempts  # type: ignore[attr-defined]  # it has one


class Sized(MemoryTokenStore):
    """Is false while it is empty, and raises at once instead of in a coroutine."""

    def __len__(self) -> int:
        return len(self._tokens)

    def load(self, key: str) -> Any:
        if key.endswith("-login"):
            raise KeyError(key)
        return super().load(key)


async def test_a_store_that_is_false_and_whose_load_is_not_a_coroutine(fake: FakeDifyServer) -> None:
    store, events = Sized(), list[Event]()
    async with client(fake, token_store=store, on_event=events.append) as dify:
        await dify.profile()
    assert len(store) == 1
    assert not [event for event in events if isinstance(event, StoreDown)]
