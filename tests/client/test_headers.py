"""Headers of the caller: where they are sent, and that they are never shown.

Reports: n8n-mcp#148, adguardhome-sync#584, apim-cli#505.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

import aiohttp
import pytest

from dify_async import AsyncDifyServer, DifyConfigError, DifyError
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.client.authorities import Authority
from tests.client.proxy import Proxy
from tests.client.support import ACCOUNT, GATEWAY, HEADERS, KEY, SECRET, URL, sent
from tests.support import EACH_ERA, ONCE, client, shown_by_trackers, until


@EACH_ERA
async def test_headers_are_sent_with_every_request(fake: FakeDifyServer) -> None:
    """With logins and refreshes too."""
    async with client(fake, headers={**HEADERS, "User-Agent": "robot/1"}) as dify:
        await dify.profile()
        fake.expire_access_tokens()
        await dify.apps()
        await dify.logout()
    assert sent(fake, "CF-Access-Client-Secret") == {SECRET}
    assert sent(fake, "User-Agent") == {"robot/1"}


@pytest.mark.parametrize("version", ["1.9.2", "1.11.2", "1.17.0"])
async def test_basic_auth_in_front_of_cookies(fake: FakeDifyServer) -> None:
    async with client(fake, headers=GATEWAY) as dify:
        await dify.profile()
    assert sent(fake, "Authorization") == {GATEWAY["Authorization"]}


@pytest.mark.parametrize("version", ["0.15.3", "1.9.1"])
@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_basic_auth_in_front_of_bearer_tokens(fake: FakeDifyServer, name: str) -> None:
    """Before the password is sent."""
    async with client(fake, headers={name: SECRET}) as dify:
        for _ in range(2):
            with pytest.raises(DifyConfigError, match="must not have an Authorization header") as refused:
                await dify.profile()
    assert SECRET not in shown_by_trackers(refused.value)
    assert fake.count("POST") == 0


async def test_basic_auth_in_front_of_bearer_tokens_of_a_hidden_version() -> None:
    async with (
        FakeDifyServer("1.9.1", hide_version=True) as fake,
        client(fake, headers=GATEWAY, server_version="1.9.2") as dify,
    ):
        with pytest.raises(DifyConfigError, match="must not have an Authorization header"):
            await dify.profile()
        assert fake.count("GET", "/account/*") == 0


@pytest.mark.parametrize("kind", [AsyncDifyServer, DifyServer])
@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Cookie": SECRET}, "must not contain Cookie, which the client sets"),
        ({"x-csrf-token": SECRET}, "must not contain x-csrf-token"),
        ({"CONTENT-TYPE": SECRET}, "must not contain CONTENT-TYPE"),
        ({"Content-Length": "5"}, "must not contain Content-Length"),
        ({"Proxy-Authorization": SECRET}, "which the client sets; pass proxy= with a user name"),
        ({"X-A": f"{SECRET}\r\nX-B: b"}, "'X-A'] must be a string of printable ASCII characters"),
        ({"X-A": f"{SECRET}\n"}, "must be a string of printable ASCII characters"),
        ({"X-A": f"{SECRET}\xe9"}, "must be a string of printable ASCII characters"),
        ({"X-A": f"{SECRET}\udce9"}, "must be valid Unicode"),
        ({"X-A": ""}, "must not be empty"),
        ({"X-A": 5}, "must be a string, got a value of type int"),
        ({"X-A": SECRET.encode()}, "must be a string, got a value of type bytes"),
        ({"X-A": [SECRET]}, "must be a string, got a value of type list"),
        ({"X-A": None}, "must be a string, got None"),
        ({"": SECRET}, "must have valid header names"),
        ({f"X: {SECRET}": "a"}, "must have valid header names"),
        ({"X\r\nY": SECRET}, "must have valid header names"),
        ({5: SECRET}, "must have valid header names"),
        ({"X-A": SECRET, "x-a": SECRET}, "must contain x-a only once"),
        ([("X-A", SECRET)], "must be a mapping of names to values, got a value of type list"),
        (f"X-A: {SECRET}", "must be a mapping of names to values, got a value of type str"),
    ],
)
def test_headers_that_cannot_be_sent(kind: Any, headers: Any, says: str) -> None:
    for make in (kind, kind.from_env):
        with pytest.raises(DifyConfigError) as refused:
            make(base_url=URL, **ACCOUNT, headers=headers)
        assert says in str(refused.value)
        assert str(refused.value).startswith("headers")
        assert SECRET not in str(refused.value)


@pytest.mark.parametrize("kind", [AsyncDifyServer, DifyServer])
def test_headers_of_a_client_that_cannot_be_made_are_not_shown(kind: Any) -> None:
    for make in (kind, kind.from_env):
        for wrong in ({"timeout": -1}, {"headers": {**HEADERS, "Cookie": SECRET}}):
            with pytest.raises(DifyConfigError) as refused:
                make(**{"base_url": URL, **ACCOUNT, "headers": HEADERS, **wrong})
            assert SECRET not in shown_by_trackers(refused.value)


@pytest.mark.parametrize("name", ["Authorization", "authorization", "X-WORKSPACE-ID"])
def test_headers_that_an_admin_key_needs(name: str) -> None:
    with pytest.raises(DifyConfigError, match=f"headers must not contain {name}"):
        AsyncDifyServer(URL, **KEY, headers={name: SECRET})


async def test_the_callers_mapping_is_copied(fake: FakeDifyServer) -> None:
    headers = dict(HEADERS)
    async with client(fake, headers=headers) as dify:
        headers["CF-Access-Client-Secret"] = "another"
        await dify.profile()
    assert sent(fake, "CF-Access-Client-Secret") == {SECRET}


@pytest.mark.parametrize("version", ["1.11.2"])
async def test_values_are_never_shown(fake: FakeDifyServer, caplog: pytest.LogCaptureFixture) -> None:
    """Not even if a gateway echoes them, in any encoding."""
    caplog.set_level(logging.DEBUG)
    headers = {**HEADERS, **GATEWAY}
    async with client(fake, headers=headers, retry=ONCE) as dify:
        await dify.profile()
        encoded = base64.b64encode(SECRET.encode()).decode()
        echo = f'{{"code":"denied","message":"{SECRET}, {GATEWAY["Authorization"]}, {encoded}"}}'.encode()
        shown = repr(dify) + repr(vars(dify)) + repr(vars(dify._transport))
        for fault in (
            {"status": 403, "body": echo},
            {"status": 302, "headers": {"Location": f"https://other.example.com/?{SECRET}"}},
            {"cut": "before"},
            {"body": b"no JSON"},
        ):
            fake.inject("/account/*", times=1, **fault)
            with pytest.raises(DifyError) as failed:
                await dify.profile()
            shown += shown_by_trackers(failed.value)
        fake.inject("/account/*", delay=30)
        call = asyncio.create_task(dify.profile())
        calls = fake.count("GET", "/account/profile")
        await until(lambda: fake.count("GET", "/account/profile") > calls)
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await call
        shown += shown_by_trackers(cancelled.value)
    assert "CIMultiDict" in shown
    secrets = (SECRET, GATEWAY["Authorization"].partition(" ")[2], encoded)
    assert [secret for secret in secrets if secret in shown + caplog.text] == []


@pytest.mark.parametrize("value", ["Basic !", "Basic /w==", "Basic", "Bearer x", "Negotiate"])
async def test_an_authorization_header_of_any_form(value: str) -> None:
    async with FakeDifyServer() as fake, client(fake, headers={"Authorization": value}) as dify:
        fake.inject("/account/*", status=400)
        with pytest.raises(DifyError, match="400"):
            await dify.profile()


@pytest.mark.parametrize("through", ["headers", "session"])
async def test_a_proxy_does_not_get_the_headers(through: str) -> None:
    authority = Authority()
    trusting = authority.trusting
    async with (
        FakeDifyServer(ssl=authority.server(), https_cookies=True) as fake,
        Proxy(fake.base_url).serve() as proxy,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting), headers=HEADERS) as session,
    ):
        own: Any = {"headers": HEADERS, "ssl": trusting} if through == "headers" else {"session": session}
        async with client(fake, proxy=proxy.url, retry=ONCE, **own) as dify:
            await dify.profile()
        assert sent(fake, "CF-Access-Client-Secret") == {SECRET}
        assert proxy.heads
        assert not any("CF-Access" in head for head in proxy.heads)
