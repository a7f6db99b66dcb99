"""Sync clients that share a token store, each with an event loop in a thread of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from dify_async import MemoryTokenStore
from dify_async.testing import FakeDifyServer
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
