"""Helpers for the tests of feeds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dify_async import DashboardFeed, Snapshot
from dify_async.testing import FakeDifyServer
from tests.support import until

SELDOM = 3600.0


def listings(fake: FakeDifyServer) -> int:
    """How often the apps were listed: once per refresh."""
    return fake.count("GET", "/apps")


def ranges(fake: FakeDifyServer) -> set[str]:
    """The queries for statistics."""
    return {request.query for request in fake.requests if "/statistics/" in request.path}


async def begin_refresh(fake: FakeDifyServer, feed: DashboardFeed, **fault: Any) -> asyncio.Task[Snapshot]:
    """Start a refresh, and return once it lists the apps, which is delayed or fails by the fault."""
    asked = listings(fake)
    fake.inject("/apps", times=1, **fault)
    refreshing = asyncio.create_task(feed.refresh())
    await until(lambda: listings(fake) == asked + 1)
    return refreshing


def same(one: Snapshot, other: Snapshot) -> bool:
    return (one.dashboard, one.fetched_at) == (other.dashboard, other.fetched_at)


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    before = asyncio.all_tasks()
    yield
    assert [task for task in asyncio.all_tasks() - before if "aiohttp/web_" not in repr(task)] == []
