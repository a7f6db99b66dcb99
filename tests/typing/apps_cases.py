"""The client itself, the account, apps and their keys."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, assert_type

import aiohttp

from dify_async import (
    Account,
    ApiKey,
    App,
    AppImport,
    AppModelConfig,
    AppResult,
    AsyncDifyServer,
    DatasetApiKey,
    Event,
    Features,
    MemoryTokenStore,
    Page,
    RedisTokenStore,
    RetryPolicy,
    SetupStatus,
    SystemFeatures,
)


def on_event(event: Event) -> None: ...


async def made(session: aiohttp.ClientSession, context: ssl.SSLContext) -> None:
    async with AsyncDifyServer("https://dify.example.com", "ops@example.com", "secret") as entered:
        assert_type(entered, AsyncDifyServer)
    dify = AsyncDifyServer(
        "https://dify.example.com",
        admin_api_key="key",
        workspace_id="id",
        token_store=MemoryTokenStore(),
        session=session,
        server_version="1.11.2",
        timeout=10,
        max_concurrency=4,
        retry=RetryPolicy(attempts=1),
        max_response_bytes=2**20,
        ssl=context,
        proxy="http://proxy.example.com:3128",
        on_event=on_event,
    )
    assert_type(dify, AsyncDifyServer)
    assert_type(AsyncDifyServer.from_env(), AsyncDifyServer)
    store = RedisTokenStore("redis://")
    assert_type(AsyncDifyServer.from_env(email=None, ssl=False, token_store=store), AsyncDifyServer)


class Subclass(AsyncDifyServer): ...


async def subclassed() -> None:
    assert_type(Subclass.from_env(timeout=5), Subclass)
    async with Subclass("https://dify.example.com") as entered:
        assert_type(entered, Subclass)


async def account(dify: AsyncDifyServer) -> None:
    assert_type(await dify.login(), None)
    assert_type(await dify.request_login_code("a@example.com", language="en-US"), str)
    assert_type(await dify.login_with_code("a@example.com", "123456", "token"), None)
    assert_type(await dify.logout(), None)
    assert_type(await dify.version(), str)
    assert_type(await dify.profile(), Account)
    assert_type(await dify.system_features(), SystemFeatures)
    assert_type(await dify.setup_status(), SetupStatus)
    assert_type(await dify.features(), Features)


async def listed(dify: AsyncDifyServer) -> None:
    assert_type(
        await dify.apps(
            mode="chat",
            name="a",
            is_created_by_me=True,
            tag_ids=("id",),
            sort_by="last_modified",
            creator_ids={"id"},
        ),
        list[App],
    )
    assert_type(
        dify.iter_apps(
            mode="chat",
            name="a",
            is_created_by_me=True,
            tag_ids=["id"],
            sort_by="last_modified",
            creator_ids=["id"],
            page_size=50,
        ),
        AsyncIterator[App],
    )
    async for app in dify.iter_apps():
        assert_type(app, App)
    assert_type(
        await dify.apps_page(
            page=2,
            limit=50,
            mode="chat",
            name="a",
            is_created_by_me=True,
            tag_ids=["id"],
            sort_by="last_modified",
            creator_ids=["id"],
        ),
        Page[App],
    )
    assert_type(await dify.app("id"), App)


async def changed(dify: AsyncDifyServer) -> None:
    assert_type(
        await dify.create_app(
            "name", "chat", description="", icon_type="emoji", icon="a", icon_background="#fff"
        ),
        App,
    )
    assert_type(
        await dify.update_app(
            "id",
            name="name",
            description="",
            icon_type=None,
            icon=None,
            icon_background=None,
            use_icon_as_answer_icon=True,
            max_active_requests=None,
        ),
        App,
    )
    assert_type(await dify.delete_app("id"), None)
    assert_type(
        await dify.copy_app(
            "id", name="name", description="", icon_type="emoji", icon="a", icon_background="#fff"
        ),
        App,
    )
    config = AppModelConfig(model={"provider": "openai", "completion_params": {"stop": ["a"]}})
    assert_type(await dify.update_app_model_config("id", config), None)
    assert_type(await dify.app_model_config("id"), AppModelConfig | None)
    assert_type(AppModelConfig.of({"model": {}}), AppModelConfig)
    assert_type(await dify.enable_app_api("id", enabled=True), App)
    assert_type(await dify.enable_app_site("id", enabled=False), App)
    assert_type(await dify.export_app("id", include_secret=True), str)
    assert_type(
        await dify.import_app(
            "yaml",
            app_id="id",
            name="name",
            description="",
            icon_type="emoji",
            icon="a",
            icon_background="#fff",
        ),
        AppImport,
    )
    assert_type(await dify.confirm_import("id"), AppImport)


async def keys(dify: AsyncDifyServer) -> None:
    assert_type(await dify.get_app_api_key("id"), list[ApiKey])
    assert_type(await dify.init_app_api_key("id"), list[ApiKey])
    assert_type(await dify.ensure_app_api_key("id", create_if_masked=True), ApiKey)
    assert_type(await dify.delete_app_api_key("id", "key"), None)
    assert_type(await dify.get_dataset_api_key(), list[DatasetApiKey])
    assert_type(await dify.init_dataset_api_key(), list[DatasetApiKey])
    assert_type(await dify.ensure_dataset_api_key(create_if_masked=True), DatasetApiKey)
    assert_type(await dify.delete_dataset_api_key("key"), None)


def progress(done: int, of: int) -> None: ...


async def many(dify: AsyncDifyServer, apps: list[App], ids: set[str]) -> None:
    assert_type(
        await dify.ensure_app_api_keys(apps, create_if_masked=True, progress=progress),
        list[AppResult[ApiKey]],
    )
    assert_type(await dify.ensure_app_api_keys(ids), list[AppResult[ApiKey]])
    assert_type(
        await dify.export_apps([*apps, *ids], "folder", include_secret=True, progress=progress),
        list[AppResult[Path]],
    )
    assert_type(await dify.export_apps(apps, Path("folder")), list[AppResult[Path]])


async def raw(dify: AsyncDifyServer) -> None:
    assert_type(await dify.request("GET", "/apps", params={"page": 1, "ids": ["a", "b"], "x": None}), Any)
    assert_type(await dify.request("POST", "/apps", json={"name": "a"}, type=App), App)
    assert_type(await dify.request("GET", "/apps", type=list[App]), list[App])
    assert_type(await dify.request("GET", "/apps", type=dict[str, int]), dict[str, int])
    union: App | None = await dify.request("GET", "/apps", type=App | None)
    assert_type(union, App | None)
