"""`dify-async report`."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import anyio
import pytest

from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.cli.conftest import Command, without_colors
from tests.programs import line_with, started
from tests.support import JSON, an_app
from tests.test_examples import settings


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def dify_of(fake: FakeDifyServer) -> DifyServer:
    return DifyServer(fake.base_url, fake.email, fake.password)


@pytest.mark.calendar
def test_at_a_terminal(command: Command) -> None:
    command.at_a_terminal(80)
    ended = command("report", "--demo")
    assert ended.code == 0, ended.errors
    assert "using a fake server" in ended.errors
    output = without_colors(ended.output)
    assert re.search(r"messages +[\d,]+ +[+-]\d+% +[▁-█]{15}", output)
    assert re.search(r"Support assistant +chat +[\d,]+ ", output)
    assert max(map(len, output.splitlines())) <= 80


def test_at_60_columns(command: Command, fake: FakeDifyServer) -> None:
    """Names stay whole, a falling cost is green, and today is marked as not over."""
    fake.add_app("Contract review 2026", "chat")
    today = datetime.now(ZoneInfo(fake.timezone)).date()
    rows = [
        {"date": str(today - timedelta(days=ago)), "token_count": 5, "total_price": price, "currency": "EUR"}
        for ago, price in ((0, "1"), (3, "1.5"), (10, "2"))
    ]
    fake.inject("*/token-costs", body=json.dumps({"data": rows}).encode(), headers=JSON)
    command.at_a_terminal(60)
    ended = command("report", "--period", "last_7_days")
    assert ended.code == 0, ended.errors
    plain = without_colors(ended.output)
    assert max(map(len, plain.splitlines())) <= 60
    assert "Today is not over" in plain
    assert not plain.endswith("\n\n")  # a line for errors that do not exist
    assert re.search(r"^ Contract review 2026 +[\d,]+ ", plain, re.MULTILINE)
    assert re.search(r"^ cost +[\d.]+ EUR +-25% ", plain, re.MULTILINE)
    assert re.search(r"\x1b\[32m +-25%\x1b\[0m", ended.output)


@pytest.mark.calendar
def test_costs_of_yesterday_in_a_pipe(command: Command, fake: FakeDifyServer) -> None:
    ended = command("report", "--period", "yesterday")
    assert (ended.code, ended.errors) == (0, "")
    rows = rows_of(ended.output)
    with dify_of(fake) as dify:
        dashboard = dify.dashboard(period="yesterday", compare=True)
    expected = {app.app_id: app.costs["USD"].total if "USD" in app.costs else None for app in dashboard.apps}
    assert {row["app_id"]: Decimal(row["cost_USD"]) if row["cost_USD"] else None for row in rows} == expected
    costs = [Decimal(row["cost_USD"] or 0) for row in rows]
    assert costs == sorted(costs, reverse=True)
    assert command("report", "--period", "yesterday", "--csv").output == ended.output
    names = [row["app_name"] for row in rows_of(command("report", "--sort", "name").output)]
    assert names == sorted(names, key=str.casefold)
    command.at_a_terminal()
    title = without_colors(command("report", "--period", "yesterday").output).splitlines()[0]
    assert title.strip() == f"{dashboard.period.days[0]}, {dashboard.period.zone}"


@pytest.mark.parametrize("sort", ["uses", "tokens", "change"])
@pytest.mark.calendar
def test_the_order_of_the_apps(command: Command, sort: str) -> None:
    numbers = [float(row[sort] or "-inf") for row in rows_of(command("report", "--sort", sort).output)]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) > 2


@pytest.mark.calendar
def test_json(command: Command, fake: FakeDifyServer) -> None:
    ended = command("report", "--period", "last_7_days", "--mode", "chat", "--json")
    assert ended.code == 0, ended.errors
    with dify_of(fake) as dify:
        dashboard = dify.dashboard(period="last_7_days", mode="chat", compare=True)
    assert json.loads(ended.output) == json.loads(dashboard.to_json())


def test_a_failing_app_with_control_characters_in_its_name(command: Command, fake: FakeDifyServer) -> None:
    fake.add_app("\x1b[2Jred\u202e [bold]" + "x" * 40_000, "chat")
    bad = an_app(fake)
    fake.inject(f"/apps/{bad}/statistics/token-costs", status=403)
    command.at_a_terminal(80)
    command.set(FORCE_COLOR="", TTY_COMPATIBLE="1", TERM="dumb")
    ended = command("report")
    assert ended.code == 1
    assert "token_costs: GET /apps/" in " ".join(ended.output.split())
    assert "\x1b" not in ended.output
    assert "\u202e" not in ended.output
    assert "[bold]" in ended.output
    assert len(ended.output) < 10_000
    ended = command("report", "--csv")
    assert ended.code == 1
    (row,) = [row for row in rows_of(ended.output) if row["app_id"] == bad]
    assert row["errors"].startswith("token_costs: GET /apps/")
    assert "token_costs: GET /apps/" in ended.errors


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "told"),
    [
        (["--period", "last_7_day"], {}, 2, "last_7_days"),
        (["--watch", "0"], {}, 2, "Must be > 0"),
        (["--watch", "nan", "--json"], {}, 2, "nan"),
        (["--watch", "5"], {}, 2, "--watch needs a terminal, or --json"),
        (["--csv", "--json"], {}, 2, "cannot be combined"),
        (["--nope"], {}, 2, "--nope"),
        (["more"], {}, 2, "more"),
        ([], {"DIFY_EMAIL": ""}, 2, "pass --email, or set DIFY_EMAIL"),
        ([], {"DIFY_BASE_URL": ""}, 2, "pass --base-url, or set DIFY_BASE_URL"),
        ([], {"DIFY_PASSWORD": ""}, 2, "set DIFY_PASSWORD, or run the command at a terminal"),
        (["--redis-url", "http://x"], {}, 2, "--redis-url: "),
        (["--demo", "--base-url", "http://x"], {}, 2, "leave out --base-url and --email"),
        (["--demo", "--email", "a@example.com"], {}, 2, "leave out --base-url and --email"),
        ([], {"DIFY_PASSWORD": "Wrong-Password-1"}, 3, "DifyLoginError"),
        ([], {"DIFY_BASE_URL": "http://127.0.0.1:9"}, 3, "DifyConnectionError"),
    ],
)
def test_errors_take_one_line(
    command: Command, arguments: list[str], environment: dict[str, str], code: int, told: str
) -> None:
    command.set(**environment)
    ended = command("report", *arguments)
    assert ended.code == code
    assert told in ended.errors
    assert ended.errors.startswith("dify-async: error: ")
    assert ended.errors.count("\n") == 1
    assert ended.output == ""


@pytest.mark.slow
async def test_watching_until_ctrl_c() -> None:
    async with FakeDifyServer(apps=6) as fake:
        command = ("-m", "dify_async", "report", "--watch", "0.2", "--period", "last_7_days")
        terminal = {"FORCE_COLOR": "1", "TERM": "xterm"}
        # A time limit, after which the process is killed.
        async with started(*command, **settings(fake), **terminal) as process:
            with anyio.fail_after(60):
                for _ in range(3):
                    await line_with(process, "all apps")
                fake.inject("/apps", status=403)
                await line_with(process, r"\d s old: GET /apps: 403")
                process.send_signal(signal.SIGINT)
                output, _ = await process.communicate()
                assert process.returncode == 0, output
                assert b"Traceback" not in output
