"""Every method, end to end, on each version of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyNotFoundError,
    DifyServerError,
    DifyStatusError,
    DifyValidationError,
    Metric,
)
from dify_async.testing import FakeApp, FakeDifyServer
from tests.support import MODES, UNKNOWN, VERSIONS, an_app

# On other dates, one version is enough.
pytestmark = pytest.mark.parametrize(
    "version", [*VERSIONS[:-1], pytest.param(VERSIONS[-1], marks=pytest.mark.calendar)]
)


@pytest.fixture
async def fake(version: str) -> AsyncIterator[FakeDifyServer]:
    """With few messages, since all of them are read."""
    apps = [
        FakeApp(name=f"{mode} {number}", mode=mode, messages_per_day=1) for number in (1, 2) for mode in MODES
    ]
    async with FakeDifyServer(version, apps=apps) as fake:
        yield fake


async def test_apps(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    apps = await dify.apps()
    assert {app.id for app in apps} == {app.id for app in fake.apps}
    assert {app.mode for app in apps} == set(MODES)
    page = await dify.apps_page(page=2, limit=4)
    assert (page.page, page.limit, page.total, page.has_more) == (2, 4, len(apps), True)
    assert page.data == apps[4:8]
    assert [app.id async for app in dify.iter_apps(page_size=4)] == [app.id for app in apps]
    assert (await dify.apps_page(page=99)).data == []


async def test_filters_of_apps(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    name = fake.apps[0].name
    assert any(app.name == name for app in await dify.apps(name=name[:10].upper()))
    assert await dify.apps(name="no app is called so") == []
    assert {app.mode for app in await dify.apps(mode="agent-chat")} == {"agent-chat"}
    assert len(await dify.apps(is_created_by_me=True)) == len(fake.apps)
    with pytest.raises(DifyConfigError, match=r"mode must be .*; did you mean 'agent-chat'"):
        await dify.apps(mode="agent_chat")  # type: ignore[arg-type]


async def test_app(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    for one in fake.apps[:5]:
        app = await dify.app(one.id)
        assert (app.id, app.name, app.mode) == (one.id, one.name, one.mode)
        assert app.enable_api is not None
        assert app.site is not None
    with pytest.raises(DifyNotFoundError) as missing:
        await dify.app(UNKNOWN)
    assert missing.value.code == "app_not_found"
    assert missing.value.path == f"/apps/{UNKNOWN}"


async def test_keys_of_an_app(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = an_app(fake)
    for key in await dify.get_app_api_key(app):
        await dify.delete_app_api_key(app, key.id)
    assert await dify.get_app_api_key(app) == []
    first = await dify.ensure_app_api_key(app)
    assert first.token.startswith("app-")
    assert await dify.ensure_app_api_key(app) == first
    (second,) = await dify.init_app_api_key(app)
    assert second.id != first.id
    assert {key.id for key in await dify.get_app_api_key(app)} == {first.id, second.id}
    await dify.delete_app_api_key(app, first.id)
    with pytest.raises(DifyNotFoundError):
        await dify.delete_app_api_key(app, first.id)
    for _ in range(9):
        await dify.init_app_api_key(app)
    with pytest.raises(DifyValidationError) as full:
        await dify.init_app_api_key(app)
    assert full.value.code == "max_keys_exceeded"
    with pytest.raises(DifyNotFoundError):
        await dify.get_app_api_key(UNKNOWN)


async def test_keys_of_knowledge_bases(version: str, dify: AsyncDifyServer) -> None:
    for key in await dify.get_dataset_api_key():
        await dify.delete_dataset_api_key(key.id)
    first = await dify.ensure_dataset_api_key()
    assert first.token.startswith("dataset-")
    assert await dify.ensure_dataset_api_key() == first
    for _ in range(9):
        await dify.init_dataset_api_key()
    # Past the cap it is a fault of the server in 1.8 to 1.11.
    expected = DifyServerError if version in {"1.9.1", "1.10.1", "1.11.2"} else DifyValidationError
    with pytest.raises(DifyStatusError) as full:
        await dify.init_dataset_api_key()
    assert type(full.value) is expected
    await dify.delete_dataset_api_key(first.id)
    with pytest.raises(DifyNotFoundError):
        await dify.delete_dataset_api_key(first.id)


async def test_conversations(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    pages = {
        one.id: await dify.chat_conversations(one.id, limit=3) for one in fake.apps if one.mode == "chat"
    }
    app, page = next((app, page) for app, page in pages.items() if page.data)
    assert page.data[0].user_feedback_stats is not None
    rows = [row async for row in dify.iter_chat_conversations(app, page_size=50)]
    assert len(rows) == len({row.id for row in rows}) == page.total
    assert [row.id for row in rows[:3]] == [row.id for row in page.data]
    oldest = (await dify.chat_conversations(app, sort_by="created_at", limit=1)).data[0]
    assert oldest.created_at == min(row.created_at or 0 for row in rows)
    nothing = await dify.chat_conversations(app, keyword="no message says so")
    assert nothing.data == []
    far = date.today() + timedelta(days=2)
    assert (await dify.chat_conversations(app, start=far)).data == []
    with pytest.raises(DifyNotFoundError):
        await dify.chat_conversations(an_app(fake, "workflow"))
    with pytest.raises(DifyConfigError, match=r"annotation_status must be .*; did you mean 'annotated'"):
        await dify.chat_conversations(app, annotation_status="anotated")  # type: ignore[arg-type]


async def test_statistics_one_by_one(
    fake: FakeDifyServer, dify: AsyncDifyServer, subtests: pytest.Subtests
) -> None:
    """Metrics that apply to a mode return rows; for the others the server answers 404 or nothing."""
    end = date.today() + timedelta(days=1)
    start = end - timedelta(days=30)
    for mode in MODES:
        app = an_app(fake, mode)
        together = await dify.statistics(app, start, end)
        assert together.mode == mode
        assert together.errors == {}
        for metric in Metric:
            with subtests.test(mode=mode, metric=metric):
                try:
                    rows = await getattr(dify, metric)(app, start, end)
                except DifyNotFoundError:
                    assert together.rows(metric) is None
                    continue
                days = [row.date for row in rows]
                assert days == sorted(set(days))
                assert all(start <= day < end for day in days)
                assert together.rows(metric) in (None, rows)


async def test_profile(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    account = await dify.profile()
    assert account.email == fake.email
    assert account.timezone == fake.timezone


async def test_version(version: str, fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    assert await dify.version() == version
    assert fake.count("POST", "/login") == 0


async def test_logout(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    await dify.profile()
    await dify.logout()
    assert fake.requests[-1].path == "/logout"
    assert fake.requests[-1].status == 200
    await dify.profile()
    assert fake.count("POST", "/login") == 2


async def test_login(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    await dify.login()
    assert fake.count("POST", "/login") == 1
    await dify.profile()
    await dify.login()
    assert fake.count("POST", "/login") == 2
