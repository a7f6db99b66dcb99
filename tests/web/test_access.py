"""Who may open the page: host names, the token, and the page under a prefix."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress

import aiohttp
import anyio
import pytest
from aiohttp import web

from dify_async import DifyConfigError
from dify_async.testing import FakeDifyServer
from dify_async.web import create_app
from tests.support import client, until
from tests.web.support import events_of, page_of, serving, streams

TOKEN = "a-token-of-the-page"


async def test_headers(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page:
        for path in ("/", "/static/main.js", "/static/vendor/uPlot.iife.min.js", "/api/numbers?days=0"):
            async with page.get(path) as answer:
                assert answer.status == (400 if "numbers" in path else 200)
                assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with page.get("/static/..%2Fapp.py") as answer:
            assert answer.status in {403, 404}


async def test_other_host_names_are_rejected(fake: FakeDifyServer) -> None:
    """DNS rebinding: another site lets its host name resolve to 127.0.0.1."""
    async with page_of(fake, hosts=["Dashboard.example.com"]) as page:
        for host, status in {
            **dict.fromkeys(
                ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil"), 403
            ),
            **dict.fromkeys(("127.0.0.1", "localhost", "[::1]", "localhost:80", "192.0.2.7:8000"), 200),
            "dashboard.example.com": 200,
            "DASHBOARD.example.com:8443": 200,
        }.items():
            for path in ("/", "/static/main.js"):
                async with page.get(path, headers={"Host": host}) as answer:
                    assert answer.status == status, host
        for host in ("evil example", "a:b:c", "[", "%00"):
            async with page.get("/", headers={"Host": host}) as answer:
                assert 400 <= answer.status < 500, host
    assert fake.count() == 0


async def test_wrong_arguments(fake: FakeDifyServer) -> None:
    async with client(fake) as dify:
        for hosts in (["https://dashboard.example.com"], ["dashboard.example.com:8000"], [""], "localhost"):
            with pytest.raises(DifyConfigError, match="hosts must be"):
                create_app(dify, hosts=hosts)
        for token in ("", "too short", "line\nbreak and more", 5):
            with pytest.raises(DifyConfigError, match="token must") as caught:
                create_app(dify, token=token)  # type: ignore[arg-type]
            assert "too short" not in str(caught.value)


async def test_a_page_with_a_token(fake: FakeDifyServer) -> None:
    async with page_of(fake, token=TOKEN) as page:
        for path in ("/api/numbers", "/api/snapshot?max_age=60", "/api/numbers.csv", "/api/month", "/none"):
            async with page.get(path) as answer:
                assert answer.status == 401, path
                assert "token" in (await answer.json())["what"]
        async with page.get("/?days=7") as answer:
            assert answer.status == 401
            assert "<form" in await answer.text()
        async with page.get("/static/style.css") as answer:
            assert answer.status == 200  # the form uses it
        for wrong in ("another-long-token", "", "\N{SNOWMAN}"):
            async with page.post("/token", data={"token": wrong}) as answer:
                assert answer.status == 401
                assert "data-wrong" in await answer.text()
                assert not answer.cookies
        assert fake.count() == 0
        async with page.get("/api/numbers?days=7", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert (await events_of(answer))[-1][0] == "done"
        async with page.post("/token?days=7", data={"token": TOKEN}, allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"] == "./?days=7"
            (cookie,) = answer.cookies.values()
            assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
            assert TOKEN not in cookie.value
        async with page.get("/?days=7") as answer:
            assert answer.status == 200
            assert "<form" not in (await answer.text()).partition("<main")[2]
        async with page.get("/api/numbers?days=7") as answer:
            assert (await events_of(answer))[-1][0] == "done"


async def test_a_mounted_page(fake: FakeDifyServer) -> None:
    """Under a prefix of another application, whose routes it leaves alone."""
    service = web.Application()
    service.router.add_get("/", _theirs)
    async with client(fake) as dify:
        service.add_subapp("/tools/dify/", create_app(dify, token=TOKEN, demo=True))
        async with serving(service) as url, aiohttp.ClientSession(url) as page:
            async with page.get("/", headers={"Host": "any.example"}) as answer:
                assert await answer.text() == "theirs"
                assert "Content-Security-Policy" not in answer.headers
            page.headers["Authorization"] = f"Bearer {TOKEN}"
            async with page.get("/tools/dify?days=7") as answer:
                assert answer.url.path_qs == "/tools/dify/?days=7"
                text = await answer.text()
                assert f'data-console="{fake.base_url}" data-demo' in text
                assert 'src="/' not in text
                assert 'href="/' not in text
            async with page.get("/tools/dify/static/main.js") as answer:
                assert answer.status == 200
            async with page.get("/tools/dify/api/numbers?days=7") as answer:
                assert (await events_of(answer))[-1][0] == "done"
            async with page.post("/tools/dify/token", data={"token": TOKEN}, allow_redirects=False) as answer:
                assert answer.cookies["dify_dashboard"]["path"] == "/tools/dify/"


async def _theirs(_: web.Request) -> web.Response:
    return web.Response(text="theirs")


async def test_stopping_whatever_clients_do(fake: FakeDifyServer) -> None:
    """Container runtimes kill after ten seconds; half of that allows for busy machines."""
    fake.inject("/apps/*/statistics/*", delay=30.0)
    async with client(fake) as dify, AsyncExitStack() as stack:
        service = await stack.enter_async_context(AsyncExitStack())
        url = await service.enter_async_context(serving(create_app(dify)))
        port = int(url.rpartition(":")[2])

        async def send(data: str) -> asyncio.StreamReader:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
            stack.callback(writer.close)
            writer.write(data.encode())
            return reader

        head = "GET /api/numbers HTTP/1.1\r\nHost: localhost\r\n"
        for data in (
            *("", "GET / HT", head, f"{head}Content-Length: 100\r\n\r\nhalf of it"),  # half-sent
            *[f"{head}\r\n"] * 20,  # running, and never read
            f"{head}Connection: keep-alive\r\n\r\n",
            "GET /api/snapshot?max_age=60 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /api/month HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ):
            await send(data)
        reading = asyncio.create_task((await send(f"{head}\r\n")).read())
        await until(lambda: fake.count("GET", "/apps/*/statistics/*") > 0)
        begun = time.monotonic()
        with anyio.fail_after(20):
            await service.aclose()
            with suppress(ConnectionError):
                await reading
        assert time.monotonic() - begun < 5
        assert streams() == []
