"""A call that is cut short at any of its awaits leaves nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer
from tests.support import client, until

Call = Callable[[AsyncDifyServer], Awaitable[object]]


@pytest.fixture
def version() -> str:
    return "1.11.2"


class CancelledAt:
    """Awaits a call, and cancels its own task at one of the call's suspensions."""

    def __init__(self, call: Awaitable[object], at: int) -> None:
        self._call = call
        self._at = at
        self.reached = False

    def __await__(self) -> Generator[Any, Any, object]:
        inner = self._call.__await__()
        step: Callable[[Any], Any] = inner.send
        argument: Any = None
        for number in itertools.count():
            try:
                future = step(argument)
            except StopIteration as end:
                return end.value
            if number == self._at:
                self.reached = True
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                step, argument = inner.send, (yield future)
            except BaseException as error:  # noqa: BLE001 - it is handed on
                step, argument = inner.throw, error
        raise AssertionError


async def profile(dify: AsyncDifyServer) -> object:
    return await dify.profile()


async def statistics(dify: AsyncDifyServer) -> object:
    return await dify.statistics_many(await dify.apps())


CALLS: dict[str, Call] = {"profile": profile, "statistics": statistics}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("state", ["cold", "warm", "expired"])
async def test_a_call_is_cancelled_at_each_of_its_awaits(fake: FakeDifyServer, call: str, state: str) -> None:
    """gcloud-aio#500, redis-py#3847: no slot, connection or task stays behind, and the client goes on."""
    for at in itertools.count():
        async with client(fake, max_concurrency=3) as dify:
            if state != "cold":
                await dify.profile()
            if state == "expired":
                fake.expire_access_tokens()
            walk = CancelledAt(CALLS[call](dify), at)
            task = asyncio.ensure_future(_awaited(walk))
            await asyncio.wait([task])
            assert task.cancelled() == walk.reached, task
            await until(lambda: not _running())
            session = dify._transport._session
            assert session is not None
            assert session.connector is not None
            assert dify._slots.taken == 0
            assert not dify._slots._waiting
            assert not session.connector._acquired
            await dify.profile()
        if not walk.reached:
            break
    assert at > 0  # it was cancelled at least once


async def _awaited(walk: CancelledAt) -> object:
    return await walk


def _running() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if "dify_async" in task.get_name()]


@pytest.mark.parametrize("taken", [1, 3])
async def test_leaving_a_list_or_a_stream_early(
    fake: FakeDifyServer, dify: AsyncDifyServer, taken: int
) -> None:
    apps = await dify.apps()
    before = asyncio.all_tasks()
    seen = 0
    async with dify.stream_statistics(apps) as arriving:
        async for _ in arriving:
            seen += 1
            if seen == taken:
                break
    left = {task for task in asyncio.all_tasks() - before if "aiohttp/web_" not in repr(task)}
    assert left == set()
    assert dify._slots.taken == 0
    async for _ in dify.iter_apps(page_size=2):
        break
    assert dify._slots.taken == 0
    await dify.profile()
    assert fake.count("POST", "/login") == 1
