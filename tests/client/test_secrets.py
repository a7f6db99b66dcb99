"""No password, token, cookie or key appears in a repr, a log line or an error's text."""

from __future__ import annotations

import asyncio
import logging
import re
import traceback

import pytest

from dify_async import AsyncDifyServer, DifyError
from dify_async.testing import FakeDifyServer
from tests.support import EACH_ERA, ONCE, an_app, client

TOKEN = re.compile(r"eyJ[\w-]+\.|[0-9a-f]{100}|app-\w{20}|dataset-\w{20}")


def secrets_in(text: str, fake: FakeDifyServer) -> list[str]:
    return TOKEN.findall(text) + [fake.password] * (fake.password in text)


@EACH_ERA
async def test_nothing_secret_is_logged(fake: FakeDifyServer, caplog: pytest.LogCaptureFixture) -> None:
    """All log lines; aiohttp and asyncio log nothing about a call either."""
    caplog.set_level(logging.DEBUG)
    async with client(fake) as dify:
        await dify.init_app_api_key(an_app(fake))
        fake.expire_access_tokens()
        await asyncio.gather(*(dify.profile() for _ in range(5)))
        fake.revoke_all_tokens()
        fake.inject(path="/account/*", status=503, times=1)
        fake.inject(path="/account/*", cut="before", times=1)
        await dify.profile()
        await dify.logout()
    ours = [record for record in caplog.records if record.name.startswith("dify_async")]
    assert len(ours) >= 6
    for record in caplog.records:
        assert secrets_in(record.getMessage(), fake) == [], record.getMessage()


@EACH_ERA
async def test_nothing_secret_is_shown(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    keys = await dify.init_app_api_key(an_app(fake))
    keys += await dify.init_dataset_api_key()
    shown = f"{keys!r} {keys} {dify!r} {vars(dify)!r} {await dify.app(an_app(fake))!r}"
    assert secrets_in(shown, fake) == []
    assert keys[0].token.startswith("app-")


@EACH_ERA
@pytest.mark.parametrize("case", ["status", "body", "cut", "refused", "redirect", "timeout"])
async def test_nothing_secret_is_in_an_error(fake: FakeDifyServer, case: str) -> None:
    async with client(fake, retry=ONCE, timeout=1.5) as dify:
        (key,) = await dify.init_app_api_key(an_app(fake))
        faults = {
            "status": {"status": 400, "body": f'{{"code":"x","message":"{key.token}"}}'.encode()},
            "body": {"body": key.token.encode()},
            "cut": {"cut": "before"},
            "refused": {"status": 401, "body": b'{"code":"unauthorized","message":"Account is banned."}'},
            "redirect": {"status": 302, "headers": {"Location": f"https://a:{key.token}@b/console/api/x"}},
            "timeout": {"delay": 60.0},
        }
        fake.inject("/apps*", **faults[case])  # type: ignore[arg-type]  # of several kinds
        for error in await asyncio.gather(
            dify.apps(), dify.init_app_api_key(an_app(fake)), return_exceptions=True
        ):
            assert isinstance(error, DifyError)
            shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
            assert secrets_in(shown, fake) == []


@EACH_ERA
async def test_a_refused_sign_in_does_not_repeat_the_password(fake: FakeDifyServer) -> None:
    """A login's 400 echoes the password, decoded [1.11.2/01_login_missing_email]."""
    async with AsyncDifyServer(fake.base_url, "no email", fake.password) as dify:
        with pytest.raises(DifyError) as refused:
            await dify.profile()
    assert secrets_in(str(refused.value) + repr(vars(refused.value)), fake) == []
