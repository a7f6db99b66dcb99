"""The workspace, knowledge bases and the server, on each version."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyConfigError,
    DifyNotFoundError,
    DifyPermissionError,
    DifyUnknownOutcomeError,
    DifyValidationError,
)
from dify_async.testing import FakeDifyServer
from tests.support import ERAS, UNKNOWN, VERSIONS, an_app, client, until

each_version = pytest.mark.parametrize("version", VERSIONS)


@each_version
async def test_workspaces(version: str, fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """GET /workspaces/current up to 1.10.0, then POST, and from 1.17 GET /workspaces/current/summary."""
    other = fake.add_workspace("Zweiter Arbeitsbereich")
    here = await dify.current_workspace()
    assert (here.id, here.role) == (fake.workspace_id, "owner")
    path = "/workspaces/current/summary" if version == "1.17.0" else "/workspaces/current"
    method = "POST" if version not in {"0.15.3", "1.9.1", "1.17.0"} else "GET"
    assert (fake.requests[-1].method, fake.requests[-1].path) == (method, path)
    assert {one.id: one.current for one in await dify.workspaces()} == {fake.workspace_id: True, other: False}
    there = await dify.switch_workspace(other)
    assert (there.id, there.name) == (other, "Zweiter Arbeitsbereich")
    async with client(fake) as another:  # all sessions of the account are switched
        assert (await another.current_workspace()).id == other
    with pytest.raises(DifyPermissionError) as refused:
        await dify.switch_workspace(UNKNOWN)
    assert refused.value.code == "account_not_link_tenant"


async def test_the_current_workspace_of_a_server_that_hides_its_version() -> None:
    async with FakeDifyServer("1.15.0", hide_version=True) as fake, client(fake) as dify:
        assert (await dify.current_workspace()).id == fake.workspace_id


@each_version
async def test_members(version: str, fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    results = await dify.invite_members([fake.email, "zoe@example.com"], "editor", language="en-US")
    assert [(one.status, one.email) for one in results] == [
        ("failed", fake.email),
        ("success", "zoe@example.com"),
    ]
    assert results[0].message == "Cannot operate self."
    assert results[1].url is not None
    assert results[1].url not in repr(results)
    assert json.loads(fake.requests[-1].body)["emails"] == [fake.email, "zoe@example.com"]
    members = {one.email: one for one in await dify.members()}
    assert (members["zoe@example.com"].status, members["zoe@example.com"].role) == ("pending", "editor")
    assert members[fake.email].role == "owner"
    with pytest.raises(DifyValidationError) as refused:
        await dify.invite_members(["x@example.com"], "owner")
    new = version in {"1.16.1", "1.17.0"}
    assert refused.value.code == ("invalid_role" if new else "invalid-role")


@pytest.mark.parametrize("version", ERAS)
async def test_a_single_text_is_not_a_list(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """1.9.1/members_invite_email__emails_string: the server reads it letter by letter."""
    with pytest.raises(DifyConfigError, match="emails must be a list of strings"):
        await dify.invite_members("z@example.com", "normal")
    with pytest.raises(DifyConfigError, match="document_ids must be a list of ids"):
        await dify.retry_document_indexing(UNKNOWN, UNKNOWN)
    with pytest.raises(DifyConfigError, match="got a list with None"):
        await dify.invite_members([None], "normal")  # type: ignore[list-item]  # invalid on purpose
    assert fake.count() == 0


@each_version
async def test_a_new_time_zone_applies_at_once(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    period = (await dify.dashboard(days=1)).period
    account = await dify.set_timezone("Asia/Tokyo")
    assert account.timezone == fake.timezone == "Asia/Tokyo"
    moved = (await dify.dashboard(days=1)).period
    assert (period.zone, moved.zone) == ("America/New_York", "Asia/Tokyo")
    with pytest.raises(DifyValidationError):
        await dify.set_timezone("Mars/Olympus")


@each_version
async def test_knowledge_bases(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    found = await dify.datasets()
    assert len(found) == 5
    assert [one.id async for one in dify.datasets_page(limit=2)] == [one.id for one in found]
    page = await dify.datasets_page(page=2, limit=2)
    assert [one.id for one in page.data] == [one.id for one in found[2:4]]
    assert [one.name for one in await dify.datasets(keyword="handbüch")] == ["Produkt-Handbücher"]
    assert await dify.datasets(tag_ids=[UNKNOWN, fake.workspace_id]) == []
    assert f"tag_ids={UNKNOWN}&tag_ids={fake.workspace_id}" in fake.requests[-1].query
    for wrong in (0, 101):  # which the server does not check [1.11.2/08_datasets_list_limit_0, _101]
        with pytest.raises(DifyConfigError):
            await dify.datasets_page(limit=wrong)


@each_version
async def test_documents(dify: AsyncDifyServer, version: str) -> None:
    base = (await dify.datasets())[1].id
    statuses = await dify.dataset_indexing_status(base)
    assert {one.indexing_status for one in statuses} == {"completed", "error", "paused", "indexing"}
    assert await dify.document_indexing_status(base, statuses[0].id) == statuses[0]
    failed = await dify.dataset_error_documents(base)
    assert {one.indexing_status for one in failed} == {"error", "paused"}
    await dify.retry_document_indexing(base, [UNKNOWN])  # ignored [1.11.2/08_dataset_retry_unknown_document]
    await dify.retry_document_indexing(base, [failed[0].id])
    with pytest.raises(DifyValidationError, match="being retried"):
        await dify.retry_document_indexing(base, [failed[0].id])
    if version == "1.17.0":  # [1.17-pre/08_dataset_indexing_status_unknown]
        with pytest.raises(DifyNotFoundError):
            await dify.dataset_indexing_status(UNKNOWN)
    else:
        assert await dify.dataset_indexing_status(UNKNOWN) == []
    with pytest.raises(DifyNotFoundError):
        await dify.document_indexing_status(base, UNKNOWN)
    with pytest.raises(DifyNotFoundError):
        await dify.dataset_error_documents(UNKNOWN)
    with pytest.raises(DifyNotFoundError):
        await dify.retry_document_indexing(UNKNOWN, [UNKNOWN])


@each_version
async def test_the_server(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    assert (await dify.system_features()).enable_email_password_login is True
    assert (await dify.setup_status()).step == "finished"
    assert fake.count("POST", "/login") == 0
    features = await dify.features()
    assert features.apps is not None
    assert features.apps.limit == 10
    fake.setup_finished = False
    assert (await dify.setup_status()).step == "not_started"


async def test_a_new_time_zone_applies_if_the_response_is_lost() -> None:
    async with FakeDifyServer() as fake, client(fake) as dify:
        await dify.dashboard(days=1)
        fake.inject("/account/timezone", cut="after", times=1)
        with pytest.raises(DifyUnknownOutcomeError):
            await dify.set_timezone("Asia/Tokyo")
        assert (await dify.dashboard(days=1)).period.zone == "Asia/Tokyo"


async def test_a_time_zone_read_before_a_change_is_not_cached(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    app = an_app(fake)
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    before = json.dumps(await dify.request("GET", "/account/profile")).encode()
    slow = fake.inject("/account/profile", delay=0.1, body=before, times=1)
    counting = asyncio.create_task(dify.daily_messages(app, moment))
    await until(lambda: slow.hits == 1)
    await dify.set_timezone("Asia/Tokyo")
    await counting
    await dify.daily_messages(app, moment)
    assert "start=2026-11-01%2009%3A00" in fake.requests[-1].query
