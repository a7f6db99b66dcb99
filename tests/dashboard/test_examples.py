"""The FastAPI example as a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer
from tests.programs import line_with, started
from tests.support import client, zone_at_noon
from tests.test_examples import settings

pytestmark = pytest.mark.slow

SERVICE: Final = "examples/fastapi_service.py"


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(apps=6, timezone=zone_at_noon()) as server:
        yield server


async def test_fastapi_service(fake: FakeDifyServer) -> None:
    async with (
        started(SERVICE, "--port", "0", **settings(fake)) as process,
        aiohttp.ClientSession() as session,
        client(fake) as dify,
    ):
        address = (await line_with(process, r"Uvicorn running on (http://\S+)"))[1]

        async def get(query: str) -> tuple[int, Any]:
            async with session.get(f"{address}/dashboard?{query}") as answer:
                return answer.status, await answer.json()

        dashboard = await dify.dashboard(days=7, mode="chat", compare=True)
        answers = await asyncio.gather(*(get("days=7&mode=chat&compare=true") for _ in range(5)))
        assert answers == [(200, json.loads(dashboard.to_json()))] * 5
        # All requests share one session.
        assert fake.count("POST", "/login") == 2
        assert (await get("days=0"))[0] == 422
        assert (await get("mode=nonsense"))[0] == 422
        fake.inject("/apps", status=403)
        status, body = await get("")
        assert (status, body["error"]) == (502, "DifyPermissionError")
