"""The recipes give the right results; `test_documents` checks only that they run."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from anyio.from_thread import start_blocking_portal

from dify_async import AsyncDifyServer, DashboardFeed
from dify_async.testing import FakeDifyServer
from tests.documents import block, execute

pytestmark = pytest.mark.slow


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDifyServer]:
    """A fake on another thread, configured by the environment."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakeDifyServer()) as serving:
        monkeypatch.setenv("DIFY_BASE_URL", serving.base_url)
        monkeypatch.setenv("DIFY_EMAIL", serving.email)
        monkeypatch.setenv("DIFY_PASSWORD", serving.password)
        yield serving


def recipe(page: str, heading: str, console: FakeDifyServer) -> dict[str, Any]:
    return execute(block(f"docs/{page}.md", heading).code, console)


@pytest.mark.calendar
async def test_fastapi(console: FakeDifyServer) -> None:
    import httpx

    service = recipe("frameworks", "FastAPI", console)["service"]
    app = next(app.id for app in console.apps if app.mode == "chat")
    async with (
        service.router.lifespan_context(service),
        httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://service") as user,
    ):
        answer = await user.get(f"/messages/{app}")
        assert answer.status_code == 200
        assert answer.json()
        assert all(day["message_count"] > 0 for day in answer.json())
        assert (await user.get("/dashboard")).json()["apps"]
        assert (await user.get("/messages/..%5C")).status_code == 422
        assert (await user.get("/messages/00000000-0000-4000-8000-000000000000")).status_code == 502
    assert console.count("POST", "/login") == 1


@pytest.fixture
async def page(console: FakeDifyServer) -> AsyncIterator[TestClient[Any, Any]]:
    service = recipe("frameworks", "aiohttp.web", console)["service"]
    async with TestClient(TestServer(service)) as client:
        yield client


async def test_aiohttp(console: FakeDifyServer, page: TestClient[Any, Any]) -> None:
    for _ in range(2):
        answer = await page.get("/dashboard")
        assert len(msgspec.json.decode(await answer.read())["apps"]) == len(console.apps)
    assert console.count("GET", "/apps") == 1


@pytest.mark.calendar
def test_celery(console: FakeDifyServer) -> None:
    report = recipe("jobs", "Celery", console)["report"]
    day = date.today() - timedelta(days=2)
    assert sum(report.apply(args=[str(day - timedelta(days=back))]).get() for back in range(7)) > 0


async def test_arq(console: FakeDifyServer) -> None:
    """An arq worker calls these functions; it is not installed, since it declares redis<6."""
    worker = recipe("jobs", "arq", console)["WorkerSettings"]
    (report,) = worker.functions
    context: dict[str, Any] = {}
    await worker.on_startup(context)
    try:
        day = date.today() - timedelta(days=2)
        assert sum([await report(context, str(day - timedelta(days=back))) for back in range(7)]) > 0
    finally:
        await worker.on_shutdown(context)
    assert console.count("POST", "/login") == 1


def test_django(console: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings  # type: ignore[import-untyped]
    from django.test import Client  # type: ignore[import-untyped]
    from django.urls import clear_url_caches  # type: ignore[import-untyped]

    views = recipe("frameworks", "Django", console)
    monkeypatch.setitem(sys.modules, "dify_urls", types.SimpleNamespace(urlpatterns=views["urlpatterns"]))
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF="dify_urls")
    clear_url_caches()  # of the views of an earlier run
    answer = Client().get("/dashboard/")
    try:
        assert answer.status_code == 200
        assert len(answer.json()["apps"]) == len(console.apps)
        console.inject("/apps", status=500)
        assert Client().get("/dashboard/").status_code == 502
    finally:
        views["dify"]().close()
    assert console.count("POST", "/login") == 1


async def test_health(console: FakeDifyServer) -> None:
    found = recipe("deployment", "Health checks", console)
    async with AsyncDifyServer.from_env() as dify, DashboardFeed(dify, period="yesterday") as feed:
        service = web.Application()
        service[found["FEED"]] = feed
        service.router.add_get("/health", found["health"])
        async with TestClient(TestServer(service)) as user:
            assert (await user.get("/health")).status == 503
            await feed.get()
            assert (await user.get("/health")).status == 200


@pytest.mark.calendar
async def test_tutorial(console: FakeDifyServer) -> None:
    service = recipe("tutorial", "6. Serve a page", console)["service"]
    async with TestClient(TestServer(service)) as user:
        text = await (await user.get("/")).text()
    assert text.count("<tr>") == 1 + len(console.apps)


@pytest.mark.calendar
async def test_alerts(console: FakeDifyServer, capsys: pytest.CaptureFixture[str]) -> None:
    code = block("docs/alerts.md", "Send cost alerts").code.replace('"0.01"', '"-1"')
    await asyncio.to_thread(execute, code, console)
    assert "USD yesterday" in capsys.readouterr().out
