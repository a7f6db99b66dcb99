"""`dify-async exporter`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from dify_async import DashboardFeed
from dify_async.cli.exporter import make_app
from dify_async.testing import FakeDifyServer
from tests.cli.conftest import Command
from tests.support import ONCE, an_app, client, zone_at_noon
from tests.web.support import serving

DATA: Final = files("dify_async.cli") / "data"
SPANS: Final = ("today", "yesterday", "month")


@asynccontextmanager
async def exporting(fake: FakeDifyServer, interval: float = 60.0) -> AsyncIterator[DashboardFeed]:
    async with client(fake, retry=ONCE) as dify, DashboardFeed(dify, interval) as feed:
        yield feed


async def scrape(feed: DashboardFeed, *, host: str = "localhost", status: int = 200) -> str:
    async with (
        serving(make_app(feed, ["metrics.example.com"])) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/metrics", headers={"Host": host}) as answer,
    ):
        assert answer.status == status
        assert answer.headers["Content-Type"].startswith("text/plain")
        return await answer.text()


@pytest.mark.calendar
@pytest.mark.parametrize("idle_days", [0, 1], ids=["busy", "quiet"])
async def test_metrics(idle_days: int) -> None:
    """On a day without traffic, averages have no sample, but a type."""
    zone = zone_at_noon()
    today = datetime.now(ZoneInfo(zone)).date() - timedelta(days=idle_days)
    async with FakeDifyServer(apps=6, timezone=zone, today=today) as fake:
        wild = fake.add_app('a "b" \\ \n# HELP c\x00\u202e' + "x" * 40_000, "chat")
        bad = an_app(fake, "completion")
        fake.inject(f"/apps/{bad}/statistics/token-costs", status=500)
        async with exporting(fake) as feed:
            dashboard = (await feed.get()).dashboard
            text = await scrape(feed)
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert values['dify_up{reason=""}'] == "1.0"
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
            numbers = (None,) * 3 if series is None else (series.values[-1], series.values[-2], series.total)
            for span, value in zip(SPANS, numbers, strict=True):
                exported = values.get(f"dify_app_{span}_{metric}{{{sample}}}")
                if value is None:
                    assert exported is None
                else:
                    assert exported is not None
                    assert float(exported) == pytest.approx(float(value) * factor)
    assert f'app_id="{wild.id}"' in text
    for name in names_in("grafana.json") | names_in("alerts.yml"):
        assert re.search(f"^# TYPE {name} gauge$", text, re.MULTILINE), name
    found = promtool("check", "metrics", text=text)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def names_in(file: str) -> set[str]:
    text = (DATA / file).read_text(encoding="utf-8")
    if file.endswith(".json"):
        return {
            name
            for panel in json.loads(text)["panels"]
            for name in re.findall(r"dify_\w+", panel["targets"][0]["expr"])
        }
    return set(re.findall(r"\b(dify_\w+)\b(?=[^\n]*[({\[<>=)])", "\n".join(re.findall("expr:.*", text))))


async def test_the_reason_of_a_failure() -> None:
    async with FakeDifyServer(apps=2) as fake:
        slow = fake.inject("/apps", delay=30.0)
        async with exporting(fake) as feed:
            assert 'dify_up{reason="starting"} 0.0' in await scrape(feed)
        slow.remove()
        forbidden = fake.inject("/apps", status=403)
        async with exporting(fake) as feed:
            with pytest.raises(Exception, match="403"):
                await feed.get()
            text = await scrape(feed)
            assert 'dify_up{reason="DifyPermissionError"} 0.0' in text
            assert "dify_app" not in text
            forbidden.remove()
            await feed.refresh()
            assert 'dify_up{reason=""} 1.0' in await scrape(feed)
            fake.inject("/apps", status=500)
            await feed.refresh()
            text = await scrape(feed)
            assert 'dify_up{reason="DifyServerError"} 0.0' in text
            assert "dify_app_today_messages{" in text  # of the last refresh that succeeded


async def test_host_names() -> None:
    """DNS rebinding: another site lets its host name resolve to 127.0.0.1."""
    async with FakeDifyServer(apps=1) as fake, exporting(fake) as feed:
        await feed.get()
        for host, status in {"evil.example": 403, "metrics.example.com": 200, "[::1]:9877": 200}.items():
            await scrape(feed, host=host, status=status)


def test_the_files_are_printed(command: Command, fake: FakeDifyServer) -> None:
    for name, file in (("alerts", "alerts.yml"), ("grafana", "grafana.json")):
        ended = command("exporter", "--print", name)
        assert (ended.code, ended.errors) == (0, "")
        assert ended.output == (DATA / file).read_text(encoding="utf-8")
    assert fake.count() == 0


def test_alerts(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent / "alerts_test.yml", tmp_path)
    rules = (DATA / "alerts.yml").read_text(encoding="utf-8")
    (tmp_path / "alerts.yml").write_text(rules, encoding="utf-8")
    tests = (tmp_path / "alerts_test.yml").read_text(encoding="utf-8")
    assert all(f"alertname: {name}\n" in tests for name in re.findall(r"- alert: (\w+)", rules))
    for arguments in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        found = promtool(*arguments, cwd=tmp_path)
        assert found.returncode == 0, found.stdout + found.stderr


def promtool(*arguments: str, text: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Prometheus's own check of metrics and rules."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return subprocess.run(
        [program, *arguments], input=text, cwd=cwd, capture_output=True, check=False, encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["--port", "65536"], {}, "65535"),
        (["--interval", "0"], {}, "Must be > 0"),
        (["--port", "0", "--host", "999.0.0.1"], {}, "999.0.0.1"),
        (["--port", "0", "--name", "https://x"], {}, "error: --name: hosts must be"),
        (["--port", "0"], {"DIFY_EMAIL": ""}, "--email"),
    ],
)
def test_errors_take_one_line(
    command: Command, arguments: list[str], environment: dict[str, str], told: str
) -> None:
    command.set(**environment)
    ended = command("exporter", *arguments)
    assert (ended.code, ended.output) == (2, "")
    assert told in ended.errors
    assert ended.errors.count("\n") == 1
