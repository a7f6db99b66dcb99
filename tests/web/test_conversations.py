"""The conversations of an app, and their messages."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer
from tests.support import an_app, client
from tests.web.support import page_of

pytestmark = pytest.mark.calendar


async def get(page: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with page.get(path) as answer:
        assert answer.status == 200
        body: dict[str, Any] = await answer.json()
        return body


@pytest.mark.parametrize("version", ["1.9.1", "1.11.2", "1.16.1"])
async def test_conversations_and_messages(version: str) -> None:
    async with FakeDifyServer(version) as fake, client(fake) as dify, page_of(fake) as page:
        app = an_app(fake)
        listing = await get(page, f"/api/apps/{app}/conversations?mode=chat")
        expected = await dify.chat_conversations(app, limit=20)
        assert [row["id"] for row in listing["rows"]] == [chat.id for chat in expected.data]
        assert listing["has_more"]
        row = max(listing["rows"], key=lambda row: row["messages"])
        chat = next(chat for chat in expected.data if chat.id == row["id"])
        assert row["messages"] == chat.message_count
        assert row["user"] == (chat.from_end_user_session_id or chat.from_account_name)
        assert row["name"] == (chat.name or chat.summary)
        second = await get(page, f"/api/apps/{app}/conversations?mode=chat&page=2")
        assert {one["id"] for one in second["rows"]}.isdisjoint(one["id"] for one in listing["rows"])
        messages = await get(page, f"/api/apps/{app}/conversations/{chat.id}")
        assert len(messages["rows"]) == chat.message_count
        assert not messages["has_more"]
        times = [message["at"] for message in messages["rows"]]
        assert times == sorted(times, reverse=True)
        assert all(message["input_tokens"] + message["output_tokens"] > 0 for message in messages["rows"])
        before = messages["rows"][0]["id"]
        earlier = await get(page, f"/api/apps/{app}/conversations/{chat.id}?before={before}")
        assert earlier["rows"] == messages["rows"][1:]
        # These routes mark a conversation as read.
        assert fake.count("GET", "/apps/*/chat-conversations/*") == 0


async def test_completions_and_runs(fake: FakeDifyServer) -> None:
    async with page_of(fake) as page:
        app = an_app(fake, "completion")
        texts = await get(page, f"/api/apps/{app}/conversations?mode=completion")
        assert all(row["name"] and row["answer"] and row["messages"] == 1 for row in texts["rows"])
        app = an_app(fake, "workflow")
        runs = await get(page, f"/api/apps/{app}/conversations?mode=workflow")
        assert all(row["tokens"] > 0 and row["seconds"] > 0 for row in runs["rows"])
        assert {row["status"] for row in runs["rows"]} <= {"succeeded", "failed", "stopped"}
    assert fake.count("GET", "/apps/*/completion-conversations/*") == 0


async def test_errors(fake: FakeDifyServer) -> None:
    app = an_app(fake)
    gone = "00000000-0000-4000-8000-000000000000"
    async with page_of(fake) as page:
        for path, status, what in (
            (f"{gone}/conversations?mode=chat", 502, "no longer exists"),
            (f"{app}/conversations/{gone}", 502, "no longer exists"),
            (f"{app}/conversations?page=x", 400, "cannot be shown"),
            (f"{app}/conversations?page=0", 400, "cannot be shown"),
            ("..%5C/conversations", 400, "cannot be shown"),
        ):
            async with page.get(f"/api/apps/{path}") as answer:
                assert answer.status == status, path
                assert what in (await answer.json())["what"]
