"""Lists with many pages: iteration ends, without duplicates."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dify_async import AsyncDifyServer, DifyDecodeError
from dify_async.testing import FakeDifyServer
from tests.client.support import rows_of
from tests.support import client


def app(number: int) -> dict[str, object]:
    return {"id": f"app-{number}", "name": "", "mode": "chat"}


@asynccontextmanager
async def client_of(console: web.Application) -> AsyncIterator[AsyncDifyServer]:
    async with (
        TestServer(console) as server,
        AsyncDifyServer(str(server.make_url("/")), admin_api_key="k", workspace_id="w") as dify,
    ):
        yield dify


# The rows and has_more of each page, by its number (from 1).
SERVERS: dict[str, tuple[Callable[[int], tuple[list[int], bool]], list[int]]] = {
    "one page": (lambda _: ([1, 2], False), [1, 2]),
    "nothing": (lambda _: ([], False), []),
    "the same page again": (lambda _: ([1, 2], True), [1, 2]),
    "empty pages with has_more": (lambda page: ([1] if page == 1 else [], True), [1]),
    "rows that repeat over pages": (lambda page: ([page, page + 1, page + 2], page < 3), [1, 2, 3, 4, 5]),
    "a row twice on a page": (lambda _: ([1, 1, 2], False), [1, 2]),
}


@pytest.mark.parametrize("name", SERVERS)
async def test_iteration_ends_without_duplicates(name: str) -> None:
    """1.11.2/04_apps_list_created_at_ties_page_1: 30 rows over 3 pages held 29 ids."""
    pages, expected = SERVERS[name]
    asked = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        rows, has_more = pages(int(request.query["page"]))
        body = {"data": [app(n) for n in rows], "has_more": has_more, "page": 1, "limit": 20, "total": 999}
        return web.json_response(body)

    console = web.Application()
    console.router.add_get("/console/api/apps", answer)
    async with client_of(console) as dify:
        assert [one.id async for one in dify.apps_page(limit=100)] == [f"app-{n}" for n in expected]
        assert asked <= 3
        assert [one.id for one in await dify.apps()] == [f"app-{n}" for n in expected]


ID = "00000000-0000-4000-8000-000000000001"


def endless_rows() -> web.Application:
    """Every page is full of new rows and has more, though `total` stays 250."""
    numbers = itertools.count()

    async def page(request: web.Request) -> web.Response:
        rows = [app(next(numbers)) for _ in range(int(request.query["limit"]))]
        body = {"data": rows, "has_more": True, "page": 1, "limit": len(rows), "total": 250}
        return web.json_response(body)

    async def part(request: web.Request) -> web.Response:
        runs = [{"id": str(next(numbers))} for _ in range(int(request.query["limit"]))]
        body = {"data": runs, "has_more": True, "limit": len(runs)}
        return web.json_response(body)

    async def zone(_: web.Request) -> web.Response:
        return web.json_response({"id": ID, "name": "", "email": "", "timezone": "UTC"})

    console = web.Application()
    console.router.add_get("/console/api/apps", page)
    console.router.add_get("/console/api/account/profile", zone)
    console.router.add_get(f"/console/api/apps/{ID}/workflow-runs", part)
    return console


async def test_an_endless_list() -> None:
    """Iteration ends with an error when the list is much longer than its total."""
    async with client_of(endless_rows()) as dify:
        for call in (dify.apps(), dify.dashboard(days=1)):
            with pytest.raises(DifyDecodeError, match=r"GET /apps: .* after 16 pages"):
                await call
        with pytest.raises(DifyDecodeError, match="after 60 pages"):
            await rows_of(dify.iter_apps(page_size=10))


async def test_an_endless_list_with_a_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no total, so only the number of pages is limited."""
    monkeypatch.setattr("dify_async._api.paging.MAX_PAGE", 5)
    async with client_of(endless_rows()) as dify:
        with pytest.raises(DifyDecodeError, match=r"/workflow-runs: .* after 5 pages"):
            await rows_of(dify.workflow_runs(ID, limit=100))


@pytest.mark.parametrize("total", [0, 10**9])
async def test_an_endless_list_of_sparse_pages(total: int) -> None:
    """One new row per page: the total says nothing about the end."""
    numbers = itertools.count()

    async def page(_: web.Request) -> web.Response:
        body = {"data": [app(next(numbers))], "has_more": True, "page": 1, "limit": 100, "total": total}
        return web.json_response(body)

    console = web.Application()
    console.router.add_get("/console/api/apps", page)
    console.router.add_get(f"/console/api/apps/{ID}/workflow-runs", page)
    async with client_of(console) as dify:
        for call in (dify.apps(), rows_of(dify.workflow_runs(ID, limit=100))):
            with pytest.raises(DifyDecodeError, match="announces more rows after 112 pages"):
                await call


async def test_a_long_list_without_a_total() -> None:
    """Full pages go on until has_more is False."""
    last = 150

    async def page(request: web.Request) -> web.Response:
        number = int(request.query["page"])
        body = {"data": [app(number)], "has_more": number < last, "page": number, "limit": 1, "total": 0}
        return web.json_response(body)

    console = web.Application()
    console.router.add_get("/console/api/apps", page)
    async with client_of(console) as dify:
        assert len(await rows_of(dify.iter_apps(page_size=1))) == last


async def test_a_list_that_grows_while_it_is_read() -> None:
    """The total of the latest page counts, not that of the first."""
    async with FakeDifyServer(apps=3) as fake, client(fake) as dify:
        ids = set()
        async for one in dify.iter_apps(page_size=1):
            ids.add(one.id)
            if len(fake.apps) < 40:
                fake.add_app("Older", "chat", created_at=1_000_000 - len(ids))
        assert len(ids) == 40


async def test_leaving_the_loop_early_requests_no_more_pages() -> None:
    async with FakeDifyServer(apps=30) as fake, client(fake) as dify:
        async for _ in dify.iter_apps(page_size=10):
            break
        assert fake.count("GET", "/apps") == 1
        assert len([one async for one in dify.iter_apps(page_size=10)]) == 30
        assert fake.count("GET", "/apps") == 4


async def test_250_apps() -> None:
    async with FakeDifyServer(apps=250) as fake, client(fake) as dify:
        assert len({one.id for one in await dify.apps()}) == 250
        assert fake.count("GET", "/apps") == 3
