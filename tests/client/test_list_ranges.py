"""Ranges of lists on a server: `end` is exclusive, in any time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dify_async import DifyConfigError, Page
from dify_async.testing import FakeDifyServer
from tests.client.support import DAY, busy, rows_of
from tests.support import an_app, client, put_messages


@pytest.mark.parametrize("name", ["chat_conversations", "completion_conversations", "workflow_app_logs"])
async def test_ranges_of_a_day(pinned: FakeDifyServer, name: str) -> None:
    """A row at midnight belongs to the next day; the server includes it in both."""
    mode = {"workflow_app_logs": "workflow"}.get(name, name.removesuffix("_conversations"))
    app = busy(pinned, mode)
    async with client(pinned) as dify:
        listed = getattr(dify, name)
        sort = {"sort_by": "created_at"} if mode == "chat" else {}
        days = [DAY + timedelta(days=number) for number in range(-1, 3)]
        counts = [
            len(await rows_of(listed(app, start=day, end=day + timedelta(days=1), limit=1, **sort)))
            for day in days
        ]
        assert counts == [0, 2, 1, 0]
        assert [
            len(await listed(app, start=day, end=str(day + timedelta(days=1)), **sort)) for day in days
        ] == counts
        assert len(await rows_of(listed(app, start="2026-11-05T23:59:45Z", end="2026-11-05 23:59:46"))) == (
            0 if mode == "workflow" else 1
        )
        assert len(await listed(app, end="2026-11-06T01:00:00+01:00", **sort)) == 2
        assert len(await listed(app, start="2026-11-06T01:00:00+01:00", **sort)) == 1


@pytest.mark.parametrize("name", ["chat_conversations", "completion_conversations", "workflow_app_logs"])
async def test_an_empty_range_is_not_requested(pinned: FakeDifyServer, name: str) -> None:
    mode = {"workflow_app_logs": "workflow"}.get(name, name.removesuffix("_conversations"))
    async with client(pinned, server_version="1.15.0") as dify:
        listed = getattr(dify, name)
        for start, end in (("2026-11-05T10:00Z", "2026-11-05T12:00+02:00"), (DAY, "2026-11-05")):
            page = await listed(an_app(pinned, mode), start=start, end=end, page=2, limit=5)
            assert page == Page(data=[], page=2, limit=5)
            assert await rows_of(listed(an_app(pinned, mode), start=start, end=end)) == []
    assert not pinned.count("GET", "/apps/*/*")
    if mode != "workflow":
        assert pinned.requests == []


async def test_a_bound_without_a_zone_of_the_account() -> None:
    """Then a naive bound is used as it is, and an aware one cannot be converted."""
    async with FakeDifyServer("1.15.0", timezone="UTC") as fake, client(fake) as dify:
        fake.inject("/account/profile", body=b'{"id": "a", "name": "", "email": "", "timezone": null}')
        app = an_app(fake)
        await dify.chat_conversations(app, start="2026-10-01", end="2026-11-01")
        assert "start=2026-10-01%2000%3A00&end=2026-10-31%2023%3A59" in fake.requests[-1].query
        with pytest.raises(DifyConfigError, match="no time zone"):
            await dify.chat_conversations(app, start="2026-10-01T00Z")


async def test_the_repeated_hour_of_conversations() -> None:
    """Both of its halves are requested as the whole hour, and rows of the other one are dropped."""
    back = datetime(2026, 11, 1, 6, tzinfo=UTC)  # 02:00 becomes 01:00 in Detroit
    moments = [back + timedelta(minutes=30 * number) for number in range(-3, 3)]
    async with (
        FakeDifyServer("1.15.0", timezone="America/Detroit", today=date(2026, 11, 3)) as fake,
        client(fake) as dify,
    ):
        app = an_app(fake)
        put_messages(fake, app, moments)
        for first in range(6):
            for last in range(first, 6):
                found = dify.chat_conversations(
                    app, start=moments[first], end=moments[last], sort_by="created_at", limit=2
                )
                at = [talk.created_at async for talk in found]
                assert at == [int(moment.timestamp()) for moment in moments[first:last]]
