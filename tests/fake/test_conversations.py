"""The conversations of an app, which agree with its statistics."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dify_async.testing import FakeApp, FakeDifyServer

from .user import User, fault, release

SINCE = "2026-10-15 00:00"  # fewer pages, if a test does not choose its own range
NEW_YORK = ZoneInfo("America/New_York")
KEYS = {
    *("id", "status", "from_source", "from_end_user_id", "from_end_user_session_id", "from_account_id"),
    *("from_account_name", "name", "summary", "read_at", "created_at", "updated_at", "annotated"),
    *("model_config", "message_count", "user_feedback_stats", "admin_feedback_stats", "status_count"),
}


@pytest.fixture
async def fake(version: str) -> AsyncIterator[FakeDifyServer]:
    apps = [
        FakeApp(name=mode, mode=mode, messages_per_day=3)
        for mode in ("chat", "advanced-chat", "workflow", "completion")
    ]
    async with FakeDifyServer(version, apps=apps, today=date(2026, 11, 25)) as fake:
        yield fake


def path(user: User, mode: str = "chat") -> str:
    app_id = next(app.id for app in user.fake.apps if app.mode == mode)
    return f"/apps/{app_id}/chat-conversations"


async def rows(user: User, mode: str = "chat", *, start: str = SINCE, **query: str) -> list[dict[str, Any]]:
    query["start"] = start
    found: list[dict[str, Any]] = []
    for page in range(1, 1000):
        body = (await user.get(path(user, mode), **{"limit": "100", "page": str(page)} | query)).json
        found += body["data"]
        if not body["has_more"]:
            break
    assert len(found) == body["total"]
    return found


def stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp())


async def test_keys(user: User, version: str) -> None:
    # chat_conversations__no_parameters, 06_chat_conversations_default, ..._on_advanced_chat_app
    body = (await user.get(path(user))).json
    assert (body["page"], body["limit"], len(body["data"])) == (1, 20, 20)
    everybody = await rows(user)
    assert len({row["id"] for row in everybody}) == len(everybody)
    for row in everybody:
        assert set(row) == KEYS
        assert set(row["user_feedback_stats"]) == {"like", "dislike"}
        assert row["message_count"] > 0
        assert (row["from_end_user_id"] is None) == (row["from_source"] == "console")
    assert {row["from_source"] for row in everybody} == {"api", "console"}
    model = everybody[0]["model_config"]
    assert (model["model"] is None) == (release(version) < (1, 15, 0))

    counts = {"success": None, "failed": None, "partial_success": None}
    empty = {"0.15.3": dict.fromkeys(counts, 0), "1.9.1": dict.fromkeys(counts, 0)}
    wanted = None if release(version) >= (1, 15, 0) else empty.get(version, counts)
    assert everybody[0]["status_count"] == wanted
    for row in await rows(user, "advanced-chat"):
        paused = {"paused"} if release(version) >= (1, 13, 0) else set()
        assert set(row["status_count"]) == set(counts) | paused
        assert sum(row["status_count"].values()) == row["message_count"]
        assert row["model_config"]["model"] is None


async def test_other_modes(user: User) -> None:
    # chat_conversations__workflow_app, 06_chat_conversations_on_completion_app
    for mode in ("workflow", "completion"):
        answer = await user.get(path(user, mode))
        assert (answer.status, answer.json["code"]) == (404, "app_not_found")
        message = "App mode is not in the supported list: {'chat', 'agent-chat', 'advanced-chat'"
        assert answer.json["message"].startswith(message)


async def test_order(user: User, version: str) -> None:
    # 06_chat_conversations_sort_*
    for sort in ("created_at", "-created_at", "updated_at", "-updated_at"):
        times = [row[sort.removeprefix("-")] for row in await rows(user, sort_by=sort)]
        assert times == sorted(times, reverse=sort.startswith("-"))
    assert await rows(user) == await rows(user, sort_by="-updated_at")
    assert (await user.get(path(user), sort_by="name")).status == fault(version)


async def test_range_filters_what_it_sorts_by(user: User) -> None:
    # 06_chat_conversations_range_filters_updated_at_by_default, ..._created_at_when_sort_by_created_at
    start, end = "2026-11-16 08:00", "2026-11-17 12:00"
    low, high = stamp(start), stamp(end) + 59
    for sort in ("-updated_at", "created_at"):
        field = sort.removeprefix("-")
        wanted = [row["id"] for row in await rows(user, sort_by=sort) if low <= row[field] <= high]
        assert wanted
        assert [row["id"] for row in await rows(user, sort_by=sort, start=start, end=end)] == wanted
    # The end takes its whole minute in: 06_chat_conversations_end_minute_is_inclusive_to_59s
    last = (await rows(user))[0]
    minute = datetime.fromtimestamp(last["updated_at"], NEW_YORK).strftime("%Y-%m-%d %H:%M")
    assert last["id"] in [row["id"] for row in await rows(user, start=minute, end=minute)]


async def test_bad_ranges(user: User, version: str) -> None:
    # chat_conversations__start_bad, __start_after_end; 06_chat_conversations_start_end_empty_strings
    assert (await user.get(path(user), start="2026-11-18")).status == 400
    new = release(version) >= (1, 11, 0)
    assert (await user.get(path(user), start="", end="")).status == (200 if new else 400)
    backward = await user.get(path(user), start="2026-11-24 00:00", end="2026-11-14 00:00")
    if release(version) >= (1, 10, 0):
        message = "start must be earlier than or equal to end"
        assert backward.json == {"code": "bad_request", "message": message, "status": 400}
    else:
        assert backward.json["data"] == []


async def test_annotations_and_keywords(user: User, version: str) -> None:
    # 06_chat_conversations_annotation_status_*, ..._keyword_*
    everybody = await rows(user)
    for status, kept in {"annotated": {True}, "not_annotated": {False}, "all": {True, False}}.items():
        assert {row["annotated"] for row in await rows(user, annotation_status=status)} == kept
    assert (await user.get(path(user), annotation_status="x")).status == fault(version)
    assert await rows(user, keyword="") == everybody
    assert await rows(user, keyword="zzz") == []
    named = await rows(user, keyword="REFUND")
    assert named == [row for row in everybody if row["name"] == "Refund request"]
    user_4 = [row for row in everybody if row["from_end_user_session_id"] == "user-004"]
    assert await rows(user, keyword="user-004") == user_4
    wild = release(version) < (1, 11, 4)
    percent = await rows(user, keyword="%")
    assert len(percent) == (len(everybody) if wild else sum("%" in row["summary"] for row in everybody))


@pytest.mark.parametrize("version", ["1.11.2"], indirect=True)
async def test_agreement_with_the_statistics(user: User) -> None:
    """An advanced-chat app lists no conversation from the console's editor, which no statistic counts."""
    always = "2025-01-01 00:00"
    base = path(user, "advanced-chat").removesuffix("/chat-conversations")
    talks = (await user.get(f"{base}/statistics/daily-conversations")).json["data"]
    messages = (await user.get(f"{base}/statistics/daily-messages")).json["data"]
    everybody = await rows(user, "advanced-chat", start=always)
    spanning = sum(_day(row["updated_at"]) != _day(row["created_at"]) for row in everybody)
    assert spanning  # these count on both days
    assert sum(row["conversation_count"] for row in talks) == len(everybody) + spanning
    assert sum(row["message_count"] for row in messages) == sum(row["message_count"] for row in everybody)
    likes = sum(row["user_feedback_stats"]["like"] for row in everybody)
    rates = (await user.get(f"{base}/statistics/user-satisfaction-rate")).json["data"]
    counted = sum(
        round(rate["rate"] * row["message_count"] / 1000) for rate, row in zip(rates, messages, strict=True)
    )
    assert counted == likes


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, NEW_YORK).date()
