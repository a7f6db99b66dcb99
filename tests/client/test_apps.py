"""The list of apps: order and filters, and the apps of mode "agent"."""

from __future__ import annotations

import pytest

from dify_async import AsyncDifyServer, DifyConfigError
from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN, VERSIONS, client


@pytest.mark.parametrize("version", ["0.15.3", "1.9.1", "1.10.1", "1.11.2", "1.14.1"])
async def test_an_older_server_would_ignore_them(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    for call in (dify.apps, dify.apps_page):
        with pytest.raises(DifyConfigError, match=f"Dify {fake.version} ignores sort_by; "):
            await call(sort_by="recently_created")
        with pytest.raises(DifyConfigError, match="ignores sort_by and creator_ids"):
            await call(sort_by="recently_created", creator_ids=[UNKNOWN])
    assert fake.count("GET", "/apps") == 0


@pytest.mark.parametrize("version", ["1.15.0"])
async def test_orders(dify: AsyncDifyServer) -> None:
    oldest = await dify.apps(sort_by="earliest_created")
    assert [app.created_at for app in oldest] == sorted(app.created_at or 0 for app in oldest)
    page = await dify.apps_page(limit=5, sort_by="recently_created")
    assert [app.id for app in page.data] == [app.id for app in oldest[::-1][:5]]
    with pytest.raises(DifyConfigError, match=r"sort_by must be one of .*; did you mean 'recently_created'"):
        await dify.apps(sort_by="recent_created")  # type: ignore[arg-type]
    with pytest.raises(DifyConfigError, match="creator_ids must be a list of ids, got 'a'"):
        await dify.apps(creator_ids="a")


async def test_a_server_that_hides_its_version_is_treated_as_the_latest() -> None:
    async with FakeDifyServer("1.15.0", hide_version=True) as fake, client(fake) as dify:
        await dify.apps_page(sort_by="last_modified", creator_ids=[UNKNOWN, UNKNOWN])
        query = fake.requests[-1].query
    repeated = f"creator_ids={UNKNOWN}&creator_ids={UNKNOWN}"
    brackets = f"creator_ids%5B0%5D={UNKNOWN}&creator_ids%5B1%5D={UNKNOWN}"
    assert f"sort_by=last_modified&{repeated}&{brackets}" in query


@pytest.mark.parametrize("version", ["1.15.0"])
async def test_creators(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """[1.15.0/04_apps_list_creator_ids_*]"""
    owner = (await dify.profile()).id
    assert len(await dify.apps(creator_ids=[owner, UNKNOWN])) == len(fake.apps)
    assert await dify.apps(creator_ids=[UNKNOWN]) == []
    with pytest.raises(DifyConfigError, match="creator_ids must be an id, which is a UUID, got 'abc'"):
        await dify.apps(creator_ids=["abc"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_apps_of_mode_agent(fake: FakeDifyServer, dify: AsyncDifyServer, version: str) -> None:
    """1.15.0/04_apps_list_mode_all_with_agent_app: from 1.15 they are listed apart."""
    has_agents = tuple(map(int, version.split("."))) >= (1, 15)
    if has_agents:
        for number in range(2):
            fake.add_app(f"Agent {number}", "agent", created_at=2_000_000_000 + number)
    ids = {app.id for app in fake.apps}
    listed = await dify.apps()
    assert {app.id for app in listed} == ids
    assert [app.id for app in listed] == [app.id async for app in dify.apps()]
    assert [app.id for app in listed] == [app.id async for app in dify.iter_apps(page_size=3)]
    if has_agents:
        assert [app.mode for app in listed[-2:]] == ["agent", "agent"]
        assert [app.name for app in await dify.apps(name="Agent 1")] == ["Agent 1"]
        assert {app.mode for app in await dify.apps(mode="chat")} == {"chat"}
        assert not [app for app in await dify.apps_page(limit=100) if app.mode == "agent"]
    requests = [request.query for request in fake.requests if request.path == "/apps"]
    assert any("mode=agent" in query for query in requests) == has_agents


@pytest.mark.parametrize("version", ["1.9.1", "1.15.0"])
async def test_apps_of_a_server_that_hides_its_version(version: str) -> None:
    async with (
        FakeDifyServer(version, hide_version=True) as fake,
        client(fake, server_version=None if version == "1.15.0" else "1.9.1") as dify,
    ):
        await dify.login()
        dify._probe._fixed = None  # what the login needs was given
        assert {app.id for app in await dify.apps()} == {app.id for app in fake.apps}


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("1.10.1", "tag_ids={0}%2C{1}&"),
        ("1.15.0", "tag_ids={0}&tag_ids={1}&tag_ids%5B0%5D={0}&tag_ids%5B1%5D={1}&"),
    ],
)
async def test_tags_in_the_form_of_the_version(version: str, form: str) -> None:
    """1.15.0/04_apps_list_tag_ids_bracket_and_plain."""
    async with FakeDifyServer(version) as fake, client(fake) as dify:
        one, two = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
        assert await dify.apps(tag_ids=[one, two]) == []
        sent = next(request.query for request in fake.requests if request.path == "/apps")
        assert sent.startswith(form.format(one, two))
        assert await dify.apps(tag_ids=[])
