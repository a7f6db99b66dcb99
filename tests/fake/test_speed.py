"""No answer takes the fake long, so that a test measures the client."""

from __future__ import annotations

import time
from datetime import date
from typing import Final

import msgspec
import pytest

from dify_async.testing import FakeDifyServer
from dify_async.testing._console.history import MAX_HISTORIES
from dify_async.testing._console.http import Call, Refusal, Reply
from dify_async.testing._console.models import FakeApp
from dify_async.testing._console.routes import ROUTES

APP: Final = "00000000-0000-4000-8000-000000000001"
LIMIT: Final = 0.003  # seconds of CPU, on an idle machine
LOAD: Final = 3  # a busy sibling core slows a core down
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
    """A fake without a port."""
    app = FakeApp(id=APP, name="Busy", mode=mode, messages_per_day=24)
    return FakeDifyServer("1.15.0", apps=[app], today=date(2026, 10, 28))


def answer(fake: FakeDifyServer, path: str, query: str, **ids: str) -> Reply:
    call = Call("GET", path, query, ids={"app_id": APP, **ids}, account=fake._console.owner)
    return READING[path].handler(fake._console, call)


def rows(fake: FakeDifyServer, path: str, query: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = msgspec.json.decode(answer(fake, path, query).body)["data"]
    assert found
    return found


def check_speed(fake: FakeDifyServer, path: str, query: str, **ids: str) -> None:
    def took() -> float:
        start = time.thread_time()
        answer(fake, path, query, **ids)
        return time.thread_time() - start

    answer(fake, path, query, **ids)  # makes the data
    assert min(took() for _ in range(10)) < LIMIT * LOAD, (path, query)


@pytest.mark.parametrize("mode", ["chat", "completion", "workflow", "advanced-chat"])
def test_every_answer_about_an_app_is_quick(mode: str) -> None:
    fake = busy(mode)
    asked = set()
    for path in READING:
        if "app_id" not in path or path.count("<") > 1:
            continue
        for query in QUERIES:
            try:
                check_speed(fake, path, query)
            except Refusal:  # it is for another mode, or wants something else
                continue
            asked.add(path)
    assert len(asked) > 10


def test_messages_of_a_conversation_are_quick() -> None:
    fake = busy("chat")
    for page in range(1, 20, 6):
        path = "/apps/<uuid:app_id>/chat-conversations"
        for row in rows(fake, path, f"limit=20&page={page}"):
            check_speed(fake, "/apps/<uuid:app_id>/chat-messages", f"conversation_id={row['id']}")


def test_a_run_is_quick() -> None:
    fake = busy("workflow")
    path = "/apps/<uuid:app_id>/workflow-runs"
    for row in rows(fake, path, "limit=100&triggered_from=app-run")[::20]:
        check_speed(fake, path, f"triggered_from=app-run&last_id={row['id']}")
        check_speed(fake, f"{path}/<uuid:run_id>", "", run_id=row["id"])


@pytest.mark.parametrize("pace", [6, 0])
def test_a_changed_app_has_other_conversations(pace: int) -> None:
    fake = busy("chat")
    path = "/apps/<uuid:app_id>/chat-conversations"
    before = rows(fake, path, "limit=100")
    fake.apps[0].messages_per_day = pace
    after = msgspec.json.decode(answer(fake, path, "limit=100").body)["data"]
    assert after != before


def test_only_so_many_histories_are_remembered() -> None:
    fake = busy("chat")
    traffic = fake._console.traffic
    first = traffic.history(fake.apps[0])
    for number in range(MAX_HISTORIES - 1):
        traffic.history(FakeApp(id=f"app-{number}", name="", mode="chat", messages_per_day=0))
    assert traffic.history(fake.apps[0]) is first
    for number in range(MAX_HISTORIES):
        traffic.history(FakeApp(id=f"another-{number}", name="", mode="chat", messages_per_day=0))
    assert len(traffic._histories) == MAX_HISTORIES
    assert traffic.history(fake.apps[0]) is not first
