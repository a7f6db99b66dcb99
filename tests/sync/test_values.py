"""Each method sends the same requests and returns the same values as the asynchronous one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dify_async import AppModelConfig, Metric
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN, an_app, client
from tests.sync.support import sync_client
from tests.sync.test_generated import public

# Yields method calls, and receives their results.
Story = Generator[tuple[str, tuple[Any, ...], dict[str, Any]], Any, None]
MakeStory = Callable[[FakeDifyServer, Path], Story]


def call(name: str, /, *args: Any, **options: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    return name, args, options


def reading(fake: FakeDifyServer, _: Path) -> Story:
    apps = yield call("apps")
    yield call("iter_apps", mode="chat", page_size=2)
    yield call("apps_page", page=2, limit=5)
    yield call("iter_apps_page", page=2, limit=5)
    app = yield call("app", an_app(fake))
    page = yield call("chat_conversations", app.id, limit=3)
    yield call("iter_chat_conversations", app.id, sort_by="created_at")
    yield call("chat_messages", app.id, page.data[0].id)
    yield call("iter_chat_messages", app.id, page.data[0].id, limit=1)
    yield call("messages", app.id, date.today() - timedelta(days=3))
    yield call("iter_messages", app.id, date.today() - timedelta(days=3))
    yield call("usage", days=3, by=("app", "user"))
    completion = an_app(fake, "completion")
    yield call("completion_conversations", completion)
    yield call("iter_completion_conversations", completion)
    yield call("annotations", app.id)
    yield call("iter_annotations", app.id, page=2, limit=1)
    yield call("export_feedbacks", app.id, format="csv")
    for metric in Metric:
        yield call(metric, app.id, "2026-01-01 00:00")
    yield call("statistics", app)
    yield call("statistics_many", [app.id, an_app(fake, "workflow")], metrics=iter(["daily_messages"]))
    yield call("stream_statistics", iter(apps), date.today() - timedelta(days=3))
    yield call("dashboard", days=3, compare=True)
    yield call("stream_dashboard", days=3)
    workflow = next(one.id for one in fake.apps if one.mode == "workflow" and one.messages_per_day)
    runs = yield call("workflow_runs", workflow, limit=3)
    yield call("iter_workflow_runs", workflow, status="stopped")
    yield call("workflow_run", workflow, runs.data[0].id)
    yield call("workflow_app_logs", workflow)
    yield call("iter_workflow_app_logs", workflow, status="stopped", detail=True)
    yield call("published_workflow", workflow)
    bases = yield call("datasets")
    yield call("iter_datasets")
    yield call("datasets_page", limit=2)
    yield call("iter_datasets_page", limit=2)
    documents = yield call("dataset_indexing_status", bases[1].id)
    yield call("document_indexing_status", bases[1].id, documents[0].id)
    yield call("dataset_error_documents", bases[1].id)
    yield call("find_app", app.name)
    for name in ("app_api_keys", "get_app_api_key"):
        yield call(name, app.id)
    for name in ("dataset_api_keys", "get_dataset_api_key"):
        yield call(name)
    for name in ("version", "profile", "system_features", "setup_status", "features"):
        yield call(name)
    for name in ("workspaces", "current_workspace", "members"):
        yield call(name)
    yield call("export_app", app.id, include_secret=True)
    yield call("request", "GET", "/setup")
    yield call("request", "GET", "/setup", type=dict[str, str])
    yield call("app", UNKNOWN)
    yield call("apps_page", page=0)


def changing(fake: FakeDifyServer, folder: Path) -> Story:
    yield call("login")
    token = yield call("request_login_code", fake.email)
    yield call("login_with_code", fake.email, fake.login_code(token), token)
    app = yield call("create_app", "New", "chat")
    yield call("update_app", app.id, name="Newer")
    yield call("copy_app", app.id, name="Copy")
    yield call("enable_app_api", app.id, True)
    yield call("enable_app_site", app.id, True)
    model: dict[str, object] = {
        "provider": "openai",
        "name": "gpt-4o",
        "mode": "chat",
        "completion_params": {},
    }
    yield call("update_app_model_config", app.id, AppModelConfig(model=model))
    yield call("app_model_config", app.id)
    text = yield call("export_app", app.id)
    pending = yield call("import_app", text.replace("version: ", "version: 9"))
    yield call("confirm_import", pending.id)
    yield call("export_apps", iter([app.id]), folder)
    yield call("delete_app", app.id)
    app_id = an_app(fake)
    keys = yield call("init_app_api_key", app_id)
    yield call("ensure_app_api_key", app_id)
    yield call("ensure_app_api_keys", (one.id for one in fake.apps))
    yield call("delete_app_api_key", app_id, keys[0].id)
    key = yield call("create_app_api_key", app_id)
    yield call("rotate_app_api_key", app_id, key.id)
    yield call("rotate_app_api_keys", (one for one in [app_id]))
    keys = yield call("init_dataset_api_key")
    yield call("ensure_dataset_api_key")
    yield call("create_dataset_api_key")
    yield call("delete_dataset_api_key", keys[0].id)
    yield call("create_dataset_api_key")
    yield call("publish_workflow", an_app(fake, "workflow"), marked_name="v1")
    bases = yield call("datasets")
    yield call("retry_document_indexing", bases[1].id, iter([UNKNOWN]))
    yield call("switch_workspace", fake.workspace_id)
    yield call("invite_members", iter(["zoe@example.com"]), "editor")
    yield call("set_timezone", "Europe/Berlin")
    yield call("logout")


def results(fake: FakeDifyServer, story: Story) -> list[tuple[str, Any]]:
    """The results of `DifyServer`."""
    found: list[tuple[str, Any]] = []
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
            found.append((name, answer))
    return found


async def async_results(fake: FakeDifyServer, story: Story) -> list[tuple[str, Any]]:
    """The results of `AsyncDifyServer`."""
    found: list[tuple[str, Any]] = []
    async with client(fake) as dify:
        answer = None
        while (step := next_of(story, answer)) is not None:
            name, args, options = step
            try:
                listed = getattr(dify, name, None) or getattr(dify, name.removeprefix("iter_"))
                answer = listed(*args, **options)
                if not hasattr(dify, name):
                    answer = aiter(answer)
                if isinstance(answer, AbstractAsyncContextManager):
                    async with answer as rows:
                        answer = in_order([row async for row in rows])
                elif isinstance(answer, AsyncIterator):
                    answer = [row async for row in answer]
                else:
                    answer = await answer
            except Exception as error:  # noqa: BLE001 - it is compared
                answer = error
            found.append((name, answer))
    return found


def next_of(story: Story, answer: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
    try:
        return story.send(answer)
    except StopIteration:
        return None


def in_order(rows: Any) -> list[Any]:
    """Streams have no fixed order."""
    apps = [getattr(row, "app", row) for row in rows]
    return sorted(apps, key=lambda app: str(app.app_id))


def routes(fake: FakeDifyServer) -> set[tuple[str, str]]:
    """The routes of all requests."""
    return {(one.method, re.sub(r"[0-9a-f-]{36}", "{}", one.path)) for one in fake.requests}


def both(fake: FakeDifyServer, make_story: MakeStory, folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """The method names and results of both clients; both send the same requests."""
    fake.reset_counters()
    ours = results(fake, make_story(fake, folder / "ours"))
    sent = routes(fake)
    fake.reset_counters()
    theirs = asyncio.run(async_results(fake, make_story(fake, folder / "theirs")))
    assert sent == routes(fake) != set()
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    for (name, mine), (_, their) in zip(ours, theirs, strict=True):
        yield name, mine, their


def test_each_method(fake: FakeDifyServer, tmp_path: Path) -> None:
    for app in fake.apps:
        app.messages_per_day = min(app.messages_per_day, 1)  # all of them are read
    names = set()
    failed = []
    for name, ours, theirs in both(fake, reading, tmp_path):
        names.add(name)
        if isinstance(theirs, Exception):
            assert (type(ours), ours.args, vars(ours)) == (type(theirs), theirs.args, vars(theirs))
            failed.append(name)
        else:
            assert comparable(ours) == comparable(theirs), name
    assert failed[-2:] == ["app", "apps_page"]
    for name, ours, theirs in both(fake, changing, tmp_path):
        names.add(name)
        assert type(ours) is type(theirs), name
        assert not isinstance(ours, Exception), (name, ours)
    assert names == public(DifyServer).keys() - {"from_env", "open", "close"}


def comparable(value: Any) -> str:
    """The repr without login times, which differ between the two clients."""
    return re.sub(r"last_\w+=\d+", "", repr(value))
