"""Usage as rows, columns, CSV, JSON and data frames; and exact sums."""

from __future__ import annotations

import asyncio
import csv
import json
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_async import App, Usage, UsageDimension
from dify_async.usage.models import UsageRow
from dify_async.usage.tally import AppTally, Model, ModelTokens, Person, Tokens, merge, rows_of
from tests.support import client

from .support import a_fake, a_message, put

COLUMNS = [
    "user",
    "day",
    "messages",
    "conversations",
    "runs",
    "input_tokens",
    "output_tokens",
    "total_tokens",
]


async def a_usage() -> Usage:
    async with a_fake("1.16.1", "chat", "workflow") as fake, client(fake) as dify:
        put(fake, [a_message("2026-11-16 10:00", user=7), a_message("2026-11-17 10:00", 1, price=None)])
        put(fake, [a_message("2026-11-16 10:00")], app=1)
        return await dify.usage(date(2026, 11, 16), date(2026, 11, 18), by=("user", "day"))


async def test_rows_and_columns() -> None:
    usage = await a_usage()
    rows = usage.to_rows()
    assert [list(row) for row in rows] == [[*COLUMNS, "cost_USD"]] * 3
    assert rows[2] == {
        "user": "user-007",
        "day": date(2026, 11, 16),
        "messages": 1,
        "conversations": 1,
        "runs": 0,
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "cost_USD": Decimal("0.0001000"),
    }
    assert [row["cost_USD"] for row in rows[:2]] == [None, None]
    assert usage.to_columns() == {name: [row[name] for row in rows] for name in rows[0]}


async def test_csv(tmp_path: Path) -> None:
    usage = await a_usage()
    path = tmp_path / "usage.csv"
    await asyncio.to_thread(usage.to_csv, path)
    text = await asyncio.to_thread(path.read_text, encoding="utf-8")
    header, *rows = csv.reader(text.splitlines())
    assert header == [*COLUMNS, "cost_USD"]
    assert rows[2] == ["user-007", "2026-11-16", "1", "1", "0", "100", "20", "120", "0.0001000"]


async def test_json() -> None:
    usage = await a_usage()
    body = json.loads(usage.to_json())
    assert set(body) == {"period", "by", "rows", "unexplained", "errors", "mark"}
    assert body["rows"][2]["cost"] == {"USD": "0.0001000"}
    assert body["rows"][2]["day"] == "2026-11-16"
    assert body["by"] == ["user", "day"]


@pytest.mark.slow
async def test_data_frames() -> None:
    usage = await a_usage()
    frame = await asyncio.to_thread(usage.to_native, "polars")
    assert list(frame.columns) == [*COLUMNS, "cost_USD"]
    assert len(frame) == 3
    assert frame["total_tokens"].sum() == 360


PRICES = st.decimals(min_value=0, max_value=10**6, places=7)
MESSAGES = st.lists(
    st.tuples(
        st.integers(1, 28), st.integers(0, 3), st.integers(0, 500), st.integers(0, 500), st.none() | PRICES
    ),
    max_size=10,
)
DAY = date(2026, 11, 1)


@given(messages=MESSAGES, by=st.lists(st.sampled_from(["app", "day", "user", "model"]), unique=True))
def test_sums_are_exact_by_any_grouping(
    messages: list[tuple[int, int, int, int, Decimal | None]], by: list[UsageDimension]
) -> None:
    """Whatever the decimal context of the thread."""
    with localcontext() as context:
        context.prec = 3
        tally = AppTally(App(id="1", name="a", mode="chat"), by)
        for day, user, prompt, answer, price in messages:
            tokens = Tokens(prompt, answer, prompt + answer, price)
            talk = tally.conversation(Person(str(user), None, "api"), Model("p", str(user)))
            talk.add(DAY.replace(day=day), tokens, messages=1)
        groups: dict[object, object] = {}
        merge(groups, tally)  # type: ignore[arg-type]  # empty
        rows: list[UsageRow] = rows_of(groups, by)  # type: ignore[arg-type]  # filled by merge
    prices = [price for *_, price in messages if price is not None]
    for found in (
        sum(row.cost.get("USD", Decimal(0)) for row in rows),
        sum(sums.cost.get("USD", Decimal(0)) for sums in tally.days.values()),
    ):
        assert found == sum(prices)
    assert sum(row.messages for row in rows) == len(messages)
    assert sum(row.total_tokens for row in rows) == sum(row[2] + row[3] for row in messages)
    assert sum(row.input_tokens or 0 for row in rows) == sum(row[2] for row in messages)
    groups_of = {"app": 0, "day": 1, "user": 2, "model": 2}
    keys = {tuple(("a", row[0], row[1])[groups_of[name]] for name in by) for row in messages}
    assert len(rows) == len(keys)


def test_what_the_nodes_used_more_than_the_message_is_negative() -> None:
    """So that sums stay those of the statistics, for example if a node was retried."""
    tally = AppTally(App(id="1", name="a", mode="advanced-chat"), ("model",))
    parts = [ModelTokens("p", "m", Tokens(60, 60, 120, Decimal("0.3")))] * 2
    talk = tally.conversation(Person("u", None, "api"))
    talk.add(DAY, Tokens(100, 100, 200, Decimal("0.5")), parts, messages=1, runs=1)
    found = {group.model: sums for group, sums in tally.groups.items()}
    assert (found["m"].total_tokens, found["m"].messages, found["m"].conversations) == (240, 1, 1)
    assert (found[None].total_tokens, found[None].input_tokens, found[None].messages) == (-40, -20, 0)
    assert found[None].cost == {"USD": Decimal("-0.1")}
    assert tally.days[DAY].total_tokens == 200
