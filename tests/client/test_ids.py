"""Ids in every form that callers have them, in every method."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dify_async import App, AppModelConfig, AsyncDifyServer, DashboardFeed, DifyConfigError
from dify_async.testing import FakeDifyServer
from tests.support import an_app, client

APP = "6fd7cbb0-3692-418d-a4b8-dcc6b46371ef"
# What the methods require, besides ids.
REQUIRED: dict[str, Any] = {
    "config": AppModelConfig(model={"provider": "openai", "name": "gpt-4o"}),
    "enabled": True,
    "folder": "folder",
    "yaml": "kind: app",
}
KEY = "app-AbCdEfGhIjKlMnOpQrStUvWx"


@pytest.fixture
def version() -> str:
    return "1.17.0"


def id_parameters() -> list[tuple[str, str]]:
    """Each method and parameter that takes ids."""
    found = []
    for method, function in inspect.getmembers(AsyncDifyServer, inspect.isfunction):
        if not method.startswith("_"):
            names = inspect.signature(function).parameters
            found += [
                (method, name)
                for name in names
                # The session id of an end user is any text.
                if name in {"app", "apps"} or (name.endswith(("_id", "_ids")) and name != "session_id")
            ]
    return found


def arguments(method: str, **given: object) -> dict[str, object]:
    """The required arguments of a method, with valid values, and those that are given."""
    found: dict[str, object] = {}
    for name, parameter in inspect.signature(getattr(AsyncDifyServer, method)).parameters.items():
        if name == "self" or parameter.default is not parameter.empty:
            continue
        found[name] = REQUIRED.get(name, [APP] if name.endswith("s") else APP)
    return {**found, **given}


async def called(dify: AsyncDifyServer, method: str, given: dict[str, object]) -> None:
    """Call a method of any kind to its end."""
    result: object = getattr(dify, method)(**given)
    if isinstance(result, AbstractAsyncContextManager):
        async with result as rows:
            async for _ in rows:
                pass
    elif inspect.isawaitable(result):
        await result
    else:
        assert isinstance(result, AsyncIterator)
        async for _ in result:
            break


def test_the_methods_are_found() -> None:
    assert len(id_parameters()) > 50


async def test_a_name_is_not_an_id(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """No request is sent, not even to find out the time zone or the version."""
    for method, name in id_parameters():
        is_app = name in {"app", "apps", "app_id"}
        for value, says in (
            ("FAQ", "find_app('FAQ')" if is_app else "a UUID, got 'FAQ'"),
            ("", "got ''"),
            (APP.replace("-", ""), "which is a UUID"),
            (KEY, "got an API key"),
            (f"{APP}/api-keys", "which is a UUID"),
            (5, "which is a UUID, got 5"),
        ):
            given = arguments(method, **{name: [value] if name.endswith("s") else value})
            if "folder" in given:
                given["folder"] = tmp_path
            if "start" in inspect.signature(getattr(dify, method)).parameters:
                given["start"] = "2026-10-01 00:00"
            fake.reset_counters()
            with subtests.test(method=method, name=name, value=value):
                with pytest.raises(DifyConfigError) as refused:
                    await called(dify, method, given)
                assert says in str(refused.value)
                assert KEY not in str(refused.value)
                assert fake.count() == 0


async def test_a_name_in_a_feed(dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyConfigError, match="find_app"):
        DashboardFeed(dify, apps=["FAQ"])


async def test_an_app_and_a_uuid_are_ids(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """In any form, the same request is sent."""
    app = await dify.app(an_app(fake))
    fake.inject("/apps*", status=418)
    for method, name in id_parameters():
        if name not in {"app", "app_id", "apps"}:
            continue
        sent = []
        for value in (app.id, app, UUID(app.id), app.id.upper()):
            fake.reset_counters()
            given = arguments(method, **{name: [value] if name == "apps" else value})
            if "folder" in given:
                given["folder"] = tmp_path
            if method == "update_app":
                given["name"] = "a"
            try:
                await called(dify, method, given)
            except DifyConfigError as error:
                raise AssertionError(method) from error
            except Exception:  # noqa: BLE001 - the 418
                pass
            paths = {one.path.lower() for one in fake.requests if "account" not in one.path}
            bodies = {one.body.lower() for one in fake.requests}
            # An `App` needs no request for its mode.
            sent.append((paths - {f"/apps/{app.id}"} or paths, bodies))
        with subtests.test(method=method, name=name):
            assert all(app.id in str(one) for one in sent)
            assert sent[0] == sent[2] == sent[3]


async def test_an_app_costs_no_request_for_its_mode(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app: App = await dify.app(an_app(fake))
    fake.reset_counters()
    (statistics,) = await dify.statistics_many([app])
    assert statistics.app_name == app.name
    assert fake.count("GET", f"/apps/{app.id}") == 0


async def test_other_ids_as_uuids(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = UUID(an_app(fake))
    (key,) = await dify.init_app_api_key(app)
    await dify.delete_app_api_key(app, UUID(key.id))
    assert [one.id for one in await dify.get_app_api_key(app)].count(key.id) == 0
    assert await dify.apps(tag_ids=[UUID(APP)], creator_ids=[UUID(APP)]) == []


async def test_an_admin_key_takes_a_uuid() -> None:
    async with FakeDifyServer("1.17.0", admin_api_key="key") as fake:
        options: Any = {"admin_api_key": "key", "workspace_id": UUID(fake.workspace_id)}
        async with client(fake, **options) as dify:
            await dify.profile()
