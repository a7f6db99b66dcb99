"""Answers as the results of FastAPI routes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer
from tests.support import an_app

from .conftest import END, START

pytest.importorskip("fastapi")

from fastapi import FastAPI


async def test_a_fastapi_route_returns_answers(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """FastAPI does not know msgspec: it fails with "'App' object is not iterable" without to_dict()."""
    service = FastAPI()

    @service.get("/apps")
    async def apps() -> list[dict[str, object]]:
        return [app.to_dict() for app in await dify.apps()]

    @service.get("/page")
    async def page() -> dict[str, object]:
        return (await dify.apps_page(limit=2)).to_dict()

    @service.get("/statistics")
    async def statistics() -> dict[str, object]:
        return (await dify.statistics(an_app(fake), START, END)).to_dict()

    @service.get("/dashboard")
    async def whole() -> dict[str, object]:
        return (await dify.dashboard(START, END, compare=True)).to_dict()

    fake.inject(f"/apps/{an_app(fake)}/statistics/token-costs", status=500)
    found = await dify.dashboard(START, END, compare=True)
    assert await get(service, "/dashboard") == json.loads(found.to_json())
    assert [app["name"] for app in await get(service, "/apps")] == [app.name for app in await dify.apps()]
    assert len((await get(service, "/page"))["data"]) == 2
    fake.remove_faults()
    rows = (await dify.statistics(an_app(fake), START, END)).token_costs
    assert rows
    first = (await get(service, "/statistics"))["token_costs"][0]
    assert first["date"] == rows[0].date.isoformat()
    assert Decimal(first["total_price"]) == rows[0].total_price


async def get(service: FastAPI, path: str) -> Any:
    """The JSON that an ASGI application answers."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path,
             "raw_path": path.encode(), "query_string": b"", "headers": [], "scheme": "http", "root_path": "",
             "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)}  # fmt: skip
    await service(scope, receive, send)
    assert sent[0]["status"] == 200
    return json.loads(b"".join(message.get("body", b"") for message in sent[1:]))
