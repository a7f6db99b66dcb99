"""Exports of app definitions."""

from __future__ import annotations

import pytest

from dify_async import AsyncDifyServer, DifyConfigError, DifyServerError
from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN, an_app


@pytest.mark.parametrize("version", ["1.9.0", "1.15.0", "1.18.0"])
async def test_one_version_of_a_workflow(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = an_app(fake, "workflow")
    await dify.publish_workflow(app)
    published = await dify.published_workflow(app)
    assert published is not None
    for text in (await dify.export_app(app, published.id), await dify.export_app(app)):
        assert text.startswith("app:\n")  # never a ZIP
    assert f"&workflow_id={published.id}" in fake.requests[-2].query
    assert "workflow_id" not in fake.requests[-1].query
    with pytest.raises(DifyServerError):  # 1.15.0/08_app_export_unknown_workflow_id
        await dify.export_app(app, UNKNOWN)
    with pytest.raises(DifyConfigError, match="workflow_id must be an id"):
        await dify.export_app(app, "a/b")


@pytest.mark.parametrize("version", ["1.8.1"])
async def test_a_server_that_would_export_the_draft(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyConfigError, match=r"ignores workflow_id; upgrade the server to 1\.9 or newer"):
        await dify.export_app(an_app(fake, "workflow"), UNKNOWN)
    assert fake.count("GET", "/apps/*") == 0
