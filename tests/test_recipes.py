"""The recipes give the right results; `test_documents` checks only that they run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from anyio.from_thread import start_blocking_portal

from dify_async.testing import FakeDifyServer
from tests.documents import block, execute

pytestmark = pytest.mark.calendar


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDifyServer]:
    """A fake on another thread, configured by the environment."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakeDifyServer()) as serving:
        monkeypatch.setenv("DIFY_BASE_URL", serving.base_url)
        monkeypatch.setenv("DIFY_EMAIL", serving.email)
        monkeypatch.setenv("DIFY_PASSWORD", serving.password)
        yield serving


def recipe(heading: str, console: FakeDifyServer) -> dict[str, Any]:
    return execute(block("docs/recipes.md", heading).code, console)


async def test_fastapi(console: FakeDifyServer) -> None:
    service = recipe("FastAPI", console)["service"]
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
    service = recipe("aiohttp.web", console)["service"]
    async with TestClient(TestServer(service)) as client:
        yield client


async def test_aiohttp(console: FakeDifyServer, page: TestClient[Any, Any]) -> None:
    for _ in range(2):
        answer = await page.get("/dashboard")
        assert len(msgspec.json.decode(await answer.read())["apps"]) == len(console.apps)
    assert console.count("GET", "/apps") == 1


def test_celery(console: FakeDifyServer) -> None:
    report = recipe("A worker of Celery", console)["report"]
    day = date.today() - timedelta(days=2)
    assert sum(report.apply(args=[str(day - timedelta(days=back))]).get() for back in range(7)) > 0
