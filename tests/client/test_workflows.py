"""Workflows and their runs, on each version of the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dify_async import AppMode, AsyncDifyServer, DifyConfigError, DifyNotFoundError, DifyValidationError
from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN, VERSIONS, an_app

pytestmark = pytest.mark.parametrize("version", VERSIONS)


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat"])
async def test_publishing(version: str, fake: FakeDifyServer, dify: AsyncDifyServer, mode: AppMode) -> None:
    """Without one, the answer is an object of nulls or null [1.9.1/workflow_publish_get__none, 1.15.0]."""
    app = await dify.create_app("new", mode)
    assert await dify.published_workflow(app.id) is None
    await dify.publish_workflow(app.id)
    assert fake.requests[-1].body == b"{}"  # a 415 without one [1.11.2/08_workflow_publish_no_body]
    if version != "0.15.3":
        await dify.publish_workflow(app.id, marked_name="v1", marked_comment="first")
        with pytest.raises(DifyValidationError, match="20 characters"):
            await dify.publish_workflow(app.id, marked_name="n" * 21)
    workflow = await dify.published_workflow(app.id)
    assert workflow is not None
    assert workflow.created_by is not None
    assert workflow.created_by.email == fake.email
    if version != "0.15.3":
        assert (workflow.marked_name, workflow.marked_comment) == ("v1", "first")
    with pytest.raises(DifyNotFoundError):
        await dify.publish_workflow(an_app(fake, "chat"))


async def test_runs(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = next(one.id for one in fake.apps if one.mode == "workflow" and one.messages_per_day)
    first = await dify.workflow_runs(app, limit=3)
    second = await dify.workflow_runs(app, limit=3, last_id=first.data[-1].id)
    assert first.has_more
    runs = []
    async for run in dify.workflow_runs(app, limit=3):
        runs.append(run)
        if len(runs) == 6:
            break
    assert runs == [*first.data, *second.data]
    times = [run.created_at or 0 for run in runs]
    assert times == sorted(times, reverse=True)
    with pytest.raises(DifyValidationError, match="not exists"):
        await dify.workflow_runs(app, last_id=UNKNOWN)
    with pytest.raises(DifyConfigError):
        await dify.workflow_runs(app, limit=101)
    with pytest.raises(DifyNotFoundError):
        await dify.workflow_runs(an_app(fake, "chat"))


async def test_one_run(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Up to 1.11, an unknown run is a 200 with nulls [1.11.2/06_workflow_run_detail_unknown]."""
    app = next(one.id for one in fake.apps if one.mode == "workflow" and one.messages_per_day)
    row = (await dify.workflow_runs(app, limit=1)).data[0]
    run = await dify.workflow_run(app, row.id)
    assert (run.id, run.total_tokens, run.status) == (row.id, row.total_tokens, row.status)
    assert run.created_by_end_user is not None
    with pytest.raises(DifyNotFoundError) as missing:
        await dify.workflow_run(app, UNKNOWN)
    assert missing.value.status == 404
    assert missing.value.path == f"/apps/{app}/workflow-runs/{UNKNOWN}"


async def test_logs(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = next(one.id for one in fake.apps if one.mode == "workflow" and one.messages_per_day)
    page = await dify.workflow_app_logs(app, limit=5)
    assert (len(page.data), page.limit, page.has_more) == (5, 5, True)
    assert page.data[0].workflow_run is not None
    failed = await dify.workflow_app_logs(app, status="failed", limit=100)
    assert {row.workflow_run.status for row in failed.data if row.workflow_run} == {"failed"}
    assert (await dify.workflow_app_logs(app, keyword="no such user")).data == []
    rows = [row async for row in dify.workflow_app_logs(app, status="failed", limit=50)]
    assert len(rows) == len({row.id for row in rows}) == failed.total
    with pytest.raises(DifyNotFoundError):
        await dify.workflow_app_logs(an_app(fake, "advanced-chat"))


async def test_runs_of_the_console(version: str, fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """The server's own default [1.11.2/06_workflow_runs_default]; the fake has no such runs."""
    app = next(one.id for one in fake.apps if one.mode == "workflow" and one.messages_per_day)
    if version in VERSIONS[:2]:  # there are no others
        assert (await dify.workflow_runs(app)).data
        return
    assert (await dify.workflow_runs(app, triggered_from="debugging")).data == []
    failed = [run async for run in dify.workflow_runs(app, status="failed")]
    assert {run.status for run in failed} == {"failed"}


@pytest.mark.calendar
async def test_bounds_of_the_log_are_moments(
    version: str, fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """They are sent with a UTC offset; without one the server assumes UTC [1.11.2/06_workflow_app_logs_*]."""
    app = next(one.id for one in fake.apps if one.mode == "workflow" and one.messages_per_day)
    today = datetime.now(ZoneInfo(fake.timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=7)
    if version == "0.15.3":
        with pytest.raises(DifyConfigError, match="ignores start"):
            await dify.workflow_app_logs(app, start=start)
        return
    naive = await dify.workflow_app_logs(app, start=start.replace(tzinfo=None), end=today, limit=100)
    aware = await dify.workflow_app_logs(app, start=start.astimezone(UTC), end=today, limit=100)
    assert naive == aware
    assert naive.data
    for row in naive.data:
        assert start.timestamp() <= (row.created_at or 0) <= today.timestamp()
    with pytest.raises(DifyConfigError):
        await dify.workflow_app_logs(app, start=today, end=start)
