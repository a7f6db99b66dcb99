"""`dify-async usage`."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal

import pytest

from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.cli.conftest import Command, without_colors


@pytest.mark.calendar
def test_tables_and_files(command: Command, fake: FakeDifyServer) -> None:
    for app in fake.apps:
        app.messages_per_day = min(app.messages_per_day, 4)  # all of them are read four times
    with DifyServer(fake.base_url, fake.email, fake.password) as dify:
        usage = dify.usage(period="last_7_days", by=("user", "model"))
        usage_by_app = dify.usage(period="last_7_days", by=("app",))
    arguments = ("usage", "--by", "model, user", "--period", "last_7_days")
    ended = command(*arguments)
    assert ended.code == 0, ended.errors
    rows = list(csv.DictReader(io.StringIO(ended.output)))
    assert [row["user"] or None for row in rows] == [row.user for row in usage.rows]
    assert [Decimal(row["cost_USD"] or 0) for row in rows] == [row.cost.get("USD", 0) for row in usage.rows]
    missing = sum(max(row.total_tokens, 0) for row in usage.unexplained)
    extra = -sum(min(row.cost.get("USD", Decimal(0)), Decimal(0)) for row in usage.unexplained)
    # They do not cancel each other out.
    assert re.search(rf"in Dify's statistics, but not in these rows: .*\b{missing:,} tokens", ended.errors)
    assert re.search(rf"in these rows, but not in Dify's statistics: .*\b{extra:,.4f} USD", ended.errors)
    assert missing
    assert extra
    assert len(json.loads(command(*arguments, "--json").output)["rows"]) == len(usage.rows)
    command.at_a_terminal(100)
    table = without_colors(command(*arguments).output)
    total = sum(row.total_tokens for row in usage.rows)
    cost = sum((row.cost.get("USD", Decimal(0)) for row in usage.rows), Decimal(0))
    # Messages and runs with several models are in several rows, which cannot be added up.
    assert re.search(rf"^ *all +{total:,} +{cost:,.4f} USD *$", table, re.MULTILINE)
    assert max(map(len, table.splitlines())) <= 100
    messages = sum(row.messages for row in usage_by_app.rows)
    runs = sum(row.runs for row in usage_by_app.rows)
    table = without_colors(command("usage", "--period", "last_7_days").output)
    assert re.search(rf"^ *all +{messages:,} +{runs:,} +{total:,} ", table, re.MULTILINE)


def test_an_app_that_fails(command: Command, fake: FakeDifyServer) -> None:
    bad = next(app for app in fake.apps if app.mode == "chat")
    fake.inject(f"/apps/{bad.id}/chat-conversations", status=403)
    ended = command("usage", "--period", "yesterday")
    assert ended.code == 1
    assert f"dify-async: {bad.name}: GET /apps/" in ended.errors


@pytest.mark.parametrize(("by", "told"), [("user,modell", "did you mean 'model'"), (",", "at least one of")])
def test_wrong_groups(command: Command, fake: FakeDifyServer, by: str, told: str) -> None:
    ended = command("usage", "--by", by)
    assert (ended.code, ended.output) == (2, "")
    assert told in ended.errors
    assert fake.count() == 0
