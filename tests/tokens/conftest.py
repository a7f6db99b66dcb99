"""A Redis for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def _redis_of_all() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(_redis_of_all: RedisServer) -> RedisServer:
    """Empty; not to be killed."""
    with _redis_of_all.admin() as client:
        client.flushall()
    return _redis_of_all
