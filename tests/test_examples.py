"""Every example runs as a program."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from dify_async.testing import FakeApp, FakeDifyServer
from tests.redis_server import RedisServer

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parent.parent
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")


class Ended(NamedTuple):
    code: int
    output: str
    errors: str


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(version="1.15.0") as server:
        yield server


def settings(fake: FakeDifyServer, **others: str) -> dict[str, str]:
    account = {"DIFY_BASE_URL": fake.base_url, "DIFY_EMAIL": fake.email, "DIFY_PASSWORD": fake.password}
    return {**account, **others}


def python_path() -> str:
    """PYTHONPATH with the package and the existing entries."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


async def run(*arguments: str, **environment: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        *arguments,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": python_path(), "COLUMNS": "120", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode(), errors.decode())


@pytest.mark.calendar
async def test_quickstart(fake: FakeDifyServer) -> None:
    ended = await run("examples/quickstart.py", **settings(fake))
    assert ended.code == 0, ended.errors
    for app in fake.apps:
        assert (app.id in ended.output) == (app.mode == "chat")
    assert re.search(r"\d tokens  \d+\.\d{4} USD", ended.output)


@pytest.mark.parametrize("name", ["quickstart", "error_handling", "own_session"])
async def test_an_example_without_an_account(name: str) -> None:
    ended = await run(f"examples/{name}.py")
    assert (ended.code, ended.errors) == (0, "")
    assert ended.output


async def test_statistics_concurrently_without_an_account() -> None:
    """It starts its own fake server."""
    ended = await run("examples/statistics_concurrently.py")
    assert ended.code == 0, ended.errors
    assert "using a fake server" in ended.output
    assert "12/12" in ended.output
    assert re.search(r"total +[\d,]+ +[\d,]+ +[\d,]+ +[\d,]+ +[\d.,]+ USD", ended.output)


async def test_statistics_concurrently_adds_up(fake: FakeDifyServer) -> None:
    ended = await run("examples/statistics_concurrently.py", **settings(fake))
    assert ended.code == 0, ended.errors
    *rows, total = re.findall(r" ([\d,]+) +[\d.,]+ USD", ended.output)
    tokens = [int(number.replace(",", "")) for number in [*rows, total]]
    # Workflows have tokens and no price.
    workflows = re.findall(r" workflow +[\d,]+ +([\d,]+) *\n", ended.output)
    assert sum(tokens[:-1]) + sum(int(number.replace(",", "")) for number in workflows) == tokens[-1]
    for app in fake.apps:
        assert app.name in ended.output


async def test_statistics_concurrently_shows_what_failed(fake: FakeDifyServer) -> None:
    fake.inject(f"/apps/{fake.apps[0].id}/*", status=403, body=b'{"code":"forbidden","message":"No."}')
    ended = await run("examples/statistics_concurrently.py", **settings(fake))
    assert ended.code == 1
    assert "403 forbidden" in ended.output
    assert "total" in ended.output


async def test_statistics_concurrently_with_a_wrong_password(fake: FakeDifyServer) -> None:
    ended = await run(
        "examples/statistics_concurrently.py", **settings(fake, DIFY_PASSWORD="Wrong-Password-1")
    )
    assert ended.code == 1
    assert "DifyLoginError" in ended.output
    assert "Traceback" not in ended.errors


async def test_redis_tokens(fake: FakeDifyServer) -> None:
    with RedisServer() as redis:
        ended = await run("examples/redis_tokens.py", **settings(fake, DIFY_REDIS_URL=redis.url))
    assert ended.code == 0, ended.errors
    assert ended.output.count(fake.email) == 2
    assert fake.count("POST", "/login") == 1


async def test_redis_tokens_without_a_url() -> None:
    ended = await run("examples/redis_tokens.py", DIFY_REDIS_URL="")
    assert (ended.code, ended.output) == (1, "")
    assert ended.errors.startswith("Set DIFY_REDIS_URL to ")
    assert ended.errors.count("\n") == 1


async def test_own_session(fake: FakeDifyServer) -> None:
    ended = await run("examples/own_session.py", **settings(fake))
    assert ended.code == 0, ended.errors
    assert "still open" in ended.output


async def test_error_handling(fake: FakeDifyServer) -> None:
    ended = await run("examples/error_handling.py", **settings(fake))
    assert ended.code == 0, ended.errors
    assert "the app does not exist" in ended.output
    assert re.search(r": [1-9]\d* messages\n", ended.output)
    assert {one.method for one in fake.requests if one.path != "/login"} == {"GET"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"DIFY_EMAIL": ""}, "Wrong settings: email is missing"),
        ({"DIFY_PASSWORD": "Wrong-Password-1"}, "Login failed: POST /login"),
        ({"DIFY_BASE_URL": "http://127.0.0.1:9"}, "Connection failed: Cannot connect to http://127.0.0.1:9:"),
    ],
)
async def test_error_handling_explains_the_error(
    fake: FakeDifyServer, wrong: dict[str, str], message: str
) -> None:
    ended = await run("examples/error_handling.py", **settings(fake, **wrong))
    assert ended.code == 1
    assert ended.errors.startswith(message)


async def test_provision_api_keys(fake: FakeDifyServer, tmp_path: Path) -> None:
    target = tmp_path / "keys"
    for _ in range(2):
        ended = await run("examples/provision_api_keys.py", str(target), **settings(fake))
        assert ended.code == 0, ended.errors
    lines = dict(line.split("=") for line in target.read_text(encoding="utf-8").splitlines())
    assert set(lines) == {app.id for app in fake.apps}
    assert all(key.startswith("app-") for key in lines.values())
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert not any(key in ended.output for key in lines.values())
    fake.inject(f"/apps/{fake.apps[0].id}/api-keys", status=403)
    ended = await run("examples/provision_api_keys.py", str(target), **settings(fake))
    assert ended.code == 1
    assert dict(line.split("=") for line in target.read_text(encoding="utf-8").splitlines()) == lines
    assert list(tmp_path.iterdir()) == [target]


async def test_provision_api_keys_rotates_them(fake: FakeDifyServer, tmp_path: Path) -> None:
    target = tmp_path / "keys"
    files = []
    for arguments in ((str(target),), (str(target), "--rotate"), (str(target), "--rotate")):
        ended = await run("examples/provision_api_keys.py", *arguments, **settings(fake))
        files.append(dict(line.split("=") for line in target.read_text(encoding="utf-8").splitlines()))
        fake.inject(f"/apps/{fake.apps[0].id}/api-keys/*", "DELETE", status=403)
    assert ended.code == 1
    assert [set(keys) for keys in files] == [{app.id for app in fake.apps}] * 3
    for app in fake.apps:
        assert len({keys[app.id] for keys in files}) == 3
        # The key in the file is valid, even if an old one could not be deleted.
        assert files[-1][app.id] == fake._state.keys[app.id][-1].token


async def test_usage_by_user(fake: FakeDifyServer, tmp_path: Path) -> None:
    folder = tmp_path / "usage"
    arguments = ("examples/usage_by_user.py", "--folder", str(folder), "--days", "3")
    for _ in range(2):  # the second time, with the mark of the first
        ended = await run(*arguments, **settings(fake))
        assert ended.code == 0, ended.errors
        assert "rows are in" in ended.output
    assert (folder / "mark.json").exists()
    fake.inject(f"/apps/{fake.apps[0].id}/chat-messages", status=403)
    ended = await run("examples/usage_by_user.py", "--days", "9", **settings(fake))
    assert ended.code == 1
    assert f"{fake.apps[0].name}: GET /apps/" in ended.errors


async def test_differences_of_usage_do_not_cancel_out() -> None:
    """The statistics of one app have more than its messages, those of another have less."""
    apps = [FakeApp(name=name, mode="chat", messages_per_day=0) for name in ("more", "less")]
    async with FakeDifyServer("1.15.0", apps=apps) as fake:
        yesterday = fake.today - timedelta(days=1)
        for app, counted in zip(fake.apps, (1000, 10), strict=True):
            fake.add_message(app, datetime.combine(yesterday, time(12)), output_tokens=30, cost="0.5")
            costs = {"token_count": counted, "total_price": f"{counted / 100}", "currency": "USD"}
            fake.set_statistics(app, "token_costs", {yesterday: costs})
        ended = await run("examples/usage_by_user.py", "--days", "3", **settings(fake))
    assert ended.code == 0, ended.errors
    differences = re.findall(r"^only in (.*?) +(\d+) +([\d.]+)$", ended.output, re.MULTILINE)
    assert differences == [("Dify's statistics", "970", "9.5000000"), ("these rows", "20", "0.4000000")]


def test_each_example_has_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_examples.py"))
    assert [
        path.name for path in (ROOT / "examples").glob("*.py") if f"examples/{path.name}" not in tests
    ] == []


def test_the_command_of_the_readme() -> None:
    """`tests/cli` runs the command itself."""
    assert '-m pip install --quiet ".[cli]" && .venv/bin/dify-async report --demo\n' in README


def test_ci_runs_the_command_of_the_readme() -> None:
    command = re.findall(r"^COMMAND$|^python3 -m venv .*nox$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert f"\n{command[0]}\n" in README
