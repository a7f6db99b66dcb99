"""aiohttp and msgspec: this client, a tuned handwritten loop, and an idiomatic one."""

from __future__ import annotations

from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from yarl import URL

from benchmarks.bodies import END, START, app_id
from benchmarks.contenders import APPS, HEADERS, QUERY, url_of
from dify_async import AsyncDifyServer, MemoryTokenStore, TokenCosts


class Answer(msgspec.Struct):
    data: list[TokenCosts]


class Ours:
    """This client."""

    def __init__(self, base_url: str, *, apps: int = APPS) -> None:
        self._apps = apps
        self.dify = AsyncDifyServer(
            base_url, "owner@example.com", "secret", max_concurrency=1000, token_store=MemoryTokenStore()
        )

    async def __aenter__(self) -> Self:
        await self.dify.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.dify.__aexit__(kind, error, trace)

    async def call(self, number: int) -> int:
        return len(await self.dify.token_costs(app_id(number % self._apps), START, END))


class _OnSession:
    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._decode = msgspec.json.Decoder(Answer, strict=False).decode
        self.session: aiohttp.ClientSession

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()


class Bare(_OnSession):
    """Handwritten and tuned: no cookie jar, cached URLs, a cached decoder, no timeout."""

    def __init__(self, base_url: str, *, apps: int = APPS) -> None:
        super().__init__(base_url)
        self._apps = apps
        self._url = lru_cache(maxsize=8192)(lambda number: URL(url_of(base_url, number), encoded=True))

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def call(self, number: int) -> int:
        return await self._days(self._url(number % self._apps))

    async def _days(self, url: URL) -> int:
        async with self.session.get(url, headers=HEADERS, allow_redirects=False) as answer:
            body = await answer.read()
        return len(self._decode(body).data)


class BareWithNewUrls(Bare):
    """Handwritten and tuned, with a new URL per call."""

    async def call(self, number: int) -> int:
        return await self._days(URL(f"{url_of(self._base_url, number)}&n={number}", encoded=True))


class Idiomatic(_OnSession):
    """Handwritten as in aiohttp's documentation: parameters, cookie jar, and the session's headers."""

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)
        names = ("access_token", "refresh_token", "csrf_token")
        jar.update_cookies({name: f"{name}-{'x' * 180}" for name in names}, URL(self._base_url))
        headers = {"X-CSRF-Token": HEADERS["X-CSRF-Token"]}
        self.session = aiohttp.ClientSession(self._base_url, cookie_jar=jar, headers=headers)
        return self

    async def call(self, number: int) -> int:
        path = f"/console/api/apps/{app_id(number % APPS)}/statistics/token-costs"
        async with self.session.get(path, params=QUERY) as answer:
            answer.raise_for_status()
            return len(self._decode(await answer.read()).data)
