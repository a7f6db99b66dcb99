"""Each method gives what the asynchronous one gives, and sends what that one sends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from dify_async import AppModelConfig, Metric
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.support import an_app, client
from tests.sync.support import sync_client
from tests.sync.test_generated import public

UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
# A method with its arguments, then its value.
Story = Generator[tuple[str, tuple[Any, ...], dict[str, Any]], Any, None]
Tell = Callable[[FakeDifyServer, Path], Story]


def ask(name: str, /, *args: Any, **options: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    return name, args, options


def reading(fake: FakeDifyServer, _: Path) -> Story:
    apps = yield ask("apps")
    yield ask("iter_apps", mode="chat", page_size=2)
    yield ask("apps_page", page=2, limit=5)
    app = yield ask("app", an_app(fake))
    page = yield ask("chat_conversations", app.id, limit=3)
    yield ask("iter_chat_conversations", app.id, sort_by="created_at")
    yield ask("chat_messages", app.id, page.data[0].id)
    yield ask("iter_chat_messages", app.id, page.data[0].id, page_size=1)
    completion = an_app(fake, "completion")
    yield ask("completion_conversations", completion)
    yield ask("iter_completion_conversations", completion)
    yield ask("annotations", app.id)
    yield ask("export_feedbacks", app.id, format="csv")
    for metric in Metric:
        yield ask(metric, app.id, "2026-01-01 00:00")
    yield ask("statistics", app)
    yield ask("statistics_many", [app.id, an_app(fake, "workflow")], metrics=iter(["daily_messages"]))
    yield ask("stream_statistics", iter(apps), date.today() - timedelta(days=3))
    yield ask("dashboard", days=3, compare=True)
    yield ask("stream_dashboard", days=3)
    workflow = next(one.id for one in fake.apps if one.mode == "workflow" and one.messages_per_day)
    runs = yield ask("workflow_runs", workflow, limit=3)
    yield ask("iter_workflow_runs", workflow, status="stopped")
    yield ask("workflow_run", workflow, runs.data[0].id)
    yield ask("workflow_app_logs", workflow)
    yield ask("iter_workflow_app_logs", workflow, status="stopped", detail=True)
    yield ask("published_workflow", workflow)
    bases = yield ask("datasets")
    yield ask("iter_datasets", page_size=2)
    yield ask("datasets_page", limit=2)
    documents = yield ask("dataset_indexing_status", bases[1].id)
    yield ask("document_indexing_status", bases[1].id, documents[0].id)
    yield ask("dataset_error_documents", bases[1].id)
    yield ask("get_app_api_key", app.id)
    yield ask("get_dataset_api_key")
    for name in ("version", "profile", "system_features", "setup_status", "features"):
        yield ask(name)
    for name in ("workspaces", "current_workspace", "members"):
        yield ask(name)
    yield ask("export_app", app.id, include_secret=True)
    yield ask("request", "GET", "/setup")
    yield ask("request", "GET", "/setup", type=dict[str, str])
    yield ask("app", UNKNOWN)
    yield ask("apps_page", page=0)


def changing(fake: FakeDifyServer, folder: Path) -> Story:
    yield ask("login")
    token = yield ask("request_login_code", fake.email)
    yield ask("login_with_code", fake.email, fake.login_code(token), token)
    app = yield ask("create_app", "New", "chat")
    yield ask("update_app", app.id, name="Newer")
    yield ask("copy_app", app.id, name="Copy")
    yield ask("enable_app_api", app.id, True)
    yield ask("enable_app_site", app.id, True)
    model: dict[str, object] = {
        "provider": "openai",
        "name": "gpt-4o",
        "mode": "chat",
        "completion_params": {},
    }
    yield ask("update_app_model_config", app.id, AppModelConfig(model=model))
    yield ask("app_model_config", app.id)
    text = yield ask("export_app", app.id)
    pending = yield ask("import_app", text.replace("version: ", "version: 9"))
    yield ask("confirm_import", pending.id)
    yield ask("export_apps", iter([app.id]), folder)
    yield ask("delete_app", app.id)
    app_id = an_app(fake)
    keys = yield ask("init_app_api_key", app_id)
    yield ask("ensure_app_api_key", app_id)
    yield ask("ensure_app_api_keys", (one.id for one in fake.apps))
    yield ask("delete_app_api_key", app_id, keys[0].id)
    keys = yield ask("init_dataset_api_key")
    yield ask("ensure_dataset_api_key")
    yield ask("delete_dataset_api_key", keys[0].id)
    yield ask("publish_workflow", an_app(fake, "workflow"), marked_name="v1")
    bases = yield ask("datasets")
    yield ask("retry_document_indexing", bases[1].id, iter([UNKNOWN]))
    yield ask("switch_workspace", fake.workspace_id)
    yield ask("invite_members", iter(["zoe@example.com"]), "editor")
    yield ask("set_timezone", "Europe/Berlin")
    yield ask("logout")


def told(fake: FakeDifyServer, story: Story) -> list[tuple[str, Any]]:
    """What `DifyServer` gave."""
    given: list[tuple[str, Any]] = []
    with sync_client(fake) as dify:
        answer = None
        while (step := next_of(story, answer)) is not None:
            name, args, options = step
            try:
                answer = getattr(dify, name)(*args, **options)
                if isinstance(answer, AbstractContextManager):
                    with answer as rows:
                        answer = in_order(rows)
                elif isinstance(answer, Iterator):
                    answer = list(answer)
            except Exception as error:  # noqa: BLE001 - it is compared
                answer = error
            given.append((name, answer))
    return given


async def told_async(fake: FakeDifyServer, story: Story) -> list[tuple[str, Any]]:
    """What `AsyncDifyServer` gave."""
    given: list[tuple[str, Any]] = []
    async with client(fake) as dify:
        answer = None
        while (step := next_of(story, answer)) is not None:
            name, args, options = step
            try:
                answer = getattr(dify, name)(*args, **options)
                if isinstance(answer, AbstractAsyncContextManager):
                    async with answer as rows:
                        answer = in_order([row async for row in rows])
                elif isinstance(answer, AsyncIterator):
                    answer = [row async for row in answer]
                else:
                    answer = await answer
            except Exception as error:  # noqa: BLE001 - it is compared
                answer = error
            given.append((name, answer))
    return given


def next_of(story: Story, answer: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
    try:
        return story.send(answer)
    except StopIteration:
        return None


def in_order(rows: Any) -> list[Any]:
    """Streams come as they come."""
    apps = [getattr(row, "app", row) for row in rows]
    return sorted(apps, key=lambda app: str(app.app_id))


def asked(fake: FakeDifyServer) -> set[tuple[str, str]]:
    """The routes that were asked."""
    return {(one.method, re.sub(r"[0-9a-f-]{36}", "{}", one.path)) for one in fake.requests}


def both(fake: FakeDifyServer, tell: Tell, folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """The names and values of both clients, which sent the same."""
    fake.reset_counters()
    ours = told(fake, tell(fake, folder / "ours"))
    sent = asked(fake)
    fake.reset_counters()
    theirs = asyncio.run(told_async(fake, tell(fake, folder / "theirs")))
    assert sent == asked(fake) != set()
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    for (name, mine), (_, their) in zip(ours, theirs, strict=True):
        yield name, mine, their


@pytest.mark.calendar
def test_each_method(fake: FakeDifyServer, tmp_path: Path) -> None:
    names = set()
    failed = []
    for name, ours, theirs in both(fake, reading, tmp_path):
        names.add(name)
        if isinstance(theirs, Exception):
            assert (type(ours), ours.args, vars(ours)) == (type(theirs), theirs.args, vars(theirs))
            failed.append(name)
        else:
            assert seen(ours) == seen(theirs), name
    assert failed[-2:] == ["app", "apps_page"]
    for name, ours, theirs in both(fake, changing, tmp_path):
        names.add(name)
        assert type(ours) is type(theirs), name
        assert not isinstance(ours, Exception), (name, ours)
    assert names == public(DifyServer).keys() - {"from_env"}


def seen(value: Any) -> str:
    """The value; each of the two has signed in at a time of its own."""
    return re.sub(r"last_\w+=\d+", "", repr(value))
