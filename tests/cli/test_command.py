"""The command as a whole: help, wrong use, the missing extra, completion and Ctrl-C."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import time
import tomllib
from pathlib import Path

import anyio
import pytest

from dify_async import __version__, cli
from dify_async.cli.app import app
from dify_async.testing import FakeDifyServer
from tests.cli.conftest import Command
from tests.programs import line_with, started
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


@pytest.mark.parametrize("name", ["demo", "dashboard", "exporter"])
def test_a_port_that_is_taken(command: Command, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = command(name, "--port", str(port))
    text = f"dify-async: error: cannot listen on port {port} of 127.0.0.1: Address already in use\n"
    assert ended == (2, "", text)


@pytest.mark.parametrize("name", ["dashboard", "exporter"])
def test_a_host_that_does_not_exist(command: Command, name: str) -> None:
    ended = command(name, "--host", "no.such.host.invalid", "--port", "0")
    text = "dify-async: error: cannot listen on 'no.such.host.invalid': host name not found\n"
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


def test_the_completion_script_has_commands_and_options(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(app.generate_completion(shell="bash"), encoding="utf-8")
    lines = f"source {script}; COMP_WORDS=(dify-async rep); COMP_CWORD=1; "
    lines += "read -ra found <<< $(complete -p dify-async); "
    lines += "for i in ${!found[@]}; do [ ${found[i]} = -F ] && ${found[i+1]}; done; echo ${COMPREPLY[@]}"
    found = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == ("report\n", "")


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
