"""Lists can be awaited, iterated over, and run as tasks."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterable, Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any

import anyio
import pytest

from dify_async import (
    App,
    AsyncDifyServer,
    CursorPage,
    DifyConfigError,
    DifyError,
    DifyNotFoundError,
    DifyServerError,
    Page,
    Paginator,
)
from dify_async.testing import FakeDifyServer
from tests.support import VERSIONS, an_app, client, put_messages, until

UNKNOWN = "00000000-0000-4000-8000-000000000000"
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
DAY = date(2026, 11, 5)


def busy(fake: FakeDifyServer, mode: str) -> str:
    """An app with three messages: two in the same minute, and one at the next midnight."""
    app = next(one.id for one in fake.apps if one.mode == mode and one.messages_per_day)
    moments = [datetime(2026, 11, 5, 23, minute, 30, tzinfo=UTC) for minute in (58, 59)]
    put_messages(fake, app, [*moments, datetime(2026, 11, 6, tzinfo=UTC)])
    return app


async def rows_of(rows: AsyncIterable[Any]) -> list[Any]:
    return [row async for row in rows]


@pytest.fixture
async def pinned() -> Any:
    # No other test has this name of UTC: `put_messages` changes all fakes with it.
    async with FakeDifyServer("1.15.0", timezone="Etc/Universal", today=date(2026, 11, 7)) as fake:
        yield fake


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


@pytest.mark.parametrize("version", VERSIONS)
async def test_apps_of_mode_agent(fake: FakeDifyServer, dify: AsyncDifyServer, version: str) -> None:
    """1.15.0/04_apps_list_mode_all_with_agent_app: from 1.15 they are listed apart."""
    has_agents = tuple(map(int, version.split("."))) >= (1, 15)
    if has_agents:
        for number in range(2):
            fake.add_app(f"Agent {number}", "agent", created_at=2_000_000_000 + number)
    ids = {app.id for app in fake.apps}
    listed = await dify.apps()
    assert {app.id for app in listed} == ids
    assert [app.id for app in listed] == [app.id async for app in dify.apps()]
    assert [app.id for app in listed] == [app.id async for app in dify.iter_apps(page_size=3)]
    if has_agents:
        assert [app.mode for app in listed[-2:]] == ["agent", "agent"]
        assert [app.name for app in await dify.apps(name="Agent 1")] == ["Agent 1"]
        assert {app.mode for app in await dify.apps(mode="chat")} == {"chat"}
        assert not [app for app in await dify.apps_page(limit=100) if app.mode == "agent"]
    requests = [request.query for request in fake.requests if request.path == "/apps"]
    assert any("mode=agent" in query for query in requests) == has_agents


@pytest.mark.parametrize("version", ["1.9.1", "1.15.0"])
async def test_apps_of_a_server_that_hides_its_version(version: str) -> None:
    async with (
        FakeDifyServer(version, hide_version=True) as fake,
        client(fake, server_version=None if version == "1.15.0" else "1.9.1") as dify,
    ):
        await dify.login()
        dify._probe._fixed = None  # what the login needs was given
        assert {app.id for app in await dify.apps()} == {app.id for app in fake.apps}


@pytest.mark.parametrize("name", ["chat_conversations", "completion_conversations", "workflow_app_logs"])
async def test_ranges_of_a_day(pinned: FakeDifyServer, name: str) -> None:
    """A row at midnight belongs to the next day; the server includes it in both."""
    mode = {"workflow_app_logs": "workflow"}.get(name, name.removesuffix("_conversations"))
    app = busy(pinned, mode)
    async with client(pinned) as dify:
        listed = getattr(dify, name)
        sort = {"sort_by": "created_at"} if mode == "chat" else {}
        days = [DAY + timedelta(days=number) for number in range(-1, 3)]
        counts = [
            len(await rows_of(listed(app, start=day, end=day + timedelta(days=1), limit=1, **sort)))
            for day in days
        ]
        assert counts == [0, 2, 1, 0]
        assert [
            len(await listed(app, start=day, end=str(day + timedelta(days=1)), **sort)) for day in days
        ] == counts
        assert len(await rows_of(listed(app, start="2026-11-05T23:59:45Z", end="2026-11-05 23:59:46"))) == (
            0 if mode == "workflow" else 1
        )
        assert len(await listed(app, end="2026-11-06T01:00:00+01:00", **sort)) == 2
        assert len(await listed(app, start="2026-11-06T01:00:00+01:00", **sort)) == 1


@pytest.mark.parametrize("name", ["chat_conversations", "completion_conversations", "workflow_app_logs"])
async def test_an_empty_range_is_not_requested(pinned: FakeDifyServer, name: str) -> None:
    mode = {"workflow_app_logs": "workflow"}.get(name, name.removesuffix("_conversations"))
    async with client(pinned, server_version="1.15.0") as dify:
        listed = getattr(dify, name)
        for start, end in (("2026-11-05T10:00Z", "2026-11-05T12:00+02:00"), (DAY, "2026-11-05")):
            page = await listed(an_app(pinned, mode), start=start, end=end, page=2, limit=5)
            assert page == Page(data=[], page=2, limit=5)
            assert await rows_of(listed(an_app(pinned, mode), start=start, end=end)) == []
    assert not pinned.count("GET", "/apps/*/*")
    if mode != "workflow":
        assert pinned.requests == []


async def test_a_bound_without_a_zone_of_the_account() -> None:
    """Then a naive bound is used as it is, and an aware one cannot be converted."""
    async with FakeDifyServer("1.15.0", timezone="UTC") as fake, client(fake) as dify:
        fake.inject("/account/profile", body=b'{"id": "a", "name": "", "email": "", "timezone": null}')
        app = an_app(fake)
        await dify.chat_conversations(app, start="2026-10-01", end="2026-11-01")
        assert "start=2026-10-01%2000%3A00&end=2026-10-31%2023%3A59" in fake.requests[-1].query
        with pytest.raises(DifyConfigError, match="no time zone"):
            await dify.chat_conversations(app, start="2026-10-01T00Z")


async def test_the_repeated_hour_of_conversations() -> None:
    """Both of its halves are requested as the whole hour, and rows of the other one are dropped."""
    back = datetime(2026, 11, 1, 6, tzinfo=UTC)  # 02:00 becomes 01:00 in Detroit
    moments = [back + timedelta(minutes=30 * number) for number in range(-3, 3)]
    async with (
        FakeDifyServer("1.15.0", timezone="America/Detroit", today=date(2026, 11, 3)) as fake,
        client(fake) as dify,
    ):
        app = an_app(fake)
        put_messages(fake, app, moments)
        for first in range(6):
            for last in range(first, 6):
                found = dify.chat_conversations(
                    app, start=moments[first], end=moments[last], sort_by="created_at", limit=2
                )
                at = [talk.created_at async for talk in found]
                assert at == [int(moment.timestamp()) for moment in moments[first:last]]
