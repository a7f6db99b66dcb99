"""The asynchronous client: its construction, iterators, context managers, generics and overloads."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, assert_type
from uuid import UUID

from dify_async import (
    ApiKey,
    App,
    AppMode,
    AppOrId,
    AppResult,
    AppStatistics,
    AsyncDifyServer,
    Change,
    ChatConversation,
    ChatMessage,
    CursorPage,
    Dashboard,
    DashboardFeed,
    DashboardUpdate,
    DashboardUpdates,
    Dataset,
    Event,
    Metric,
    MetricName,
    OnError,
    OnEvent,
    Page,
    Paginator,
    PeriodName,
    RedisTokenStore,
    Snapshot,
    WorkflowRun,
)
from dify_async.statistics.metrics import Row
from dify_async.testing import FakeApp, FakeDifyServer, FakeTag


class Subclass(AsyncDifyServer): ...


def on_event(event: Event) -> None: ...


hook: OnEvent = on_event


def progress(done: int, total: int) -> None: ...


async def made(store: RedisTokenStore) -> None:
    dify = AsyncDifyServer("https://dify.example.com", "a@example.com", "secret", on_event=on_event)
    async with dify as entered:
        assert_type(entered, AsyncDifyServer)
    async with Subclass.from_env(email=None, timeout=5, ssl=False, token_store=store) as subclassed:
        assert_type(subclassed, Subclass)
    async with FakeDifyServer("1.15.0", apps=[FakeApp(name="a", mode="chat")]) as fake:
        assert_type(fake, FakeDifyServer)
        assert_type(fake.add_app("a", "chat", tags=[FakeTag("a")], messages_per_day=3), FakeApp)


async def opened() -> None:
    headers: dict[str, str] = {"CF-Access-Client-Id": "robot"}
    dify = await Subclass("https://dify.example.com", "a@example.com", "secret", headers=headers).open()
    assert_type(dify, Subclass)
    assert_type(await dify.aclose(), None)


async def identified(dify: AsyncDifyServer, app: App, identifier: UUID) -> None:
    """An app in any form."""
    wanted: list[AppOrId] = [app, app.id, identifier]
    for one in wanted:
        assert_type(await dify.app(one), App)
        await dify.token_costs(one)
        await dify.delete_app_api_key(one, identifier)
    await dify.statistics_many(wanted)
    await dify.dashboard(apps=wanted)
    await dify.apps(tag_ids=[identifier, "id"])
    assert_type(await dify.find_app("FAQ"), App)


async def chosen(dify: AsyncDifyServer, mode: AppMode, on_error: OnError, names: list[MetricName]) -> None:
    await dify.apps(mode=mode, sort_by="last_modified")
    await dify.dashboard(mode=mode, on_error=on_error, metrics=names)
    await dify.statistics("id", metrics=["token_costs", Metric.DAILY_MESSAGES])
    await dify.workflow_runs("id", status="succeeded")
    await dify.chat_conversations("id", sort_by="-created_at", annotation_status="annotated")


async def iterated(dify: AsyncDifyServer, apps: list[App], ids: set[str]) -> None:
    async for app in dify.iter_apps(tag_ids=("id",), creator_ids=ids):
        assert_type(app, App)
    async for app in dify.apps():
        assert_type(app, App)
    async for talk in dify.chat_conversations("id", start="2026-10-01", end=date(2026, 11, 1)):
        assert_type(talk, ChatConversation)
    async for message in dify.chat_messages("id", "id"):
        assert_type(message, ChatMessage)
    async with dify.stream_statistics(app.id for app in apps) as arriving:
        assert_type(arriving, AsyncIterator[AppStatistics])
    async with dify.stream_dashboard(apps=[*apps, *ids], metrics=Metric) as updates:
        assert_type(updates, DashboardUpdates)
        async for update in updates:
            assert_type(update, DashboardUpdate)
    async with DashboardFeed(dify, 60, metrics=["token_costs", Metric.DAILY_MESSAGES]) as feed:
        assert_type(feed, DashboardFeed)
        async for snapshot in feed:
            assert_type(snapshot, Snapshot)


async def generic(dify: AsyncDifyServer, apps: list[App], statistics: AppStatistics) -> None:
    page = await dify.apps_page()
    assert_type(page, Page[App])
    assert_type(page.data, list[App])
    assert_type(page[0], App)
    assert_type(page[1:], list[App])
    assert_type(list(page), list[App])
    messages = await dify.chat_messages("id", "id")
    assert_type(messages, CursorPage[ChatMessage])
    assert_type(messages.data, list[ChatMessage])
    assert_type((await dify.workflow_runs("id")).data, list[WorkflowRun])
    (key, *_) = await dify.ensure_app_api_keys(apps, progress=progress)
    assert_type(key, AppResult[ApiKey])
    assert_type(key.value, ApiKey | None)
    assert_type(key.error.created_key if key.error else None, ApiKey | None)
    assert_type(await dify.rotate_app_api_key(apps[0], "id"), ApiKey)
    assert_type(await dify.rotate_app_api_keys([*apps, "id"], progress=progress), list[AppResult[ApiKey]])
    assert_type(await dify.export_apps([*apps, "id"], "folder"), list[AppResult[Path]])
    assert_type(statistics.rows(Metric.TOKEN_COSTS), Sequence[Row] | None)


async def overloaded(dify: AsyncDifyServer) -> None:
    assert_type(await dify.request("GET", "/apps", params={"page": 1, "ids": ["a", "b"], "x": None}), Any)
    assert_type(await dify.request("POST", "/apps", json={"name": "a"}, type=App), App)
    assert_type(await dify.request("GET", "/apps", type=list[App]), list[App])
    assert_type(await dify.request("GET", "/apps", type=dict[str, int]), dict[str, int])
    union: App | None = await dify.request("GET", "/apps", type=App | None)
    assert_type(union, App | None)


async def listed(dify: AsyncDifyServer) -> None:
    assert_type(dify.apps(), Paginator[App, list[App]])
    assert_type(dify.apps_page(), Paginator[App, Page[App]])
    assert_type(await dify.apps(), list[App])
    assert_type(await asyncio.wait_for(dify.workflow_runs("id"), 5), CursorPage[WorkflowRun])
    task = asyncio.create_task(dify.datasets())
    assert_type(task, asyncio.Task[list[Dataset]])
    apps, talks = await asyncio.gather(dify.apps(), dify.chat_conversations("id"))
    assert_type(apps, list[App])
    assert_type(talks, Page[ChatConversation])
    async with asyncio.TaskGroup() as tasks:
        assert_type(tasks.create_task(dify.apps_page()), asyncio.Task[Page[App]])
    await covariant(dify.apps())


async def covariant(found: Paginator[object, Sequence[App]]) -> None:
    assert_type(await found, Sequence[App])


async def periods(dify: AsyncDifyServer, period: PeriodName) -> None:
    await dify.dashboard(period=period)
    dashboard = await dify.dashboard(period="last_month", compare=True)
    assert_type(dashboard.period.is_open, bool)
    assert_type(dashboard.costs["USD"].change, Change | None)
    DashboardFeed(dify, period="this_month")


def exported(dashboard: Dashboard, app: App, page: Page[App]) -> None:
    assert_type(dashboard.to_native("polars"), Any)
    assert_type(dashboard.to_dict(), dict[str, object])
    assert_type([app.to_dict(), page.to_dict()], list[dict[str, object]])
    assert_type(app.to_json(), str)
    dashboard.to_csv("dashboard.csv", encoding="utf-8-sig")
