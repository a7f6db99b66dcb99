"""Calls leave no reference cycles: what they used is freed at once, not when garbage is collected."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType, FunctionType

import pytest

from dify_async import AsyncDifyServer, DifyError, RetryPolicy
from dify_async.testing import FakeApp, FakeDifyServer
from tests.support import client

APP = "00000000-0000-4000-8000-000000000001"


async def statistics(dify: AsyncDifyServer) -> object:
    return await dify.statistics(APP)


async def dashboard(dify: AsyncDifyServer) -> object:
    return await dify.dashboard(days=7)


async def usage(dify: AsyncDifyServer) -> object:
    return await dify.usage(days=2, by=("user", "model"))


async def conversations(dify: AsyncDifyServer) -> object:
    return [row async for row in dify.chat_conversations(APP, limit=10)]


async def app(dify: AsyncDifyServer) -> object:
    return await dify.app(APP)


async def change(dify: AsyncDifyServer) -> object:
    return await dify.create_app_api_key(APP)


async def login(dify: AsyncDifyServer) -> None:
    await dify.login()


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    apps = [FakeApp(id=APP, name="Busy", mode="chat", messages_per_day=6)]
    async with FakeDifyServer("1.15.0", apps=apps) as fake:
        yield fake


@contextmanager
def garbage() -> Iterator[list[object]]:
    """What only the garbage collector could free after this block."""
    found: list[object] = []
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += [thing for thing in gc.garbage if _is_of_the_package(thing)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


def _is_of_the_package(thing: object) -> bool:
    if isinstance(thing, FrameType):
        module = str(thing.f_globals.get("__name__"))
    elif isinstance(thing, FunctionType):
        module = thing.__module__
    else:
        module = type(thing).__module__
    return module.startswith("dify_async") and not module.startswith("dify_async.testing")


@pytest.mark.parametrize("call", [statistics, dashboard, usage, conversations, login])
async def test_a_call_that_succeeds(
    fake: FakeDifyServer, call: Callable[[AsyncDifyServer], Awaitable[object]]
) -> None:
    async with client(fake) as dify:
        await call(dify)  # what is created once
        with garbage() as left:
            await call(dify)
    assert left == []


@pytest.mark.parametrize("call", [app, change])
@pytest.mark.parametrize("fault", [{"status": 500}, {"cut": "before"}, {"cut": "after"}])
async def test_a_call_that_fails(
    fake: FakeDifyServer, call: Callable[[AsyncDifyServer], Awaitable[object]], fault: dict[str, object]
) -> None:
    async with client(fake, retry=RetryPolicy(attempts=2, base_delay=0, max_delay=0)) as dify:
        await dify.profile()
        for _ in range(2):
            with garbage() as left:
                fake.inject(**fault)  # type: ignore[arg-type]  # a parameter of the test
                try:
                    await call(dify)
                except DifyError:
                    pass
                else:
                    pytest.fail("the call succeeded")
                fake.remove_faults()
    assert left == []
