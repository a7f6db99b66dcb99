"""What a call costs while the token is good, counted: nothing that it does not need."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from types import FrameType
from typing import Final, Self

import aiohttp

from dify_async import AsyncDifyServer, RedisTokenStore
from dify_async.testing import FakeDifyServer
from tests.redis_server import RedisServer
from tests.support import client, running, until

# The fake runs in this process, and makes URLs of its own by another way.
BUILDS_A_URL: Final = (
    ("yarl._url", "pre_encoded_url"),
    ("dify_async._transport", "_new_url"),
    ("dify_async._paths", "target"),
)
CLIENT: Final = ("dify_async._", "dify_async.client", "aiohttp.client", "aiohttp.connector", "anyio")
SIGNS_IN: Final = {
    "dify_async.redis_store",
    "dify_async._auth.store_guard",
    "dify_async._auth.single_flight",
    "dify_async._auth.password",
}


def test_aiohttp_has_its_parser_in_c() -> None:
    """The one in Python costs some ten times more; aiohttp takes it silently where the other is missing."""
    from aiohttp import http_parser  # noqa: PLC0415 - only this test looks inside

    assert http_parser.HttpResponseParser is not http_parser.HttpResponseParserPy


async def test_a_steady_call(fake: FakeDifyServer, redis_server: RedisServer) -> None:
    """No lock, no Redis, no cookie jar, no new task, and no URL that was built before."""
    store = RedisTokenStore(redis_server.url)
    async with client(fake, token_store=store) as dify:
        apps = [app.id for app in fake.apps]
        with _Calls() as first:
            await _round(dify, apps)
            await until(lambda: not running())
        with redis_server.admin() as admin:
            before = admin.info("commandstats")
            with _Calls() as steady:
                await _round(dify, apps)
            after = admin.info("commandstats")
        session = dify._transport._session
        assert session is not None
        assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
    await store.aclose()
    assert steady["dify_async._pipeline", "call"] >= 3 * len(apps)
    for what in BUILDS_A_URL:
        assert first[what] > 0, what
        assert steady[what] == 0, what
    assert first.modules >= SIGNS_IN
    assert not steady.modules & SIGNS_IN
    assert steady["asyncio.locks", "acquire"] == 0
    assert steady["http.cookies", "load"] == 0
    assert steady.modules.isdisjoint({"anyio._core._synchronization"})
    assert "dify_async._auth.single_flight" in first.start_tasks
    assert not [one for one in steady.start_tasks if one.startswith(CLIENT)]
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= {"cmdstat_info"}


async def _round(dify: AsyncDifyServer, apps: list[str]) -> None:
    for app in apps:
        await dify.app(app)
        await dify.get_app_api_key(app)
    await asyncio.gather(*(dify.app(app) for app in apps))


class _Calls(Counter[tuple[str, str]]):
    """Counts the calls of Python functions, by module and name."""

    @property
    def modules(self) -> set[str]:
        return {module for module, _ in self}

    def __init__(self) -> None:
        super().__init__()
        self.start_tasks: set[str] = set()  # modules that do

    def __enter__(self) -> Self:
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            self[_module(frame), frame.f_code.co_name] += 1
            if frame.f_code.co_name in {"create_task", "ensure_future"}:
                self.start_tasks.add(_module(frame.f_back))


def _module(frame: FrameType | None) -> str:
    return "" if frame is None else frame.f_globals.get("__name__", "")


async def test_long_filters_are_not_kept(fake: FakeDifyServer) -> None:
    """Services pass on what their users search for: 8,192 texts of 100 KB would be 990 MB."""
    async with client(fake) as dify:
        transport = dify._transport
        short = transport.url("/apps", (), (("page", 1),))
        assert transport.url("/apps", (), (("page", 1),)) is short
        for number in range(9_000):
            transport.url("/apps", (), (("name", f"{number} " + "x" * (20_000 if number % 9 else 300)),))
            transport.url("/apps/{}", (f"{number}",), ())
        kept = [len(str(url)) for url in transport._urls.values()]
        assert len(kept) <= 8192
        assert max(kept) <= 512
        assert transport.url("/apps/{}", ("8999",), ()) is transport.url("/apps/{}", ("8999",), ())
        assert transport.url("/apps", (), (("page", 1),)) == short
