"""The settings of a session that the caller passes in: headers, passwords, proxies and middlewares.

Reports: aiohttp#12556, aiohttp#10682.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.hdrs import METH_GET

from dify_async import DifyConfigError, DifyConnectionError
from dify_async.testing import FakeDifyServer
from tests.client.proxy import BASIC, Proxy
from tests.client.support import GATEWAY, HEADERS, KEY, SECRET, sent
from tests.support import ONCE, client, shown_by_trackers

DEPRECATED = pytest.mark.filterwarnings(
    "ignore:BasicAuth is deprecated", "ignore:The '.*auth' parameter is deprecated"
)


async def test_headers(fake: FakeDifyServer) -> None:
    """Those of the client take precedence, whatever their case."""
    async with (
        aiohttp.ClientSession(headers={**HEADERS, "X-Team": "a", "User-Agent": "robot/1"}) as session,
        client(fake, session=session, headers={"x-team": "b"}) as dify,
    ):
        await dify.profile()
    assert sent(fake, "CF-Access-Client-Secret") == {SECRET}
    assert sent(fake, "User-Agent") == {"robot/1"}
    assert sent(fake, "X-Team") == {"b"}


@pytest.mark.parametrize(
    ("headers", "options", "says"),
    [
        ({"Cookie": SECRET}, {}, "the session's headers must not contain Cookie"),
        ({"Content-Type": "text/plain"}, {}, "the session's headers must not contain Content-Type"),
        ({"Authorization": SECRET}, KEY, "the session's headers must not contain Authorization"),
        ([("X-A", SECRET), ("x-a", SECRET)], {}, "only once"),
    ],
)
async def test_headers_that_cannot_apply(
    fake: FakeDifyServer, headers: Any, options: dict[str, Any], says: str
) -> None:
    async with aiohttp.ClientSession(headers=headers) as session:
        dify = client(fake, session=session, **options)
        with pytest.raises(DifyConfigError, match=says) as refused:
            await dify.open()
    assert SECRET not in shown_by_trackers(refused.value)
    assert fake.count() == 0


@DEPRECATED
async def test_auth(fake: FakeDifyServer) -> None:
    auth = aiohttp.BasicAuth("user", SECRET)
    other = "http://other.example.com/"
    for options, value in (
        ({}, GATEWAY["Authorization"]),
        ({"base_url": fake.base_url + "/"}, GATEWAY["Authorization"]),
        ({"base_url": other}, None),
    ):
        fake.reset_counters()
        async with (
            aiohttp.ClientSession(auth=auth, **options) as session,  # type: ignore[arg-type]
            client(fake, session=session) as dify,
        ):
            await dify.profile()
        assert sent(fake, "Authorization") == {value}
    async with aiohttp.ClientSession(auth=auth, headers=GATEWAY) as session:
        with pytest.raises(DifyConfigError, match="both auth= and an Authorization header"):
            await client(fake, session=session).open()
    async with aiohttp.ClientSession(auth=auth) as session:
        with pytest.raises(DifyConfigError, match="the session's auth must not contain Authorization"):
            await client(fake, session=session, **KEY).open()


@DEPRECATED
@pytest.mark.parametrize("kind", ["url", "auth"])
async def test_a_proxy(fake: FakeDifyServer, kind: str) -> None:
    async with Proxy(fake.base_url).serve() as proxy:
        user, _, address = proxy.url.partition("://")[2].partition("@")
        options: Any = {"proxy": proxy.url}
        if kind == "auth":
            auth = aiohttp.BasicAuth.decode(f"Basic {BASIC}", "utf-8")
            options = {"proxy": f"http://{address}", "proxy_auth": auth}
        async with (
            aiohttp.ClientSession(**options) as session,
            client(fake, session=session, retry=ONCE) as dify,
        ):
            await dify.profile()
        assert user
        assert proxy.heads
        assert all(f"Proxy-Authorization: Basic {BASIC}\r\n" in head for head in proxy.heads)


async def test_a_proxy_that_is_down(fake: FakeDifyServer) -> None:
    async with (
        aiohttp.ClientSession(proxy=f"http://user:{SECRET}@127.0.0.1:1") as session,
        client(fake, session=session, retry=ONCE) as dify,
    ):
        with pytest.raises(DifyConnectionError, match=r"the proxy http://127\.0\.0\.1:1: ") as failed:
            await dify.profile()
    assert SECRET not in shown_by_trackers(failed.value)
    async with (
        aiohttp.ClientSession(proxy="http://127.0.0.1:1") as session,
        client(fake, session=session, proxy=fake.base_url) as dify,
    ):
        await dify.profile()  # the client's own proxy takes precedence


async def test_a_proxy_that_cannot_be_used(fake: FakeDifyServer) -> None:
    async with aiohttp.ClientSession(proxy=f"socks5://user:{SECRET}@127.0.0.1:1") as session:
        with pytest.raises(DifyConfigError, match=r"^the session's proxy must be ") as refused:
            await client(fake, session=session).open()
    assert SECRET not in shown_by_trackers(refused.value)


async def test_the_proxy_of_the_environment(fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUEST_METHOD", raising=False)
    async with Proxy(fake.base_url).serve() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        for trusts, exempt, heads in ((False, "", 0), (True, "127.0.0.1", 0), (True, "", 1)):
            monkeypatch.setenv("no_proxy", exempt)
            async with (
                aiohttp.ClientSession(trust_env=trusts) as session,
                client(fake, session=session, retry=ONCE) as dify,
            ):
                await dify.profile()
            assert len(proxy.heads) == heads
        assert f"Proxy-Authorization: Basic {BASIC}\r\n" in proxy.heads[0]
    monkeypatch.setenv("http_proxy", f"user:{SECRET}@proxy")
    async with aiohttp.ClientSession(trust_env=True) as session:
        with pytest.raises(DifyConfigError, match=r"^HTTP_PROXY must be ") as refused:
            await client(fake, session=session).open()
    assert SECRET not in shown_by_trackers(refused.value)


async def test_the_password_in_netrc(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "netrc"
    file.write_text(f"machine 127.0.0.1 login user password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(file))
    monkeypatch.setenv("no_proxy", "*")
    own = {"Authorization": "Basic b3duOm93bg=="}
    for trusts, headers, value in (
        (True, {}, GATEWAY["Authorization"]),
        (True, own, own["Authorization"]),
        (False, {}, None),
    ):
        fake.reset_counters()
        async with (
            aiohttp.ClientSession(trust_env=trusts) as session,
            client(fake, session=session, headers=headers) as dify,
        ):
            await dify.profile()
        assert sent(fake, "Authorization") == {value}
    async with aiohttp.ClientSession(trust_env=True) as session:
        with pytest.raises(DifyConfigError, match=r"in \.netrc must not contain Authorization"):
            await client(fake, session=session, **KEY).open()
    file.write_text("machine")
    async with aiohttp.ClientSession(trust_env=True) as session, client(fake, session=session) as dify:
        await dify.profile()


async def test_middlewares(fake: FakeDifyServer) -> None:
    async def add(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers["X-Signature"] = METH_GET
        return await handler(request)

    async with (
        aiohttp.ClientSession(middlewares=[add]) as session,
        client(fake, session=session) as dify,
    ):
        await dify.profile()
    assert sent(fake, "X-Signature") == {"GET"}


async def test_a_request_class(fake: FakeDifyServer) -> None:
    class Request(aiohttp.ClientRequest):
        """A request class of the caller."""

    async with aiohttp.ClientSession(request_class=Request) as session:
        with pytest.raises(DifyConfigError, match="request_class="):
            await client(fake, session=session).open()
