"""The dashboard examples run as separate programs."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp
import anyio
import pytest

from dify_async.testing import FakeDifyServer
from tests.support import an_app, client, zone_at_noon
from tests.test_examples import ROOT, python_path, run, settings

from .numbers import JSON

pytestmark = pytest.mark.slow

REPORT: Final = "examples/terminal_report.py"
EXPORTER: Final = "examples/prometheus_exporter.py"
SERVICE: Final = "examples/fastapi_service.py"
NARROW: Final = "80"


@pytest.fixture
async def fake() -> AsyncIterator[FakeDifyServer]:
    async with FakeDifyServer(apps=6, timezone=zone_at_noon()) as server:
        yield server


@asynccontextmanager
async def started(*arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": python_path(), "COLUMNS": NARROW, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Background processes ignore Ctrl-C, and so do children of the tests.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_with(process: asyncio.subprocess.Process, pattern: str) -> re.Match[str]:
    assert process.stdout is not None
    read = ""
    while line := (await process.stdout.readline()).decode():
        read += line
        if match := re.search(pattern, line):
            return match
    raise AssertionError(read)


@pytest.mark.calendar
async def test_terminal_report_without_an_account() -> None:
    ended = await run(REPORT, COLUMNS=NARROW)
    assert ended.code == 0, ended.errors
    assert "using a fake console" in ended.errors
    assert re.search(r"messages +[\d,]+ +[+-]\d+% +[▁-█]{15}", ended.output)
    assert re.search(r"Support assistant +chat +[\d,]+ ", ended.output)
    assert max(map(len, ended.output.splitlines())) <= 80


async def test_terminal_report_at_60_columns(fake: FakeDifyServer) -> None:
    """Names stay whole, a falling cost is green, and today is marked as not over."""
    fake.add_app("Contract review 2026", "chat")
    today = datetime.now(ZoneInfo(fake.timezone)).date()
    rows = [
        {"date": str(today - timedelta(days=ago)), "token_count": 5, "total_price": price, "currency": "EUR"}
        for ago, price in ((0, "1"), (3, "1.5"), (10, "2"))
    ]
    fake.inject("*/token-costs", body=json.dumps({"data": rows}).encode(), headers=JSON)
    narrow = settings(fake, COLUMNS="60", FORCE_COLOR="1", TERM="xterm", NO_COLOR="")
    ended = await run(REPORT, "--last", "7d", **narrow)
    assert ended.code == 0, ended.errors
    plain = re.sub(r"\x1b\[[\d;]*m", "", ended.output)
    assert max(map(len, plain.splitlines())) <= 60
    assert "Today is not over" in plain
    assert re.search(r"^ Contract review 2026 +[\d,]+ ", plain, re.MULTILINE)
    assert re.search(r"^ cost in EUR +[\d.]+ EUR +-25% ", plain, re.MULTILINE)
    assert re.search(r"\x1b\[32m +-25%\x1b\[0m", ended.output)


@pytest.mark.calendar
async def test_terminal_report_as_json_and_csv(fake: FakeDifyServer, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    chosen = ("--last", "1w", "--mode", "chat", "--json", "--csv", str(path))
    ended = await run(REPORT, *chosen, **settings(fake))
    assert ended.code == 0, ended.errors
    body = json.loads(ended.output)
    async with client(fake) as dify:
        dashboard = await dify.dashboard(days=7, mode="chat")
    assert body["days"] == [day.isoformat() for day in dashboard.period.days]
    assert body["totals"]["tokens"]["total"] == dashboard.totals["tokens"].total
    with path.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(dashboard.to_rows())


async def test_terminal_report_of_a_failing_app_with_control_characters_in_its_name(
    fake: FakeDifyServer,
) -> None:
    fake.add_app("\x1b[2Jred\u202e [bold]" + "x" * 40_000, "chat")
    bad = an_app(fake)
    fake.inject(f"/apps/{bad}/statistics/token-costs", status=403)
    ended = await run(REPORT, **settings(fake))
    assert ended.code == 1
    assert "token_costs: GET /apps/" in ended.output
    assert "\x1b" not in ended.output
    assert "\u202e" not in ended.output
    assert "[bold]" in ended.output
    assert len(ended.output) < 10_000


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "told"),
    [
        (["--last", "7x"], {}, 2, "must be a number of days"),
        (["--watch", "0"], {}, 2, "must be a number of seconds"),
        ([], {"DIFY_EMAIL": ""}, 2, "email is missing"),
        (["--csv", "/no/such/folder/x.csv"], {}, 2, "/no/such/folder"),
        ([], {"DIFY_PASSWORD": "Wrong-Password-1"}, 3, "DifyLoginError"),
        ([], {"DIFY_BASE_URL": "http://127.0.0.1:9"}, 3, "DifyConnectionError"),
    ],
)
async def test_terminal_report_reports_errors(
    fake: FakeDifyServer, arguments: list[str], environment: dict[str, str], code: int, told: str
) -> None:
    ended = await run(REPORT, *arguments, **settings(fake, **environment))
    assert ended.code == code
    assert told in ended.errors
    assert "Traceback" not in ended.errors
    assert ended.output == ""


async def test_terminal_report_watches_until_interrupted(fake: FakeDifyServer) -> None:
    # A time limit, after which the process is killed.
    async with started(REPORT, "--watch", "0.2", "--last", "7d", **settings(fake)) as process:
        with anyio.fail_after(40):
            for _ in range(3):
                await line_with(process, "^ all apps")
            fake.inject("/apps", status=403)
            await line_with(process, r"\d s old: GET /apps: 403")
            process.send_signal(signal.SIGINT)
            output, _ = await process.communicate()
            assert process.returncode == 0, output
            assert b"Traceback" not in output


async def scraped(process: asyncio.subprocess.Process, until: str) -> str:
    address = (await line_with(process, r"Running on (http://\S+)"))[1]
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{address}/metrics") as answer:
                assert answer.status == 200
                assert answer.headers["Content-Type"].startswith("text/plain")
                text = await answer.text()
            if re.search(until, text, re.MULTILINE):
                return text
            await asyncio.sleep(0.02)


@pytest.mark.calendar
@pytest.mark.parametrize("idle_days", [0, 1], ids=["busy", "quiet"])
async def test_prometheus_exporter(idle_days: int) -> None:
    """On a day without traffic, averages of today have no sample."""
    zone = zone_at_noon()
    today = datetime.now(ZoneInfo(zone)).date() - timedelta(days=idle_days)
    async with FakeDifyServer(apps=6, timezone=zone, today=today) as fake:
        await check_exporter(fake)


async def check_exporter(fake: FakeDifyServer) -> None:
    wild = fake.add_app('a "b" \\ \n# HELP c\x00\u202e' + "x" * 40_000, "chat")
    bad = an_app(fake, "completion")
    fake.inject(f"/apps/{bad}/statistics/token-costs", status=500)
    async with client(fake) as dify:
        dashboard = await dify.dashboard()
    async with started(EXPORTER, "--port", "0", **settings(fake)) as process:
        text = await scraped(process, "^dify_up 1.0")
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert process.returncode == 0
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["dify_data_age_seconds"]) >= 0
    assert values[f'dify_app_errors{{app_id="{bad}"}}'] == "1.0"
    for app in dashboard.apps:
        labels = f'app_id="{app.app_id}"'
        assert float(values[f"dify_app_errors{{{labels}}}"]) == len(app.errors)
        for name, metric, factor in (
            ("daily_messages", "messages", 1),
            ("user_satisfaction_rate", "satisfaction_ratio", 0.001),
            ("token_costs_USD", "cost", 1),
        ):
            series = app.series.get(name)
            sample = f'{labels},currency="USD"' if metric == "cost" else labels
            for span in ("today", "month"):
                value = None if series is None else series.values[-1] if span == "today" else series.total
                exported = values.get(f"dify_app_{span}_{metric}{{{sample}}}")
                if value is None:
                    assert exported is None
                else:
                    assert exported is not None
                    assert float(exported) == pytest.approx(float(value) * factor)
    assert f'app_id="{wild.id}"' in text
    for panel in json.loads((ROOT / "examples/prometheus_grafana.json").read_text())["panels"]:
        for name in re.findall(r"dify_\w+", panel["targets"][0]["expr"]):
            # Exported with or without samples, for the Grafana panel.
            assert re.search(f"^# TYPE {name} gauge$", text, re.MULTILINE), name
    check_by_promtool(text)


def check_by_promtool(text: str) -> None:
    """Prometheus's conventions for names, units and help texts."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    found = subprocess.run(
        [promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


async def test_prometheus_exporter_while_the_server_is_down(fake: FakeDifyServer) -> None:
    fake.inject("/apps", status=403)
    async with started(EXPORTER, "--port", "0", **settings(fake)) as process:
        text = await scraped(process, "^dify_up 0.0")
        assert "dify_app" not in text
    ended = await run(EXPORTER, "--port", "0", **settings(fake, DIFY_EMAIL=""))
    assert ended.code == 2
    assert "email is missing" in ended.errors


@pytest.mark.calendar
async def test_fastapi_service(fake: FakeDifyServer) -> None:
    async with (
        started(SERVICE, "--port", "0", **settings(fake)) as process,
        aiohttp.ClientSession() as session,
        client(fake) as dify,
    ):
        address = (await line_with(process, r"Uvicorn running on (http://\S+)"))[1]

        async def get(query: str) -> tuple[int, Any]:
            async with session.get(f"{address}/dashboard?{query}") as answer:
                return answer.status, await answer.json()

        dashboard = await dify.dashboard(days=7, mode="chat", compare=True)
        answers = await asyncio.gather(*(get("days=7&mode=chat&compare=true") for _ in range(5)))
        assert answers == [(200, json.loads(dashboard.to_json()))] * 5
        # All requests share one session.
        assert fake.count("POST", "/login") == 2
        assert (await get("days=0"))[0] == 422
        assert (await get("mode=nonsense"))[0] == 422
        fake.inject("/apps", status=403)
        status, body = await get("")
        assert (status, body["error"]) == (502, "DifyPermissionError")
