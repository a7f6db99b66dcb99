"""Headers of the caller and of the caller's session: where they are sent, and that they are never shown.

Reports: n8n-mcp#148, adguardhome-sync#584, apim-cli#505; aiohttp#12556, aiohttp#10682.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp.hdrs import METH_GET

from dify_async import AsyncDifyServer, DifyConfigError, DifyConnectionError, DifyError
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.client.test_proxies import BASIC, Proxy
from tests.support import EACH_ERA, ONCE, client, shown_by_trackers, until

URL = "https://dify.example.com"
ACCOUNT: dict[str, Any] = {"email": "ops@example.com", "password": "hunter2"}
KEY: dict[str, Any] = {"admin_api_key": "hunter2", "workspace_id": "w"}
SECRET = "s3cret-of-a-gateway"
HEADERS = {"CF-Access-Client-Id": "robot", "CF-Access-Client-Secret": SECRET}
GATEWAY = {"Authorization": "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()}

DEPRECATED = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated", "ignore:The '.*auth' parameter")


def sent(fake: FakeDifyServer, name: str) -> set[str | None]:
    """The values of a header in all requests; None if one lacks it."""
    assert fake.requests
    return {request.headers.get(name) for request in fake.requests}


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
        ({"X-A": ""}, "must be a string, got an empty string"),
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
    ca = trustme.CA()
    server, trusting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    ca.issue_cert("127.0.0.1").configure_cert(server)
    ca.configure_trust(trusting)
    async with (
        FakeDifyServer(ssl=server, https_cookies=True) as fake,
        Proxy(fake.base_url).serve() as proxy,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting), headers=HEADERS) as session,
    ):
        own: Any = {"headers": HEADERS, "ssl": trusting} if through == "headers" else {"session": session}
        async with client(fake, proxy=proxy.url, retry=ONCE, **own) as dify:
            await dify.profile()
        assert sent(fake, "CF-Access-Client-Secret") == {SECRET}
        assert proxy.heads
        assert not any("CF-Access" in head for head in proxy.heads)


@pytest.mark.parametrize("version", ["1.11.2"])
class TestSession:
    """The settings of a session that the caller passes in."""

    async def test_headers(self, fake: FakeDifyServer) -> None:
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
        self, fake: FakeDifyServer, headers: Any, options: dict[str, Any], says: str
    ) -> None:
        async with aiohttp.ClientSession(headers=headers) as session:
            dify = client(fake, session=session, **options)
            with pytest.raises(DifyConfigError, match=says) as refused:
                await dify.open()
        assert SECRET not in shown_by_trackers(refused.value)
        assert fake.count() == 0

    @pytest.mark.filterwarnings(
        "ignore:BasicAuth is deprecated", "ignore:The '.*auth' parameter is deprecated"
    )
    async def test_auth(self, fake: FakeDifyServer) -> None:
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

    @pytest.mark.filterwarnings(
        "ignore:BasicAuth is deprecated", "ignore:The '.*auth' parameter is deprecated"
    )
    @pytest.mark.parametrize("kind", ["url", "auth"])
    async def test_a_proxy(self, fake: FakeDifyServer, kind: str) -> None:
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

    async def test_a_proxy_that_is_down(self, fake: FakeDifyServer) -> None:
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

    async def test_a_proxy_that_cannot_be_used(self, fake: FakeDifyServer) -> None:
        async with aiohttp.ClientSession(proxy=f"socks5://user:{SECRET}@127.0.0.1:1") as session:
            with pytest.raises(DifyConfigError, match=r"^the session's proxy must be ") as refused:
                await client(fake, session=session).open()
        assert SECRET not in shown_by_trackers(refused.value)

    async def test_the_proxy_of_the_environment(
        self, fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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
        self, fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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

    async def test_middlewares(self, fake: FakeDifyServer) -> None:
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

    async def test_a_request_class(self, fake: FakeDifyServer) -> None:
        class Request(aiohttp.ClientRequest):
            """A request class of the caller."""

        async with aiohttp.ClientSession(request_class=Request) as session:
            with pytest.raises(DifyConfigError, match="request_class="):
                await client(fake, session=session).open()
