"""Login on servers of the three eras."""

from __future__ import annotations

import base64

import msgspec
import pytest

from dify_async import (
    AsyncDifyServer,
    DifyAuthenticationError,
    DifyConfigError,
    DifyDecodeError,
    DifyLoginError,
    DifyPermissionError,
    DifyServerError,
    MemoryTokenStore,
)
from dify_async.testing import FakeDifyServer
from tests.support import EACH_ERA, ONCE, client


@EACH_ERA
async def test_the_version_is_asked_for_before_the_password_is_sent(
    version: str, fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    await dify.profile()
    assert [request.path for request in fake.requests] == ["/system-features", "/login", "/account/profile"]
    sent = msgspec.json.decode(fake.requests[1].body)
    encoded = base64.b64encode(fake.password.encode()).decode()
    assert sent["password"] == (encoded if version == "1.11.2" else fake.password)
    assert sent["email"] == fake.email


@EACH_ERA
async def test_the_headers_that_authenticate_a_call(
    version: str, fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """From 1.9.2 every call, including GET, sends the CSRF token, and all cookies in one header."""
    await dify.profile()
    headers = fake.requests[-1].headers
    if version == "1.9.1":
        assert headers["Authorization"].startswith("Bearer eyJ")
        assert "Cookie" not in headers
    else:
        cookies = dict(part.split("=", 1) for part in headers["Cookie"].split("; "))
        assert cookies.keys() == {"access_token", "csrf_token"}
        assert headers["X-CSRF-Token"] == cookies["csrf_token"]
        assert "Authorization" not in headers


async def test_secure_prefixed_cookies_over_plain_http() -> None:
    """1.11.2/11_https_*: Secure depends on the configured URLs, not on the transport."""
    async with FakeDifyServer(https_cookies=True) as fake, client(fake) as dify:
        await dify.profile()
        assert "__Host-access_token=" in fake.requests[-1].headers["Cookie"]
        fake.expire_access_tokens()
        await dify.profile()
        assert fake.count("POST", "/refresh-token") == 1
        assert fake.count("POST", "/login") == 1


async def test_a_hidden_version_takes_the_newest_rules() -> None:
    async with FakeDifyServer("1.15.0", hide_version=True) as fake, client(fake) as dify:
        await dify.profile()
        assert await dify.version() == ""
        assert fake.count("GET", "/system-features") == 1


@EACH_ERA
async def test_a_given_version_is_not_asked_for(version: str) -> None:
    async with FakeDifyServer(version, hide_version=True) as fake:
        async with client(fake, server_version=version) as dify:
            await dify.profile()
            assert await dify.version() == version
        assert fake.count("GET", "/system-features") == 0


@EACH_ERA
async def test_a_version_that_changes_while_the_client_runs(version: str) -> None:
    """The login follows the rules of the upgraded server."""
    store = MemoryTokenStore()
    async with FakeDifyServer(version) as old, client(old, token_store=store) as dify:
        await dify.profile()
        port = int(old.base_url.rpartition(":")[2])
    async with FakeDifyServer("1.15.0", port=port) as new, client(new, token_store=store) as dify:
        await dify.profile()
        assert new.count("POST", "/login") == 1
        assert await dify.version() == "1.15.0"


@EACH_ERA
async def test_a_rejection_is_remembered_if_the_client_is_entered_again(fake: FakeDifyServer) -> None:
    dify = client(fake, password="wrong-Pass-1")
    for _ in range(3):
        async with dify:
            with pytest.raises(DifyLoginError):
                await dify.profile()
    assert fake.count("POST", "/login") == 1


@EACH_ERA
async def test_a_banned_account(fake: FakeDifyServer) -> None:
    fake.add_account("new@example.com", "Secret-Pass-1", banned=True)
    async with AsyncDifyServer(fake.base_url, "new@example.com", "Secret-Pass-1") as dify:
        with pytest.raises(DifyLoginError, match=r"Account is banned\.") as refused:
            await dify.profile()
        assert refused.value.code == "account_banned"


@EACH_ERA
async def test_a_server_that_is_not_set_up(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    fake.setup_finished = False
    with pytest.raises(DifyAuthenticationError) as refused:
        await dify.profile()
    assert refused.value.code == "not_setup"
    assert not isinstance(refused.value, DifyLoginError)
    fake.setup_finished = True
    await dify.profile()  # not remembered


@EACH_ERA
async def test_a_server_without_password_login(version: str) -> None:
    async with FakeDifyServer(version, password_login=False) as fake, client(fake) as dify:
        with pytest.raises(DifyLoginError, match="enable_email_password_login"):
            await dify.profile()
        assert fake.count("POST", "/login") == 0


@EACH_ERA
async def test_a_server_without_password_login_by_its_answer(version: str) -> None:
    async with (
        FakeDifyServer(version, password_login=False) as fake,
        client(fake, server_version=version) as dify,
    ):
        with pytest.raises(DifyLoginError, match="does not allow"):
            await dify.profile()


@EACH_ERA
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>log in</html>", DifyDecodeError),
        (502, b"<html>bad gateway</html>", DifyServerError),
        (403, b"<html>no</html>", DifyPermissionError),
    ],
)
async def test_a_proxy_in_front_of_the_server(
    fake: FakeDifyServer, status: int, body: bytes, error: type[Exception]
) -> None:
    """If the response is not from Dify, the password is not sent."""
    fake.inject(path="/system-features", status=status, body=body, headers={"X-Version": ""})
    async with client(fake, retry=ONCE) as dify:
        with pytest.raises(error):
            await dify.profile()
    assert fake.count("POST", "/login") == 0


@EACH_ERA
async def test_a_failed_login_request_is_not_remembered(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    fake.inject(path="/login", status=500, times=1)
    with pytest.raises(DifyServerError):
        await dify.profile()
    await dify.profile()
    assert fake.count("POST", "/login") == 2


@EACH_ERA
async def test_admin_key(version: str) -> None:
    """1.9.2 to 1.10.1 require a CSRF token in addition to the key, which no client can get."""
    async with FakeDifyServer(version, admin_api_key="key") as fake:
        async with client(fake, admin_api_key="key", workspace_id=fake.workspace_id) as dify:
            if version == "1.10.1":
                with pytest.raises(DifyAuthenticationError, match=r"1\.9\.2 to 1\.10\.1"):
                    await dify.apps()
            else:
                assert len(await dify.apps()) == len(fake.apps)
                assert "Cookie" not in fake.requests[-1].headers
            with pytest.raises(DifyConfigError):
                await dify.login()
            await dify.logout()
        assert fake.count("POST") == 0


@EACH_ERA
async def test_a_wrong_admin_key(fake: FakeDifyServer) -> None:
    async with client(fake, admin_api_key="wrong", workspace_id=fake.workspace_id) as dify:
        with pytest.raises(DifyAuthenticationError, match="admin API key") as refused:
            await dify.apps()
    assert refused.value.status == 401
    assert fake.count("POST") == 0
