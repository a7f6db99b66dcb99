"""What was said, on each version of the server."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta

import pytest

from dify_async import AsyncDifyServer, DifyConfigError, DifyNotFoundError
from dify_async.testing import FakeDifyServer
from tests.support import VERSIONS, an_app

pytestmark = pytest.mark.parametrize("version", VERSIONS)


async def test_messages_of_a_conversation(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """In the order of time; `first_id` goes back [1.11.2/06_chat_messages_limit_2_first_id_page_2]."""
    app = next(one.id for one in fake.apps if one.mode == "chat" and one.messages_per_day)
    talk = max((await dify.chat_conversations(app, limit=100)).data, key=lambda row: row.message_count or 0)
    whole = (await dify.chat_messages(app, talk.id, limit=100)).data
    assert len(whole) == talk.message_count
    assert [row.created_at for row in whole] == sorted(row.created_at or 0 for row in whole)
    last = await dify.chat_messages(app, talk.id, limit=2)
    assert last.data == whole[-2:]
    before = await dify.chat_messages(app, talk.id, limit=2, first_id=last.data[0].id)
    assert before.data == whole[-4:-2]
    assert [row async for row in dify.iter_chat_messages(app, talk.id, page_size=2)] == whole[::-1]
    with pytest.raises(DifyNotFoundError, match="First message not found"):
        await dify.chat_messages(app, talk.id, first_id=app)
    with pytest.raises(DifyNotFoundError, match="Conversation"):
        await dify.chat_messages(app, app)
    assert not fake.count("GET", "/apps/*/chat-conversations/*")  # which would mark it as read


@pytest.mark.calendar
async def test_completion_conversations(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = an_app(fake, "completion")
    page = await dify.completion_conversations(app, limit=3)
    assert page.data[0].message is not None
    assert page.data[0].message.answer
    start = date.today() - timedelta(days=10)
    rows = [row async for row in dify.iter_completion_conversations(app, start=start, page_size=20)]
    assert len(rows) == len({row.id for row in rows})
    assert rows[:3] == page.data
    with pytest.raises(DifyNotFoundError):
        await dify.completion_conversations(an_app(fake, "chat"))


async def test_annotations(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    page = await dify.annotations(an_app(fake), limit=2)
    assert len(page.data) == 2
    assert page.total == 3
    assert (await dify.annotations(an_app(fake), keyword="no such question")).data == []


async def test_feedback(version: str, fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = an_app(fake)
    if version in {"0.15.3", "1.9.1"}:
        with pytest.raises(DifyNotFoundError):
            await dify.export_feedbacks(app)
        return
    found = json.loads(await dify.export_feedbacks(app))
    rows = list(csv.DictReader((await dify.export_feedbacks(app, format="csv")).decode().splitlines()))
    assert len(rows) == len(found["feedback_data"]) > 0
    assert json.loads(await dify.export_feedbacks(app, rating="dislike"))["feedback_data"] == []
    with pytest.raises(DifyConfigError, match="csv"):
        await dify.export_feedbacks(app, format="xml")  # type: ignore[arg-type]  # that is what is tried
