"""Login with an emailed code."""

from __future__ import annotations

import base64
import json

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyLoginError,
    DifyRateLimitError,
    MemoryTokenStore,
)
from dify_async.testing import FakeDifyServer
from tests.support import EACH_ERA, VERSIONS, client


@pytest.mark.parametrize("version", VERSIONS)
async def test_where_password_login_is_off(version: str) -> None:
    """No password is sent; from 1.11.2 the code is base64-encoded, as a password is."""
    async with FakeDifyServer(version, password_login=False) as fake, client(fake) as dify:
        with pytest.raises(DifyLoginError, match="login_with_code"):
            await dify.profile()
        token = await dify.request_login_code(fake.email)
        await dify.login_with_code(fake.email, fake.login_code(token), token)
        assert (await dify.profile()).email == fake.email
        fake.expire_access_tokens()
        await dify.profile()
        assert fake.count("POST", "/refresh-token") == 1
        assert fake.count("POST", "/login") == 0
        sent = next(json.loads(one.body)["code"] for one in fake.requests if one.path.endswith("/validity"))
        assert sent.isdigit() == (version in {"0.15.3", "1.9.1", "1.10.1"})
        if not sent.isdigit():
            assert base64.b64decode(sent).isdigit()


@EACH_ERA
async def test_a_wrong_code_leaves_things_as_they_are(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    token = await dify.request_login_code(fake.email)
    with pytest.raises(DifyLoginError) as refused:
        await dify.login_with_code(fake.email, "000000", token)
    assert refused.value.code == "email_code_error"
    assert "000000" not in str(refused.value)
    assert str(refused.value).endswith(". Call request_login_code() for another code.")
    with pytest.raises(DifyLoginError) as refused:
        await dify.login_with_code(fake.email, "000000", "no-such-token")
    assert refused.value.code == "invalid_or_expired_token"
    await dify.profile()  # by the password


@EACH_ERA
async def test_the_session_is_kept_for_other_processes(fake: FakeDifyServer) -> None:
    store = MemoryTokenStore()
    async with client(fake, token_store=store) as one:
        token = await one.request_login_code(fake.email)
        await one.login_with_code(fake.email, fake.login_code(token), token)
    async with client(fake, token_store=store) as two:
        await two.profile()
    assert fake.count("POST", "/login") == 0


@EACH_ERA
async def test_a_code_is_for_this_clients_account(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyConfigError, match="email must be that of this client"):
        await dify.login_with_code("other@example.com", "123456", "token")
    with pytest.raises(DifyConfigError, match=r"^code must be a string, got a value of type int$"):
        await dify.login_with_code(fake.email, 123456, "token")  # type: ignore[arg-type]  # invalid on purpose
    key = client(fake, admin_api_key="key", workspace_id=fake.workspace_id)
    async with key:
        with pytest.raises(DifyConfigError, match="admin API key"):
            await key.login_with_code(fake.email, "123456", "token")
    assert fake.count() == 0


@EACH_ERA
async def test_too_many_mails_are_not_asked_for_again(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    body = b'{"code":"email_code_login_rate_limit_exceeded","message":"Too many mails.","status":429}'
    fake.inject("/email-code-login", status=429, body=body)
    with pytest.raises(DifyRateLimitError) as limited:
        await dify.request_login_code(fake.email)
    assert limited.value.code == "email_code_login_rate_limit_exceeded"
    assert fake.count("POST", "/email-code-login") == 1


async def test_password_login_is_switched_on_meanwhile() -> None:
    async with FakeDifyServer(password_login=False) as fake, client(fake) as dify:
        with pytest.raises(DifyLoginError, match="enable_email_password_login"):
            await dify.login()
        fake.password_login = True
        await dify.login()
        await dify.profile()
