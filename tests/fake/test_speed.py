"""Every answer of the fake takes little work, so that a benchmark measures the client."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import date, datetime, timedelta
from types import FrameType
from typing import Final

import msgspec
import pytest

from dify_async.testing import FakeDifyServer
from dify_async.testing._console.handlers.routes import ROUTES
from dify_async.testing._console.history import MAX_HISTORIES
from dify_async.testing._console.http import Call, HTTPError, Reply
from dify_async.testing._console.models import FakeApp

APP: Final = "00000000-0000-4000-8000-000000000001"
MAX_EVENTS: Final = 12_000  # less than a call for each of the 7,700 messages, of two events each
QUERIES: Final = (
    "",
    "limit=100",
    "limit=100&page=20",
    "limit=100&keyword=order",
    "keyword=user-00",
    "sort_by=created_at&start=2026-01-05+00:00&end=2026-10-01+00:00",
    "annotation_status=annotated",
    "triggered_from=app-run&status=failed",
    "created_at__after=2026-01-05T00:00:00Z",
    "format=json",
)
READING: Final = {route.path: route for route in ROUTES if route.method == "GET"}


def busy(mode: str) -> FakeDifyServer:
    """A fake that does not listen, with a busy app."""
    app = FakeApp(id=APP, name="Busy", mode=mode, messages_per_day=24)
    return FakeDifyServer("1.15.0", apps=[app], today=date(2026, 10, 28))


def answer(fake: FakeDifyServer, path: str, query: str, **ids: str) -> Reply:
    call = Call("GET", path, query, ids={"app_id": APP, **ids}, account=fake._state.owner)
    return READING[path].handler(fake._state, call)


def rows(fake: FakeDifyServer, path: str, query: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = msgspec.json.decode(answer(fake, path, query).body)["data"]
    assert found
    return found


def check_work(fake: FakeDifyServer, path: str, query: str, **ids: str) -> None:
    """Count calls and returns, which depend neither on load nor on coverage, as times do."""
    answer(fake, path, query, **ids)  # generates the data
    count = 0

    def on_event(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        answer(fake, path, query, **ids)
    finally:
        sys.setprofile(before)
    assert count <= MAX_EVENTS, f"{path}?{query}"


@pytest.mark.parametrize("mode", ["chat", "completion", "workflow", "advanced-chat"])
def test_every_answer_about_an_app_takes_little_work(mode: str) -> None:
    fake = busy(mode)
    answered = set()
    for path in READING:
        if "app_id" not in path or path.count("<") > 1:
            continue
        for query in QUERIES:
            try:
                check_work(fake, path, query)
            except HTTPError:  # not for this mode, or an invalid query
                continue
            answered.add(path)
    assert len(answered) > 10


@pytest.mark.parametrize("mode", ["chat", "completion", "workflow"])
def test_answers_with_messages_of_a_test_take_little_work(mode: str) -> None:
    fake = busy(mode)
    for number in range(400):
        at = datetime(2026, 10, 28) - timedelta(hours=number)
        if mode == "workflow":
            fake.add_run(APP, at, user=f"guest {number}")
        else:
            fake.add_message(APP, at, user=f"guest {number}", question=f"Where is order {number}?")
    for path in READING:
        if path.endswith(("-conversations", "-logs", "/daily-messages")):
            for query in ("", "limit=100", "limit=100&keyword=order", "keyword=guest+1"):
                with suppress(HTTPError):  # not for this mode
                    check_work(fake, path, query)


def test_messages_of_a_conversation_take_little_work() -> None:
    fake = busy("chat")
    for page in range(1, 20, 6):
        path = "/apps/<uuid:app_id>/chat-conversations"
        for row in rows(fake, path, f"limit=20&page={page}"):
            check_work(fake, "/apps/<uuid:app_id>/chat-messages", f"conversation_id={row['id']}")


def test_workflow_runs_take_little_work() -> None:
    fake = busy("workflow")
    path = "/apps/<uuid:app_id>/workflow-runs"
    for row in rows(fake, path, "limit=100&triggered_from=app-run")[::20]:
        check_work(fake, path, f"triggered_from=app-run&last_id={row['id']}")
        check_work(fake, f"{path}/<uuid:run_id>", "", run_id=row["id"])


@pytest.mark.parametrize("messages_per_day", [6, 0])
def test_a_changed_app_has_different_conversations(messages_per_day: int) -> None:
    fake = busy("chat")
    path = "/apps/<uuid:app_id>/chat-conversations"
    before = rows(fake, path, "limit=100")
    fake.apps[0].messages_per_day = messages_per_day
    after = msgspec.json.decode(answer(fake, path, "limit=100").body)["data"]
    assert after != before


def test_the_number_of_cached_histories_is_limited() -> None:
    fake = busy("chat")
    traffic = fake._state.traffic
    first = traffic.history(fake.apps[0])
    for number in range(MAX_HISTORIES - 1):
        traffic.history(FakeApp(id=f"app-{number}", name="", mode="chat", messages_per_day=0))
    assert traffic.history(fake.apps[0]) is first
    for number in range(MAX_HISTORIES):
        traffic.history(FakeApp(id=f"another-{number}", name="", mode="chat", messages_per_day=0))
    assert len(traffic._histories) == MAX_HISTORIES
    assert traffic.history(fake.apps[0]) is not first
