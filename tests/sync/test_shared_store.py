"""Sync clients that share a token store; each has an event loop in a separate thread."""

from __future__ import annotations

import asyncio
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

from dify_async import MemoryTokenStore, RedisTokenStore
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.sync.support import sync_client


def test_one_memory_store_in_eight_sync_clients(fake: FakeDifyServer) -> None:
    """The first of them logs in for all; at an expiry one refreshes."""
    store = MemoryTokenStore()

    def use(_: int) -> None:
        with sync_client(fake, token_store=store) as dify:
            dify.profile()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))
        fake.expire_access_tokens()
        list(threads.map(use, range(8)))
    assert fake.count("POST", "/login") == 1
    assert fake.count("POST", "/refresh-token") == 1


def test_connections_to_redis_are_closed_with_each_client(
    fake: FakeDifyServer, redis_server: RedisServer
) -> None:
    """They belong to the event loop of the client's thread, so the caller cannot close them."""
    store = RedisTokenStore(redis_server.url)

    def use(_: int) -> None:
        with sync_client(fake, token_store=store) as dify:
            dify.profile()

    with warnings.catch_warnings(), ThreadPoolExecutor(4) as threads:
        warnings.simplefilter("error", ResourceWarning)
        list(threads.map(use, range(4)))
        assert_no_connections(redis_server)
    assert fake.count("POST", "/login") == 1


def test_connections_to_redis_are_closed_with_the_event_loop(redis_server: RedisServer) -> None:
    """If a program forgets `aclose()`."""
    store = RedisTokenStore(redis_server.url)
    asyncio.run(store.clear("a"))
    assert_no_connections(redis_server)


def assert_no_connections(redis_server: RedisServer) -> None:
    """Wait until Redis has noticed that only this connection is left."""
    end = time.monotonic() + 10
    with redis_server.admin() as admin:
        while len(admin.client_list()) > 1 and time.monotonic() < end:
            time.sleep(0.01)
        assert len(admin.client_list()) == 1
