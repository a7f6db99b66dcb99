"""What a usage report counts, per mode, model and source."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support import JSON, VERSIONS

from .support import a_fake, a_message, money, put, tokens, usage_of


@pytest.mark.parametrize("version", VERSIONS)
async def test_debugging(version: str) -> None:
    """Messages from the console's editor look like those of the console; the statistics tell them apart."""
    async with a_fake(version, "chat", "advanced-chat") as fake:
        for app in (0, 1):
            put(
                fake,
                [a_message("2026-11-16 10:00"), a_message("2026-11-16 11:00", 1, user=-2, debug=True)],
                app=app,
            )
        usage = await usage_of(fake, "source", "account")
        found = {(row.source, row.account): row.messages for row in usage.rows}
        assert found == {("api", None): 2, ("console", "Ada Byron"): 1}
        rest = {row.mode: (row.messages, row.total_tokens, money([row])) for row in usage.unexplained}
        new = tuple(map(int, version.split("."))) >= (1, 9)
        price = Decimal("0.0001")
        assert rest == ({"chat": (-1, -120, -price)} if new else {"advanced-chat": (1, 120, price)})


@pytest.mark.parametrize("version", VERSIONS)
async def test_modes(version: str) -> None:
    async with a_fake(version, "chat", "advanced-chat", "workflow", "completion") as fake:
        for app in range(4):
            put(
                fake,
                [a_message("2026-11-16 10:00", user=3), a_message("2026-11-17 10:00", 1, user=-1)],
                app=app,
            )
        usage = await usage_of(fake, "mode", "user")
        rows = {(row.mode, row.user): row for row in usage.rows}
        for mode in ("chat", "advanced-chat"):
            row = rows[mode, "user-003"]
            assert (row.messages, row.input_tokens, row.output_tokens, row.total_tokens) == (1, 100, 20, 120)
            assert row.cost == {"USD": Decimal("0.0001")}
            assert row.runs == (mode == "advanced-chat")
        run = rows["workflow", "user-003"]
        assert (run.messages, run.runs, run.input_tokens, run.output_tokens, run.total_tokens) == (
            0,
            1,
            None,
            None,
            120,
        )
        assert run.cost == {}
        completion = rows["completion", "user-003"]
        assert (completion.messages, completion.input_tokens, completion.total_tokens) == (1, None, 0)
        rest = {row.mode for row in usage.unexplained}
        assert rest == {"completion"}
        assert tokens(usage.unexplained) == 240
        assert not fake.count("GET", "/apps/*/node-executions")
        assert not fake.count("GET", "/apps/*-conversations/*")


@pytest.mark.parametrize("version", VERSIONS)
async def test_models(version: str) -> None:
    """Up to 1.14, the conversations have no model [1.11.2/06_chat_conversations_limit_5]."""
    async with a_fake(version, "chat", "advanced-chat", "workflow") as fake:
        fake.apps[0].config = {"model": {"provider": "langgenius/anthropic/anthropic", "name": "claude"}}
        for app in range(3):
            put(fake, [a_message("2026-11-16 10:00", prompt=1000, answer=200)], app=app)
        usage = await usage_of(fake, "mode", "model", "provider")
        found = {(row.mode, row.model): row for row in usage.rows}
        chat = found["chat", "claude"]
        assert (chat.provider, chat.total_tokens) == ("langgenius/anthropic/anthropic", 1200)
        for mode in ("advanced-chat", "workflow"):
            large, small = found[mode, "gpt-4o-mini"], found[mode, "gpt-4o"]
            assert (large.input_tokens, large.output_tokens, large.total_tokens) == (900, 180, 1080)
            assert (small.input_tokens, small.output_tokens, small.total_tokens) == (100, 20, 120)
            assert money([large, small]) == Decimal("0.0001")
            assert large.runs == small.runs == 1
        assert len(found) == 5
        # Only the models know the price of a workflow; the dashboard has none.
        assert [(row.mode, row.total_tokens, row.runs) for row in usage.unexplained] == [("workflow", 0, 0)]
        assert money(usage.unexplained) == -Decimal("0.0001")


async def test_tokens_that_no_node_reports_have_no_model() -> None:
    """Such as those of agent nodes, or of nodes whose data was truncated."""
    async with a_fake("1.16.1", "workflow") as fake:
        put(fake, [a_message("2026-11-16 10:00")])
        fake.inject(
            "/apps/*/node-executions",
            body=b'{"data": [{"id": "1", "process_data": "?"},'
            b'{"id": "2", "process_data": {"model_name": "m",'
            b' "usage": {"prompt_tokens": 30, "total_tokens": 40}}}]}',
            headers=JSON,
        )
        usage = await usage_of(fake, "model")
        assert {row.model: (row.runs, row.total_tokens) for row in usage.rows} == {
            "m": (1, 40),
            None: (0, 80),
        }
        assert usage.unexplained == []


async def test_metadata_of_any_kind() -> None:
    """Dify sends what it stored. Prices are exact, also with more digits than a float has."""
    usage = b'{"usage": {"total_price": "0.1000000000000000000000000001", "currency": "RMB"}}'
    stored = [
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"usage": null}',
        b'{"usage": {"total_price": "?"}}',
        usage,
        usage,
    ]
    rows = b",".join(
        b'{"id": "%d", "created_at": 1794852000, "message_tokens": "5", "answer": "a", "metadata": %s}' % pair
        for pair in enumerate(stored)
    )
    async with a_fake("1.16.1", "chat") as fake:
        put(fake, [a_message("2026-11-16 10:00")])
        fake.inject(
            "/apps/*/chat-messages",
            body=b'{"data": [%s]}' % rows,
            headers=JSON,
        )
        report = await usage_of(fake, "app")
    assert report.rows[0].messages == len(stored)
    assert report.rows[0].total_tokens == 5 * len(stored)
    assert report.rows[0].cost == {"RMB": Decimal("0.2000000000000000000000000002")}
    assert {row.total_tokens for row in report.unexplained} == {120 - 5 * len(stored)}
    assert report.unexplained[0].cost == {
        "USD": Decimal("0.0001"),
        "RMB": Decimal("-0.2000000000000000000000000002"),
    }
