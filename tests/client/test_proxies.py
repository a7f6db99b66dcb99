"""HTTP proxies: what they are sent, and that their password is not leaked."""

from __future__ import annotations

import logging

import pytest

from dify_async import AsyncDifyServer, DifyConnectionError, DifyError
from dify_async.testing import FakeDifyServer
from tests.client.authorities import Authority
from tests.client.proxy import BASIC, PASSWORD, QUOTED, Proxy
from tests.support import ONCE, QUICK, client, shown_by_trackers


@pytest.fixture
def version() -> str:
    return "1.11.2"


async def test_the_password_goes_to_the_proxy_over_http(fake: FakeDifyServer) -> None:
    async with Proxy(fake.base_url).serve() as proxy, client(fake, proxy=proxy.url, retry=ONCE) as dify:
        await dify.version()
        assert f"Proxy-Authorization: Basic {BASIC}\r\n" in proxy.heads[0]


async def test_the_password_goes_to_the_proxy_alone_over_https() -> None:
    authority = Authority()
    async with (
        FakeDifyServer(ssl=authority.server(), https_cookies=True) as fake,
        Proxy(fake.base_url).serve() as proxy,
        client(fake, proxy=proxy.url, ssl=authority.trusting, retry=ONCE) as dify,
    ):
        await dify.profile()
        assert all(head.startswith("CONNECT 127.0.0.1") for head in proxy.heads)
        assert all(f"Proxy-Authorization: Basic {BASIC}\r\n" in head for head in proxy.heads)
        assert all("Proxy-Authorization" not in request.headers for request in fake.requests)


ECHO = f'{{"code":"denied","message":"wrong: user:{PASSWORD}, {BASIC}"}}'.encode()
REFUSALS = {
    "407": b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    "echo": b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%b" % (len(ECHO), ECHO),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_error_and_no_log_line_shows_the_password(
    name: str, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        Proxy("http://127.0.0.1:9", REFUSALS[name]).serve() as proxy,
        AsyncDifyServer(
            f"{scheme}://dify.example.com",
            admin_api_key="key",
            workspace_id="w",
            proxy=proxy.url,
            retry=QUICK,
        ) as dify,
    ):
        with pytest.raises(DifyError) as refused:
            await dify.profile()
    shown = shown_by_trackers(refused.value) + caplog.text
    assert [text for text in (PASSWORD, QUOTED, BASIC) if text in shown] == []


async def test_a_proxy_that_wants_a_password_says_so() -> None:
    async with (
        Proxy("http://127.0.0.1:9", REFUSALS["407"]).serve() as proxy,
        AsyncDifyServer(
            "https://dify.example.com", admin_api_key="key", workspace_id="w", proxy=proxy.url, retry=ONCE
        ) as dify,
    ):
        with pytest.raises(DifyConnectionError, match="the proxy responded with 407; pass proxy= as"):
            await dify.profile()


@pytest.mark.parametrize("sends", [b"", b"HTTP/1.1 "])
async def test_a_proxy_that_closes_the_connection(sends: bytes) -> None:
    """The server's TLS was never reached, so client certificates are not the cause."""
    async with (
        Proxy("http://127.0.0.1:9", sends).serve() as proxy,
        AsyncDifyServer(
            "https://dify.example.com", admin_api_key="key", workspace_id="w", proxy=proxy.url, retry=ONCE
        ) as dify,
    ):
        with pytest.raises(DifyConnectionError, match="check whether the proxy allows connections") as closed:
            await dify.profile()
        assert "certificate" not in str(closed.value)


async def test_a_proxy_that_requires_a_password_over_http() -> None:
    async with (
        Proxy("http://127.0.0.1:9", REFUSALS["407"]).serve() as proxy,
        AsyncDifyServer(
            "http://dify.example.com", admin_api_key="key", workspace_id="w", proxy=proxy.url, retry=ONCE
        ) as dify,
    ):
        with pytest.raises(
            DifyError, match=r"407\. The proxy requires a user name and password: pass proxy="
        ):
            await dify.profile()
