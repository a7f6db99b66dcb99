"""Lists can be awaited, iterated over, and run as tasks."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from dify_async import (
    App,
    AsyncDifyServer,
    CursorPage,
    DifyError,
    DifyNotFoundError,
    DifyServerError,
    Page,
    Paginator,
)
from dify_async.testing import FakeDifyServer
from tests.client.support import busy, rows_of
from tests.support import UNKNOWN, an_app, client, until

# Every list, with a page of two rows.
LISTS: dict[str, Callable[[AsyncDifyServer, FakeDifyServer], Paginator[Any, Any]]] = {
    "apps": lambda dify, _: dify.apps(),
    "apps_page": lambda dify, _: dify.apps_page(limit=2),
    "chat_conversations": lambda dify, fake: dify.chat_conversations(busy(fake, "chat"), limit=2),
    "completion_conversations": lambda dify, fake: dify.completion_conversations(
        busy(fake, "completion"), limit=2
    ),
    "annotations": lambda dify, fake: dify.annotations(an_app(fake), limit=2),
    "workflow_runs": lambda dify, fake: dify.workflow_runs(busy(fake, "workflow"), limit=2),
    "workflow_app_logs": lambda dify, fake: dify.workflow_app_logs(busy(fake, "workflow"), limit=2),
    "datasets": lambda dify, _: dify.datasets(),
    "datasets_page": lambda dify, _: dify.datasets_page(limit=2),
}


@pytest.mark.parametrize("name", LISTS)
async def test_each_list_is_awaited_and_iterated_over(pinned: FakeDifyServer, name: str) -> None:
    async with client(pinned) as dify:
        result = await LISTS[name](dify, pinned)
        rows = await rows_of(LISTS[name](dify, pinned))
        assert len(rows) == len({row.id for row in rows}) > 2
        if isinstance(result, list):
            assert result == rows
        else:
            assert isinstance(result, Page | CursorPage)
            assert result.data == rows[:2]
            assert result.has_more


@pytest.mark.parametrize("name", LISTS)
async def test_an_unused_list_does_nothing(pinned: FakeDifyServer, name: str) -> None:
    """No request, and no warning that a coroutine was never awaited."""
    async with client(pinned) as dify:
        LISTS[name](dify, pinned)
        found = LISTS[name](dify, pinned)
        found.close()
        del found
        gc.collect()
    assert pinned.requests == []


async def test_pages_are_fetched_when_they_are_needed(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    found = dify.apps_page(limit=2)
    assert fake.requests == []
    iterator = aiter(found)
    assert fake.requests == []
    for count, requests in ((1, 1), (2, 1), (3, 2), (4, 2), (5, 3)):
        await anext(iterator)
        assert fake.count("GET", "/apps") == requests, count


async def test_page_and_limit_are_where_iteration_starts(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    apps = await dify.apps()
    assert await rows_of(dify.apps_page(page=3, limit=2)) == apps[4:]
    assert await rows_of(dify.apps_page(page=99, limit=2)) == []
    sent = [request.query for request in fake.requests if request.path == "/apps"]
    assert any("page=3&limit=2" in query for query in sent)


async def test_iteration_starts_after_a_cursor(pinned: FakeDifyServer) -> None:
    async with client(pinned) as dify:
        app = busy(pinned, "workflow")
        runs = await dify.workflow_runs(app)
        assert len(runs) == 3
        assert await rows_of(dify.workflow_runs(app, last_id=runs[0].id, limit=1)) == runs[1:]


async def test_each_use_makes_its_own_requests(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    found = dify.apps_page(limit=2)
    first = await found
    assert await found == first
    assert (await rows_of(found))[:2] == first.data == (await rows_of(found))[:2]
    fake.add_app("Newest", "chat", created_at=2_000_000_000)
    assert (await found)[0].name == "Newest"
    assert await asyncio.create_task(found) == await asyncio.create_task(found)


async def test_one_list_in_many_tasks(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Each task makes its own requests."""
    found = dify.apps_page(limit=2)
    await dify.profile()
    before = fake.count("GET", "/apps")
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(found) for _ in range(3)]
        iterations = [tasks.create_task(rows_of(found)) for _ in range(2)]
    pages = [task.result() for task in running]
    assert pages[0] == pages[1] == pages[2]
    assert iterations[0].result() == iterations[1].result()
    of_one = (len(fake.apps) + 1) // 2
    assert fake.count("GET", "/apps") - before == 3 + 2 * of_one


async def test_lists_are_coroutines(dify: AsyncDifyServer) -> None:
    apps = await dify.apps()
    assert isinstance(dify.apps(), Coroutine)
    assert asyncio.iscoroutine(dify.apps())
    assert await asyncio.create_task(dify.apps()) == apps
    together, page = await asyncio.gather(dify.apps(), dify.apps_page(limit=1))
    assert (together, page.data) == (apps, apps[:1])
    assert await asyncio.wait_for(dify.apps(), 60) == apps
    assert await asyncio.ensure_future(dify.apps()) == apps
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(dify.apps())
    assert task.result() == apps
    async with anyio.create_task_group() as group:
        group.start_soon(dify.apps)
    assert "Paginator of GET /apps" in repr(task)
    assert "await" in repr(dify.apps())


async def test_errors_reach_the_caller(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """They name the call."""
    found = dify.chat_conversations(UNKNOWN)
    path = rf"GET /apps/{UNKNOWN}/chat-conversations: 404"
    for use in (lambda: found, lambda: rows_of(found), lambda: asyncio.create_task(found)):
        with pytest.raises(DifyNotFoundError, match=path):
            await use()
    fake.inject("/apps", status=500)
    with pytest.raises(DifyServerError, match="GET /apps: 500"):
        await asyncio.wait_for(dify.apps(), 60)
    async with client(fake) as closed:
        found = closed.chat_conversations(an_app(fake))
    with pytest.raises(DifyError, match="not open"):
        await found


async def test_cancelling_a_task(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    await dify.profile()
    fake.inject("/apps", delay=60)
    not_started = asyncio.create_task(dify.apps())
    not_started.cancel()
    with pytest.raises(asyncio.CancelledError):
        await not_started
    assert fake.count("GET", "/apps") == 0
    found = dify.apps_page()
    task = asyncio.create_task(found)
    await until(lambda: dify._limiter.taken == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(found, 0.05)
    assert dify._limiter.taken == 0


async def test_cancelling_an_iteration(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """The rows of the pages so far were given, and nothing is left behind."""
    given: list[App] = []
    reached = asyncio.Event()

    async def iterate() -> None:
        async for app in dify.apps_page(limit=2):
            given.append(app)
            if len(given) == 2:
                fake.inject("/apps", delay=60)
                reached.set()

    task = asyncio.create_task(iterate())
    await reached.wait()
    await until(lambda: dify._limiter.taken == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(given) == 2
    assert dify._limiter.taken == 0
    assert (await dify.profile()).email == fake.email


async def test_leaving_the_loop(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    async for _ in dify.apps_page(limit=2):
        break

    async def fail() -> None:
        async for _ in dify.apps_page(limit=2):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert fake.count("GET", "/apps") == 2
    assert dify._limiter.taken == 0


async def test_a_page_is_a_sequence_of_its_rows(dify: AsyncDifyServer) -> None:
    page = await dify.apps_page(limit=3)
    assert [*page] == page.data == page[:]
    assert (len(page), page[0], page[-1]) == (3, page.data[0], page.data[2])
    with pytest.raises(IndexError):
        page[3]
    assert not Page(data=[])
    runs: CursorPage[int] = CursorPage(data=[1, 2])
    assert (list(runs), len(runs), runs[1]) == ([1, 2], 2, 2)
