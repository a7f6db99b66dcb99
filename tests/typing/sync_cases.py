"""The synchronous client: the same types, without await."""

from collections.abc import Generator
from pathlib import Path
from typing import Any, assert_type

from dify_async import (
    ApiKey,
    App,
    AppResult,
    AppStatistics,
    ChatMessage,
    CursorPage,
    Dashboard,
    DashboardUpdate,
    Page,
    WorkflowRun,
)
from dify_async.sync import DashboardUpdates, DifyServer


class Subclass(DifyServer): ...


def made() -> None:
    with DifyServer("https://dify.example.com", "a@example.com", "secret") as entered:
        assert_type(entered, DifyServer)
    with Subclass.from_env(email=None, timeout=5, ssl=False) as subclassed:
        assert_type(subclassed, Subclass)


def opened(app: App) -> None:
    dify = Subclass("https://dify.example.com", "a@example.com", "secret", headers={"X-Team": "a"}).open()
    assert_type(dify, Subclass)
    assert_type(dify.app(app), App)
    assert_type(dify.find_app("FAQ"), App)
    assert_type(dify.close(), None)


def iterated(dify: DifyServer, apps: list[App]) -> None:
    rows = dify.iter_apps(tag_ids=("id",))
    assert_type(rows, Generator[App, None, None])
    for app in rows:
        assert_type(app, App)
    assert_type(dify.iter_workflow_runs("id", limit=100), Generator[WorkflowRun, None, None])
    for app in dify.apps_page():
        assert_type(app, App)
    with dify.stream_statistics(app.id for app in apps) as arriving:
        assert_type(arriving, Generator[AppStatistics, None, None])
    with dify.stream_dashboard(apps=apps) as updates:
        assert_type(updates, DashboardUpdates)
        for update in updates:
            assert_type(update, DashboardUpdate)
        assert_type(updates.collect(), Dashboard)


def generic(dify: DifyServer, apps: list[App]) -> None:
    assert_type(dify.login(), None)
    assert_type(dify.apps(), list[App])
    assert_type(dify.apps_page(), Page[App])
    assert_type(dify.chat_messages("id", "id"), CursorPage[ChatMessage])
    assert_type(dify.ensure_app_api_keys(apps), list[AppResult[ApiKey]])
    assert_type(dify.export_apps([*apps, "id"], "folder"), list[AppResult[Path]])


def overloaded(dify: DifyServer) -> None:
    assert_type(dify.request("GET", "/apps", params={"page": 1, "ids": ["a", "b"], "x": None}), Any)
    assert_type(dify.request("POST", "/apps", json={"name": "a"}, type=App), App)
    assert_type(dify.request("GET", "/apps", type=list[App]), list[App])
    union: App | None = dify.request("GET", "/apps", type=App | None)
    assert_type(union, App | None)


def refused(dify: DifyServer, app: App) -> None:
    DifyServer()  # type: ignore[call-arg]
    DifyServer.from_env(emial="a@example.com")  # type: ignore[call-arg]
    DifyServer("https://dify.example.com", session=None)  # type: ignore[call-arg]
    DifyServer.from_env(session=None)  # type: ignore[call-arg]
    dify.app([app])  # type: ignore[arg-type]
    dify.request("GET", "/apps", type="App")  # type: ignore[call-overload]
    found: list[App] = dify.request("GET", "/apps", type=App)  # type: ignore[arg-type]
    found.clear()
