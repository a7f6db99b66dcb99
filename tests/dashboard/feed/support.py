"""Helpers for the tests of feeds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from dify_async import Snapshot
from dify_async.testing import FakeDifyServer

SELDOM = 3600.0


def listings(fake: FakeDifyServer) -> int:
    """How often the apps were listed: once per refresh."""
    return fake.count("GET", "/apps")


def ranges(fake: FakeDifyServer) -> set[str]:
    """The queries for statistics."""
    return {request.query for request in fake.requests if "/statistics/" in request.path}


def same(one: Snapshot, other: Snapshot) -> bool:
    return (one.dashboard, one.fetched_at) == (other.dashboard, other.fetched_at)


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    before = asyncio.all_tasks()
    yield
    assert [task for task in asyncio.all_tasks() - before if "aiohttp/web_" not in repr(task)] == []
