"""The service of the web page as a separate program, without a browser."""

from __future__ import annotations

import json
import runpy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from dify_async.testing import FakeDifyServer
from tests.dashboard.test_examples import line_with, started
from tests.support import client, until
from tests.test_examples import run, settings

PAGE: Final = "examples/web_dashboard"
Events = list[tuple[str, dict[str, Any]]]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(apps=10) as server:
        yield server


@asynccontextmanager
async def served(fake: FakeDifyServer, *arguments: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with started("-u", PAGE, "--port", "0", *arguments, **settings(fake)) as process:
        url = (await line_with(process, r"http://127\.0\.0\.1:\d+"))[0]
        async with aiohttp.ClientSession(url) as session:
            yield session


async def events_of(answer: aiohttp.ClientResponse) -> Events:
    assert answer.status == 200
    assert answer.content_type == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    blocks = (await answer.text()).split("\n\n")[:-1]
    pairs = [block.split("\n") for block in blocks]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in pairs]


@pytest.mark.calendar
async def test_the_stream_matches_the_dashboard(fake: FakeDifyServer) -> None:
    async with served(fake) as page, page.get("/numbers?days=7") as answer:
        events = await events_of(answer)
    async with client(fake) as dify:
        dashboard = json.loads((await dify.dashboard(days=7, compare=True)).to_json())
    *parts, (last, _) = events
    assert last == "done"
    assert {name for name, _ in parts} == {"part"}
    assert [part["done"] for _, part in parts if part["dashboard"]["apps"]] == list(
        range(1, len(fake.apps) + 1)
    )
    assert parts[0][1]["dashboard"]["period"]["zone"] == fake.timezone
    apps = [app for _, part in parts for app in part["dashboard"]["apps"]]
    assert sorted(apps, key=lambda app: str(app["app_id"])) == sorted(
        dashboard["apps"], key=lambda app: str(app["app_id"])
    )
    assert parts[-1][1]["dashboard"]["totals"] == dashboard["totals"]


async def test_totals_arrive_while_an_app_is_slow(fake: FakeDifyServer) -> None:
    fake.inject(f"/apps/{fake.apps[0].id}/*", delay=3600)
    async with served(fake) as page, page.get("/numbers") as answer:
        done = 0
        totals: dict[str, Any] = {}
        while done < len(fake.apps) - 1 or not totals:
            event = await answer.content.readuntil(b"\n\n")
            part = json.loads(event.partition(b"data: ")[2])
            done, totals = part["done"], part["dashboard"]["totals"]
    assert totals["tokens"]["total"] > 0


@pytest.mark.calendar
async def test_both_days_of_a_range_are_included(fake: FakeDifyServer) -> None:
    query = "start=2026-03-01&last=2026-03-03&mode=chat"
    async with served(fake) as page, page.get(f"/numbers?{query}") as answer:
        events = await events_of(answer)
    assert events[0][1]["dashboard"]["days"] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert {app["mode"] for _, part in events[1:-1] for app in part["dashboard"]["apps"]} == {"chat"}


async def test_invalid_ranges(fake: FakeDifyServer) -> None:
    async with served(fake) as page:
        for query in (
            *("days=0", "days=367", "days=ten", "start=2026-03-01", "last=2026-03-01"),
            *("start=2026-03-02&last=2026-03-01", "start=03/01/2026&last=2026-03-01"),
            *("start=2024-01-01&last=2026-03-01", "start=9999-12-31&last=9999-12-31"),
        ):
            async with page.get(f"/numbers?{query}") as answer:
                assert answer.status == 400, query
                assert "range" in await answer.text()
    assert fake.count() == 0


async def test_errors_of_the_server_are_events(fake: FakeDifyServer) -> None:
    fake.inject("/apps", status=403, body=b'{"code":"forbidden","message":"No apps for you."}')
    async with served(fake) as page, page.get("/numbers") as answer:
        ((name, data),) = await events_of(answer)
    assert name == "failed"
    assert "No apps for you." in data["reason"]


async def test_idle_streams_are_kept_open(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies close idle streams after a minute."""
    for name, value in settings(fake).items():
        monkeypatch.setenv(name, value)
    names = runpy.run_path(f"{PAGE}/app.py")
    app = names["make_app"]()
    names["make_app"].__globals__["KEEPALIVE"] = 0.02
    fake.inject("/apps", delay=30)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as session,
        session.get(server.make_url("/numbers")) as answer,
    ):
        for _ in range(2):
            assert await answer.content.readuntil(b"\n\n") == b": keepalive\n\n"


async def test_leaving_cancels_the_requests(fake: FakeDifyServer) -> None:
    fake.inject("/apps/*/statistics/*", delay=0.1)
    async with served(fake) as page:
        async with page.get("/numbers") as answer:
            await answer.content.readuntil(b"\n\n")
            await until(lambda: fake.count("GET", "/apps/*/statistics/*") > 0)
        await until(lambda: all(request.status is not None for request in fake.requests))
        asked = fake.count("GET", "/apps/*/statistics/*")
        assert asked <= 16  # of about 60
        # The next reader is served.
        async with page.get("/numbers?mode=workflow") as answer:
            assert (await events_of(answer))[-1][0] == "done"


async def test_headers_and_names(fake: FakeDifyServer) -> None:
    async with served(fake, "--name", "dashboard.example.com") as page:
        for path in ("/", "/static/main.js"):
            async with page.get(path) as answer:
                assert answer.status == 200
                assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for host, status in {"evil.example.com": 403, "dashboard.example.com": 200}.items():
            async with page.get("/", headers={"Host": host}) as answer:
                assert answer.status == status, host
        async with page.get("/static/../app.py") as answer:
            assert answer.status in {403, 404}


async def test_errors_on_startup(fake: FakeDifyServer) -> None:
    ended = await run(PAGE, "--port", "0", **settings(fake, DIFY_EMAIL=""))
    assert (ended.code, "Traceback" in ended.errors) == (2, False)
    assert "email is missing" in ended.errors
    async with served(fake) as page, page.get("/") as answer:
        ended = await run(PAGE, "--port", str(answer.url.port), **settings(fake))
    assert (ended.code, "Traceback" in ended.errors) == (2, False)
    assert "address already in use" in ended.errors
