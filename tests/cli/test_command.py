"""The command as a whole: help, wrong use, the missing extra, passwords, completion and Ctrl-C."""

from __future__ import annotations

import getpass
import logging
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import anyio
import pytest

from dify_async import DifyLoginError, MemoryTokenStore, __version__, cli
from dify_async._auth.verdicts import code_session_ended
from dify_async.cli.app import app
from dify_async.cli.console import line_of
from dify_async.testing import FakeDifyServer
from tests.cli.conftest import Command
from tests.programs import line_with, started
from tests.redis_server import RedisServer
from tests.support import until
from tests.test_examples import ROOT, python_path, settings

COMMANDS = ("report", "dashboard", "exporter", "usage", "backup", "restore", "keys", "demo")


def test_the_help_lists_every_command(command: Command) -> None:
    for arguments in ((), ("--help",)):
        ended = command(*arguments)
        assert (ended.code, ended.errors) == (0, "")
        for name in COMMANDS:
            assert re.search(rf"│ {name} +\w", ended.output), name
        assert "Exit codes: 0 success" in ended.output
    assert command("--version").output == f"{__version__}\n"


@pytest.mark.parametrize(
    "arguments", [*((name,) for name in COMMANDS), *(("keys", name) for name in ("list", "create", "rotate"))]
)
def test_the_help_of_a_command(command: Command, arguments: tuple[str, ...]) -> None:
    """Every option has a description."""
    ended = command(*arguments, "--help")
    assert (ended.code, ended.errors) == (0, "")
    options = re.findall(r"^│ +(?:\* +)?(-\S+.*?)│$", ended.output, re.MULTILINE)
    assert options or arguments == ("keys",)
    assert all(re.search(r"\S {2,}[A-Z]", option) for option in options), options
    if arguments not in {("keys",), ("demo",)}:
        for option in ("--base-url", "--email", "--demo", "--redis-url"):
            assert option in ended.output


@pytest.mark.parametrize("arguments", [["reprot"], ["--nope"], ["backup"], ["keys", "delete"], ["demo", "x"]])
def test_wrong_use_takes_one_line(command: Command, arguments: list[str]) -> None:
    ended = command(*arguments)
    assert (ended.code, ended.output) == (2, "")
    assert ended.errors.startswith("dify-async: error: ")
    assert ended.errors.endswith(" See --help.\n")
    assert ended.errors.count("\n") == 1


def test_an_unexpected_argument(command: Command) -> None:
    ended = command("report", "yesterday", "today")
    assert ended == (2, "", "dify-async: error: Unexpected arguments: yesterday today. See --help.\n")


@pytest.mark.parametrize("typed", ["", None])
def test_no_password_at_a_terminal(
    command: Command, fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch, typed: str | None
) -> None:
    """Enter and Ctrl-D."""

    def ask(_: str) -> str:
        if typed is None:
            raise EOFError
        return typed

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
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


@pytest.mark.parametrize("name", ["demo", "dashboard", "exporter"])
def test_a_port_that_is_taken(command: Command, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = command(name, "--port", str(port))
    text = f"dify-async: error: cannot listen on port {port} of 127.0.0.1: Address already in use\n"
    assert ended == (2, "", text)


def test_other_errors_of_the_demo(command: Command) -> None:
    text = "dify-async: error: Not a Dify version: 'latest'. Give digits, such as 1.11.2.\n"
    assert command("demo", "--version", "latest") == (2, "", text)


@pytest.mark.parametrize(
    ("name", "token", "told"),
    [
        ("https://x", "", "--name: hosts must be "),
        ("x", "short", "DIFY_DASHBOARD_TOKEN: token must have at least 16 characters, got 5\n"),
    ],
)
def test_settings_of_the_page(command: Command, name: str, token: str, told: str) -> None:
    command.set(DIFY_DASHBOARD_TOKEN=token)
    ended = command("dashboard", "--port", "0", "--name", name)
    assert (ended.code, ended.output) == (2, "")
    assert ended.errors.startswith(f"dify-async: error: {told}")
    assert ended.errors.count("\n") == 1


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
        r"dify-async: error: DifyLoginError: POST /login: 401 authentication_failed: Dify rejected the e-mail"
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


def test_warnings_of_the_package(command: Command, caplog: pytest.LogCaptureFixture) -> None:
    """Not as Python prints them, without the name of the program."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ended = command("keys", "list", "--redis-url", f"redis://127.0.0.1:{port}")
    assert ended.code == 0
    assert re.fullmatch(r"dify-async: the token store does not work \(.*\); tokens .*\n", ended.errors)
    assert "the token store does not work" in caplog.text  # other handlers receive them too
    assert logging.getLogger("dify_async").handlers == []


def test_without_the_extra(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_EXTRA", ("no_such_package",))
    ended = command("report", "--demo")
    assert (ended.code, ended.output) == (2, "")
    assert ended.errors.endswith("run: pip install 'dify-async[cli]'\n")
    assert ended.errors.count("\n") == 1


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


def test_the_completion_script_has_commands_and_options(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(app.generate_completion(shell="bash"), encoding="utf-8")
    lines = f"source {script}; COMP_WORDS=(dify-async rep); COMP_CWORD=1; "
    lines += "read -ra found <<< $(complete -p dify-async); "
    lines += "for i in ${!found[@]}; do [ ${found[i]} = -F ] && ${found[i+1]}; done; echo ${COMPREPLY[@]}"
    found = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == ("report\n", "")


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


@pytest.mark.slow
@pytest.mark.parametrize("command", ["report", "keys list", "backup folder"])
async def test_ctrl_c(command: str, tmp_path: Path) -> None:
    """Also while the server does not answer."""
    async with FakeDifyServer(apps=6) as fake:
        fake.inject("/apps*", delay=30.0)
        words = [str(tmp_path) if word == "folder" else word for word in command.split()]
        async with started("-m", "dify_async", *words, **settings(fake)) as process:
            with anyio.fail_after(60):
                await until(lambda: fake.count("GET", "/apps*") > 0)
                process.send_signal(signal.SIGINT)
                begun = time.monotonic()
                output, _ = await process.communicate()
            assert time.monotonic() - begun < 5  # one second on an idle machine
            assert (process.returncode, output) == (130, b"")


def test_ctrl_c_while_the_packages_are_imported(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "find_spec", interrupted)
    assert command("report", "--demo") == (130, "", "")


@pytest.mark.slow
async def test_ctrl_c_while_this_package_is_imported(tmp_path: Path) -> None:
    """Which is most of the start."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"]["dify-async"].partition(":")
    slow = tmp_path / "dify_async"
    slow.mkdir()
    text = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"
    (slow / "__init__.py").write_text(text, encoding="utf-8")
    script = f"import sys\nfrom {module} import {function}\nsys.exit({function}())"
    async with started(
        "-P", "-c", script, PYTHONPATH=os.pathsep.join([str(tmp_path), python_path()])
    ) as process:
        with anyio.fail_after(60):
            await line_with(process, "^importing$")
            process.send_signal(signal.SIGINT)
            output, _ = await process.communicate()
        assert (process.returncode, output) == (130, b"")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["demo", "dashboard", "exporter"])
async def test_ctrl_c_ends_a_service(command: str) -> None:
    demo = [] if command == "demo" else ["--demo"]
    async with started("-m", "dify_async", command, "--port", "0", *demo) as process:
        with anyio.fail_after(60):
            await line_with(process, r"^(Dify|Dashboard|Metrics)\b.* at http://127\.0\.0\.1:\d+")
            process.send_signal(signal.SIGINT)
            output, _ = await process.communicate()
        assert process.returncode == 0, output
        assert b"Traceback" not in output


@pytest.mark.slow
async def test_a_page_for_colleagues_requires_a_token() -> None:
    arguments = ("dashboard", "--demo", "--port", "0", "--host", "0.0.0.0")
    async with started("-m", "dify_async", *arguments) as process:
        with anyio.fail_after(60):
            found = await line_with(process, r"Dashboard at http://([^:/]+):(\d+)/#token=(\S{32})$")
    async with started("-m", "dify_async", *arguments, DIFY_DASHBOARD_TOKEN="sesame-" * 4) as process:
        with anyio.fail_after(60):
            found = await line_with(process, r"Dashboard at http://([^:/]+):(\d+)/#token=((sesame-){4})$")
            async with await anyio.connect_tcp("127.0.0.1", int(found[2])) as page:
                await page.send(f"GET / HTTP/1.1\r\nHost: {found[1]}\r\n\r\n".encode())
                assert (await page.receive()).startswith(b"HTTP/1.1 401 ")
