"""Messages, annotations and feedback, on each version of the server."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyNotFoundError,
    When,
)
from dify_async.testing import FakeDifyServer
from tests.support import VERSIONS, an_app, client, put_messages

pytestmark = pytest.mark.parametrize("version", VERSIONS)


async def test_messages_of_a_conversation(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Newest first; `first_id` gets earlier ones [1.11.2/06_chat_messages_limit_2_first_id_page_2]."""
    app = next(one.id for one in fake.apps if one.mode == "chat" and one.messages_per_day)
    talk = max((await dify.chat_conversations(app, limit=100)).data, key=lambda row: row.message_count or 0)
    whole = (await dify.chat_messages(app, talk.id, limit=100)).data
    assert len(whole) == talk.message_count
    assert [row.created_at for row in whole] == sorted((row.created_at or 0 for row in whole), reverse=True)
    last = await dify.chat_messages(app, talk.id, limit=2)
    assert last.data == whole[:2]
    before = await dify.chat_messages(app, talk.id, limit=2, first_id=last[-1].id)
    assert before.data == whole[2:4]
    assert [row async for row in dify.chat_messages(app, talk.id, limit=2)] == whole
    found = dify.chat_messages(app, talk.id, limit=2, first_id=last[-1].id)
    assert [row async for row in found] == whole[2:]
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
    rows = [row async for row in dify.completion_conversations(app, start=start, limit=20)]
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
        await dify.export_feedbacks(app, format="xml")  # type: ignore[arg-type]  # invalid on purpose


async def test_feedback_of_some_days(version: str) -> None:
    """Days in UTC; the last day is exclusive except for its first moment.

    Seen on 1.11.2 and 1.15.0: 7, 4, 1, 6 and 5 a day, of the 5 one at midnight, gave 19 and not 18 or 23.
    """
    given = {day: [datetime(2026, 11, day, 1 + n, 59, 59, tzinfo=UTC) for n in range(number)]
             for day, number in ((1, 7), (2, 4), (3, 1), (4, 6), (5, 4))}  # fmt: skip
    given[5].insert(0, datetime(2026, 11, 5, tzinfo=UTC))
    # No other test has this zone.
    async with FakeDifyServer(version, timezone="Pacific/Chatham", today=date(2026, 11, 7)) as fake:
        app = an_app(fake)
        put_messages(fake, app, sorted(at for day in given.values() for at in day), liked=True)
        async with client(fake) as dify:
            if version in {"0.15.3", "1.9.1"}:
                return

            async def count(start: When | None, end: When | None) -> int:
                found = json.loads(await dify.export_feedbacks(app, start_date=start, end_date=end))
                return len(found["feedback_data"])

            assert await count("2026-11-01", "2026-11-05") == 19
            assert await count(None, "2026-11-05") == 19
            assert await count("2026-11-05", None) == 5
            assert await count("2026-11-01", "2026-11-06") == await count(None, None) == 23
            assert await count(date(2026, 11, 1), date(2026, 11, 5)) == 19
            assert await count(datetime(2026, 11, 1, 23), "2026-11-04T00:00:01") == 19  # rounded outwards
            east = timezone(timedelta(hours=13))
            assert await count("2026-11-02T12:59+13:00", datetime(2026, 11, 5, 13, tzinfo=east)) == 19
            for bounds in (("1 November", None), (date(2026, 11, 2), date(2026, 11, 1))):
                with pytest.raises(DifyConfigError):
                    await count(*bounds)
