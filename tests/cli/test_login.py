"""How commands log in: settings, passwords, and errors that name options and variables."""

from __future__ import annotations

import getpass
import os
import pty
import re
import subprocess
import sys

import pytest

from dify_async import DifyLoginError, MemoryTokenStore
from dify_async._auth.verdicts import code_session_ended
from dify_async.cli.console import line_of
from dify_async.testing import FakeDifyServer
from tests.cli.conftest import Command
from tests.redis_server import RedisServer
from tests.test_examples import ROOT, python_path


@pytest.mark.parametrize("typed", ["", None])
def test_no_password_at_a_terminal(
    command: Command, fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch, typed: str | None
) -> None:
    """Enter and Ctrl-D."""

    def ask(_: str) -> str:
        if typed is None:
            raise EOFError
        return typed

    command.type("")
    monkeypatch.setattr(getpass, "getpass", ask)
    command.set(DIFY_PASSWORD="")
    assert command("report") == (2, "", "dify-async: error: no password was entered\n")
    assert not fake.requests


def test_an_invalid_url_is_reported_before_the_password_is_asked_for(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.type("")
    monkeypatch.setattr(getpass, "getpass", lambda _: pytest.fail("it asked"))
    command.set(DIFY_PASSWORD="")
    ended = command("report", "--base-url", "dify.example.com")
    assert ended.errors == 'dify-async: error: --base-url must begin with "https://" or "http://"\n'


@pytest.mark.parametrize("version", ["1.7.2", "1.11.2", "1.17.0"])
def test_a_rejected_login(command: Command, version: str) -> None:
    """The errors of the client name methods, which a command does not have."""
    with FakeDifyServer(version, apps=1) as fake:
        command.use(fake)
        command.set(DIFY_PASSWORD="Wrong-Password-1")
        for _ in range(7):
            ended = command("keys", "list")
            assert (ended.code, ended.output) == (3, "")
            assert ended.errors.startswith("dify-async: error: DifyLogin")
            assert "()" not in ended.errors
            assert "DIFY_PASSWORD" in ended.errors
            assert "run the command again.\n" in ended.errors
        assert "DifyLoginLockedError: POST /login: 429 email_code_login_limit: " in ended.errors


@pytest.mark.parametrize(
    ("options", "environment", "told"),
    [
        (["--base-url", "dify.example.com"], {}, '--base-url must begin with "https://" or "http://"'),
        ([], {"DIFY_BASE_URL": "dify.example.com"}, 'DIFY_BASE_URL must begin with "https://" or "http://"'),
        (
            ["--base-url", "", "--email", ""],
            {"DIFY_EMAIL": ""},
            "no account: pass --email, or set DIFY_EMAIL",
        ),
        (
            [],
            {"DIFY_ADMIN_API_KEY": "the-admin-key"},
            "pass either DIFY_EMAIL and DIFY_PASSWORD, or DIFY_ADMIN_API_KEY and DIFY_WORKSPACE_ID",
        ),
    ],
)
def test_settings_that_cannot_be_used(
    command: Command, options: list[str], environment: dict[str, str], told: str
) -> None:
    """The errors name options and variables, not arguments of the client."""
    command.set(**environment)
    assert command("report", *options) == (2, "", f"dify-async: error: {told}\n")


def test_the_login_attempts_are_used_up(
    command: Command, fake: FakeDifyServer, redis_server: RedisServer
) -> None:
    """The attempts of all commands count together, and the error quotes the last response."""
    command.set(DIFY_PASSWORD="Wrong-Password-1")
    for _ in range(4):
        ended = command("keys", "list", "--redis-url", redis_server.url)
        assert ended.code == 3
        assert "()" not in ended.errors
    assert fake.count("POST", "/login") == 3
    assert re.fullmatch(
        r"dify-async: error: DifyLoginError: POST /login: 401 authentication_failed: Dify rejected the email"
        r" or password\. Passwords were sent 3 times without success since .* UTC\. Correct the password, or"
        r" wait until 24 hours after the last attempt\.\n",
        ended.errors,
    )


async def test_a_login_that_another_process_lost() -> None:
    """As a command reports it that runs while the password changes."""
    store = MemoryTokenStore()
    async with (
        FakeDifyServer(apps=1) as fake,
        fake.client(token_store=store) as one,
        fake.client(token_store=store) as two,
    ):
        await one.profile()
        await two.profile()
        fake.password = "Another-Pass-1"
        fake.revoke_all_tokens()
        for dify in (one, two):
            with pytest.raises(DifyLoginError, match=r"call login\(\)") as rejected:
                await dify.profile()
    text = line_of(rejected.value)
    assert " Another client of this account received this response. Check --email and DIFY_PASSWORD" in text
    assert "()" not in text


def test_a_session_from_an_emailed_code_has_ended() -> None:
    text = line_of(code_session_ended())
    assert text.endswith("has ended. Set DIFY_ADMIN_API_KEY and DIFY_WORKSPACE_ID instead of an account.")


def test_a_server_without_password_login(command: Command) -> None:
    with FakeDifyServer("1.15.0", apps=1) as fake:
        fake.inject("/system-features", body=b'{"enable_email_password_login": false}')
        command.use(fake)
        ended = command("keys", "list")
    assert ended.code == 3
    assert "()" not in ended.errors
    assert ended.errors.endswith(" Set DIFY_ADMIN_API_KEY and DIFY_WORKSPACE_ID instead of an account.\n")


def test_the_admin_key(command: Command) -> None:
    with FakeDifyServer("1.11.2", admin_api_key="the-admin-key", apps=2) as fake:
        command.set(DIFY_BASE_URL=fake.base_url, DIFY_EMAIL="", DIFY_PASSWORD="")
        command.set(DIFY_ADMIN_API_KEY="the-admin-key", DIFY_WORKSPACE_ID=fake.workspace_id)
        assert command("keys", "list").code == 0
        assert fake.count("POST", "/login") == 0


def test_a_login_that_is_shared_through_redis(
    command: Command, fake: FakeDifyServer, redis_server: RedisServer
) -> None:
    for _ in range(2):
        ended = command("keys", "list", "--redis-url", redis_server.url)
        assert ended.code == 0, ended.errors
    assert fake.count("POST", "/login") == 1


@pytest.mark.slow
def test_a_missing_password_is_asked_for_at_a_terminal(fake: FakeDifyServer) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": python_path()}
    arguments = ("keys", "list", "--base-url", fake.base_url, "--email", fake.email)
    with subprocess.Popen(
        [sys.executable, "-m", "dify_async", *arguments],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    ) as process:
        asked = b""
        while b"Password of" not in asked:
            asked += os.read(ours, 1000)
        os.write(ours, f"{fake.password}\n".encode())
        output, _ = process.communicate(timeout=60)
    os.close(theirs)
    shown = asked + os.read(ours, 10_000)
    os.close(ours)
    assert process.returncode == 0, shown
    assert output.startswith(b"app_id,")
    assert fake.password.encode() not in shown
