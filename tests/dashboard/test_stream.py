"""Streams of a dashboard, and overloaded servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from uuid import UUID

import anyio
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dify_async import (
    AsyncDifyServer,
    Dashboard,
    DashboardUpdate,
    DifyServerError,
    RetryPolicy,
)
from dify_async.testing import FakeDifyServer
from tests.support import an_app, until

from .conftest import END, START


def tasks_of_ours(before: set[asyncio.Task[object]]) -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() - before if "aiohttp/web_" not in repr(task)]


async def test_each_app_arrives_when_it_is_complete(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    slow = (await dify.apps())[0].id
    held = fake.inject(f"/apps/{slow}/*", delay=3, times=1)  # longer than a busy machine needs
    updates: list[DashboardUpdate] = []
    async with dify.stream_dashboard(START, END, compare=True) as coming:
        assert coming.total == len(fake.apps)
        async for update in coming:
            updates.append(update)
            if len(updates) == 3:
                part = await coming.dashboard()
                assert {app.app_id for app in part.apps} == {one.app.app_id for one in updates}
        whole = await coming.dashboard()
    assert held.hits == 1
    assert [(one.done, one.total) for one in updates] == [(n, 6) for n in range(1, 7)]
    assert updates[0].app.app_id != slow
    assert whole == await dify.dashboard(START, END, compare=True)
    assert part.totals != whole.totals


@pytest.mark.parametrize("way", ["break", "raise", "cancel", "leave before the first"])
async def test_leaving_early_cancels_all_requests(
    fake: FakeDifyServer, dify: AsyncDifyServer, way: str
) -> None:
    fake.inject(f"/apps/{an_app(fake)}/*", delay=30.0)
    before = asyncio.all_tasks()

    async def use() -> None:
        async with dify.stream_dashboard(START, END) as updates:
            if way == "leave before the first":
                return
            async for _ in updates:
                if way == "break":
                    break
                if way == "raise":
                    raise KeyError(way)
                asyncio.get_running_loop().call_soon(using.cancel)

    using = asyncio.create_task(use())
    ends = {"raise": KeyError, "cancel": asyncio.CancelledError}.get(way)
    with pytest.raises(ends) if ends else contextlib.nullcontext():
        await using
    assert tasks_of_ours(before) == []
    assert dify._limiter.taken == 0
    # No connection is left in use.
    session = dify._transport._session
    assert session is not None
    assert session.connector is not None
    assert len(session.connector._acquired) == 0
    asked = len(fake.requests)
    await dify.profile()
    assert len(fake.requests) == asked + 1


async def test_a_raised_error_cancels_the_other_requests(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    fake.inject(f"/apps/{an_app(fake)}/statistics/daily-messages", status=500)
    before = asyncio.all_tasks()

    async def use() -> Dashboard:
        async with dify.stream_dashboard(START, END, on_error="raise") as updates:
            return await updates.collect()

    with pytest.raises(DifyServerError):
        await use()
    assert tasks_of_ours(before) == []
    assert dify._limiter.taken == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_an_overloaded_server_gets_fewer_requests(status: int) -> None:
    """It answers 429 or 503 above four concurrent requests, and then gets about four."""
    at_once, most, refused, answered = 0, Counter[str](), Counter[str](), 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal at_once, answered
        if not request.path.endswith("daily-messages"):
            return web.json_response({"id": request.path.rsplit("/", 1)[1], "name": "", "mode": "chat"})
        phase = "early" if answered < 100 else "late"
        at_once += 1
        most[phase] = max(most[phase], at_once)
        try:
            overloaded = at_once > 4
            await anyio.sleep(0.002)
            if overloaded:
                refused[phase] += 1
                return web.json_response({"code": "busy", "message": "busy", "status": status}, status=status)
            answered += 1
            return web.json_response({"data": []})
        finally:
            at_once -= 1

    console = web.Application()
    console.router.add_get("/{tail:.*}", answer)
    patient = RetryPolicy(attempts=20, base_delay=0.001, max_delay=0.01)
    async with (
        TestServer(console) as server,
        AsyncDifyServer(
            str(server.make_url("/")), admin_api_key="k", workspace_id="w", server_version="1.11.2",
            max_concurrency=32, retry=patient,
        ) as dify,
    ):  # fmt: skip
        apps = [UUID(int=number) for number in range(400)]
        found = await dify.statistics_many(apps, START, END, metrics=["daily_messages"])
        assert not any(one.errors for one in found)
        assert answered == 400
        await until(lambda: at_once == 0)
    assert most["early"] == 32
    assert most["late"] <= 8
    assert refused["late"] < 0.5 * 300
    assert dify._limiter.allowed < 16
