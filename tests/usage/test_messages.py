"""All messages of an app."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dify_async import DifyConfigError, DifyNotFoundError, Message, TokenUsage
from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN, VERSIONS, client

from .support import a_fake, a_message, at, put

START, END = "2026-11-16 00:00", "2026-11-18 00:00"


def put_three(fake: FakeDifyServer, *, app: int = 0) -> None:
    rows = [a_message("2026-11-15 23:59:59"), a_message("2026-11-16 00:00"), a_message("2026-11-17 09:00")]
    others = [a_message("2026-11-16 12:00", 1, user=-3, price=None), a_message("2026-11-18 00:00", 2)]
    put(fake, [*rows, *others], app=app)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["chat", "agent-chat", "advanced-chat"])
async def test_messages(version: str, mode: str) -> None:
    async with a_fake(version, mode) as fake, client(fake) as dify:
        put_three(fake)
        found = await dify.messages(fake.apps[0].id, START, END)
        assert [row.created_at for row in found] == [
            at("2026-11-17 09:00"),
            at("2026-11-16 00:00"),
            at("2026-11-16 12:00"),
        ]
        first, second, console = found
        assert len({row.id for row in found}) == 3
        assert first.conversation_id == second.conversation_id != console.conversation_id
        assert (first.from_source, first.from_end_user_session_id) == ("api", "user-000")
        assert (console.from_source, console.from_account_name) == ("console", "Bo Li")
        assert (first.message_tokens, first.answer_tokens) == (100, 20)
        assert first.usage == TokenUsage(
            prompt_tokens=100,
            completion_tokens=20,
            total_tokens=120,
            total_price=Decimal("0.0001000"),
            currency="USD",
            latency=1.0,
        )
        assert console.usage is None
        assert (first.model is None) == (mode == "advanced-chat")
        assert (first.workflow_run_id is None) == (mode != "advanced-chat")
        assert first.query
        assert first.answer
        listed = await dify.apps()
        assert [row async for row in dify.messages(listed[0], START, END)] == found
        assert len(await dify.messages(listed[0])) == 5
        assert not fake.count("GET", "/apps/*/*-conversations/*")


@pytest.mark.parametrize("version", VERSIONS)
async def test_completions(version: str) -> None:
    """Their ids and tokens are only in a call that marks them as read."""
    async with a_fake(version, "completion") as fake, client(fake) as dify:
        put(
            fake,
            [
                a_message("2026-11-16 10:00", 1),
                a_message("2026-11-17 23:59:59", 2),
                a_message("2026-11-18 00:00", 3),
            ],
        )
        found = await dify.messages(fake.apps[0].id, START, END)
        assert [row.created_at for row in found] == [at("2026-11-17 23:59:59"), at("2026-11-16 10:00")]
        for row in found:
            assert isinstance(row, Message)
            assert (row.id, row.message_tokens, row.answer_tokens, row.usage) == (None, None, None, None)
            assert row.model
            assert row.answer
        assert [row async for row in dify.messages(fake.apps[0].id, START, END)] == found
        assert not fake.count("GET", "/apps/*/completion-conversations/*")


async def test_bounds() -> None:
    """To the second, although the server filters by minutes and another time."""
    async with a_fake("1.16.1", "chat") as fake, client(fake) as dify:
        put(fake, [a_message(f"2026-11-16 10:00:{second:02}") for second in range(60)])
        start, end = datetime(2026, 11, 16, 10, 0, 20), datetime(2026, 11, 16, 15, 0, 40, tzinfo=UTC)
        found = await dify.messages(fake.apps[0].id, start, end)
        assert [row.created_at for row in found] == [at("2026-11-16 10:00:39") - back for back in range(20)]


async def test_wrong_arguments() -> None:
    async with a_fake("1.16.1", "workflow", "chat") as fake, client(fake) as dify:
        with pytest.raises(
            DifyConfigError, match="'0 workflow' is a workflow, which has runs but no messages"
        ):
            await dify.messages(fake.apps[0].id)
        with pytest.raises(DifyConfigError, match="start must not be after end"):
            await dify.messages(fake.apps[1].id, END, START)
        with pytest.raises(DifyNotFoundError):
            await dify.messages(UNKNOWN)
        fake.reset_counters()
        with pytest.raises(DifyConfigError, match=r"^start must be a datetime, a date or "):
            await dify.messages(fake.apps[1].id, "yesterday")
        assert not fake.requests
