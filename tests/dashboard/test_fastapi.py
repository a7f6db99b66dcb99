"""Answers as the results of FastAPI routes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer
from tests.support import an_app

from .conftest import END, START


async def test_a_fastapi_route_returns_answers(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """FastAPI does not know msgspec: it fails with "'App' object is not iterable" without to_dict()."""
    import httpx
    from fastapi import FastAPI

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

    transport = httpx.ASGITransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as user:

        async def get(path: str) -> Any:
            answer = await user.get(path)
            assert answer.status_code == 200
            return answer.json()

        fake.inject(f"/apps/{an_app(fake)}/statistics/token-costs", status=500)
        found = await dify.dashboard(START, END, compare=True)
        assert await get("/dashboard") == json.loads(found.to_json())
        assert [app["name"] for app in await get("/apps")] == [app.name for app in await dify.apps()]
        assert len((await get("/page"))["data"]) == 2
        fake.remove_faults()
        rows = (await dify.statistics(an_app(fake), START, END)).token_costs
        assert rows
        first = (await get("/statistics"))["token_costs"][0]
        assert first["date"] == rows[0].date.isoformat()
        assert Decimal(first["total_price"]) == rows[0].total_price
