"""Other HTTP clients, with pydantic."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import Self

import httpx
import httpx2
import niquests
import pydantic
import requests

from benchmarks.contenders import HEADERS, url_of


class Row(pydantic.BaseModel):
    date: date
    token_count: int
    total_price: Decimal | None
    currency: str | None


class Answer(pydantic.BaseModel):
    data: list[Row]


class _OnHttpxClient:
    """httpx2 has the same interface as httpx."""

    def __init__(self, base_url: str, client: httpx.AsyncClient | httpx2.AsyncClient) -> None:
        self._base_url = base_url
        self._client = client

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def call(self, number: int) -> int:
        answer = await self._client.get(url_of(self._base_url, number))
        return len(Answer.model_validate_json(answer.content).data)


class Httpx(_OnHttpxClient):
    def __init__(self, base_url: str) -> None:
        limits = httpx.Limits(max_connections=None)
        super().__init__(base_url, httpx.AsyncClient(headers=HEADERS, limits=limits))


class Httpx2(_OnHttpxClient):
    def __init__(self, base_url: str) -> None:
        limits = httpx2.Limits(max_connections=None)
        super().__init__(base_url, httpx2.AsyncClient(headers=HEADERS, limits=limits))


class Niquests:
    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session = niquests.AsyncSession(pool_maxsize=100)
        for name, value in HEADERS.items():
            self._session.headers[name] = value

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, number: int) -> int:
        answer = await self._session.get(url_of(self._base_url, number))
        return len(Answer.model_validate_json(answer.content or b"").data)


class RequestsInThreads:
    """One requests.request() per call in a thread, as async code uses a blocking client."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def call(self, number: int) -> int:
        return await asyncio.to_thread(self._call, number)

    def _call(self, number: int) -> int:
        answer = requests.request("GET", url_of(self._base_url, number), headers=HEADERS, timeout=30)
        return len(Answer.model_validate_json(answer.content).data)
