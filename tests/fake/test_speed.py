"""Every answer of the fake is fast, so that a benchmark measures the client."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
import pytest

from dify_async.testing import FakeDifyServer
from dify_async.testing._console.handlers.routes import ROUTES
from dify_async.testing._console.history import MAX_HISTORIES
from dify_async.testing._console.http import Call, HTTPError, Reply
from dify_async.testing._console.models import FakeApp

APP: Final = "00000000-0000-4000-8000-000000000001"
LIMIT: Final = 3  # times the work of `one_millisecond`
ATTEMPTS: Final = 50  # load makes an attempt slower, never faster
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


def one_millisecond() -> None:
    """Takes 1 ms of CPU on an idle machine with two cores, and more under load, as a handler does."""
    pairs = [(number, number % 7) for number in range(6000)]
    sum(number for number, rest in pairs if rest == 3)


def cpu_time(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


def check_speed(fake: FakeDifyServer, path: str, query: str, **ids: str) -> None:
    """Compare the best attempt of a handler with a known amount of work, measured next to it."""

    def handle() -> Reply:
        return answer(fake, path, query, **ids)

    handle()  # generates the data
    best = math.inf
    for _ in range(ATTEMPTS):
        best = min(best, cpu_time(handle) / cpu_time(one_millisecond))
        if best < LIMIT:
            return
    pytest.fail(f"{path}?{query} takes {best:.1f} ms")


@pytest.mark.parametrize("mode", ["chat", "completion", "workflow", "advanced-chat"])
def test_every_answer_about_an_app_is_fast(mode: str) -> None:
    fake = busy(mode)
    answered = set()
    for path in READING:
        if "app_id" not in path or path.count("<") > 1:
            continue
        for query in QUERIES:
            try:
                check_speed(fake, path, query)
            except HTTPError:  # not for this mode, or an invalid query
                continue
            answered.add(path)
    assert len(answered) > 10


@pytest.mark.parametrize("mode", ["chat", "completion", "workflow"])
def test_answers_with_messages_of_a_test_are_fast(mode: str) -> None:
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
                    check_speed(fake, path, query)


def test_messages_of_a_conversation_are_fast() -> None:
    fake = busy("chat")
    for page in range(1, 20, 6):
        path = "/apps/<uuid:app_id>/chat-conversations"
        for row in rows(fake, path, f"limit=20&page={page}"):
            check_speed(fake, "/apps/<uuid:app_id>/chat-messages", f"conversation_id={row['id']}")


def test_workflow_runs_are_fast() -> None:
    fake = busy("workflow")
    path = "/apps/<uuid:app_id>/workflow-runs"
    for row in rows(fake, path, "limit=100&triggered_from=app-run")[::20]:
        check_speed(fake, path, f"triggered_from=app-run&last_id={row['id']}")
        check_speed(fake, f"{path}/<uuid:run_id>", "", run_id=row["id"])


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
