"""Encryption of tokens at rest."""

from __future__ import annotations

import logging
import re
import sys

import pytest
from cryptography.fernet import Fernet

from dify_async import DifyConfigError, RedisTokenStore, Tokens
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import client

TOKENS = Tokens(access_token="access-secret", refresh_token="refresh-secret", csrf_token="csrf-secret")
OLD, NEW = Fernet.generate_key(), Fernet.generate_key().decode()


async def test_tokens_in_redis_are_encrypted(redis_server: RedisServer) -> None:
    store = RedisTokenStore(redis_server.url, encryption_key=OLD)
    async with store.lock("a"):
        await store.save("a", TOKENS)
        await store.save("a", TOKENS)
    with redis_server.admin() as admin:
        value = admin.get("dify_async:{a}:tokens")
    assert isinstance(value, bytes)
    assert b"secret" not in value
    assert b"access-secret" in Fernet(OLD).decrypt(value)
    assert await store.load("a") == TOKENS
    await store.aclose()


async def test_keys_are_rotated_without_a_login(redis_server: RedisServer) -> None:
    old = RedisTokenStore(redis_server.url, encryption_key=OLD)
    both = RedisTokenStore(redis_server.url, encryption_key=[NEW, OLD])
    new = RedisTokenStore(redis_server.url, encryption_key=[NEW])
    await old.save("a", TOKENS)
    assert await both.load("a") == TOKENS
    await both.save("a", TOKENS)
    assert await new.load("a") == TOKENS
    assert await old.load("a") is None
    for store in (old, both, new):
        await store.aclose()


@pytest.mark.parametrize("kind", ["another key", "not sealed", "no key"])
async def test_tokens_that_no_key_decrypts_are_replaced(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    writer = RedisTokenStore(redis_server.url, encryption_key=None if kind == "not sealed" else OLD)
    reader = RedisTokenStore(redis_server.url, encryption_key=None if kind == "no key" else NEW)
    async with FakeDifyServer() as fake:
        for store in (writer, reader, reader):
            async with client(fake, token_store=store) as dify:
                await dify.profile()
        assert fake.count("POST", "/login") == 2
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "tokens of another encryption_key" in warnings[0]
    for store in (writer, reader):
        await store.aclose()


@pytest.mark.parametrize("key", ["", "short", b"\xff" * 44, [], [OLD, "short"], ["é"], 5, [None]])
def test_a_key_that_is_none(key: object) -> None:
    with pytest.raises(DifyConfigError, match=re.escape("Fernet.generate_key()")) as refused:
        RedisTokenStore("redis://localhost", encryption_key=key)  # type: ignore[arg-type]  # wrong on purpose
    assert OLD.decode() not in str(refused.value)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    with pytest.raises(DifyConfigError, match=re.escape("dify-async[encryption]")):
        RedisTokenStore("redis://localhost", encryption_key=OLD)
