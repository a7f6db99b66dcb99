"""The fake console and its pytest fixture."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, assert_type

import pytest

from dify_async.testing import FakeAccount, FakeApp, FakeDifyServer, FakeTag, Fault, RecordedRequest


async def made() -> None:
    async with FakeDifyServer(
        "1.15.0",
        email="a@example.com",
        password="secret",
        apps=[FakeApp(name="a", mode="chat", tags=[FakeTag("a")])],
        timezone="Europe/Berlin",
        today=date(2026, 10, 1),
        latency=0.1,
        access_token_lifetime=60,
        https_cookies=True,
        hide_version=True,
        base_path="/dify",
        admin_api_key="key",
        host="127.0.0.1",
        port=5001,
        password_login=False,
        masks_keys=True,
        keep_alive=1,
        seed=1,
    ) as entered:
        assert_type(entered, FakeDifyServer)


def looked_at(fake: FakeDifyServer) -> None:
    assert_type(fake.base_url, str)
    assert_type(fake.version, str)
    assert_type(fake.email, str)
    assert_type(fake.password, str)
    assert_type(fake.timezone, str)
    assert_type(fake.workspace_id, str)
    assert_type(fake.apps, list[FakeApp])
    assert_type(fake.requests, list[RecordedRequest])
    assert_type(fake.peak_requests, int)
    assert_type(fake.connections_opened, int)
    assert_type(fake.count(method="POST", path="/login"), int)
    assert_type(fake.login_code("token"), str)
    assert_type(fake.setup_finished, bool)
    fake.setup_finished = False
    assert_type(fake.database_down, bool)
    fake.database_down = True


def changed(fake: FakeDifyServer) -> None:
    assert_type(
        fake.inject(
            "/apps",
            "GET",
            status=503,
            headers={"Retry-After": "1"},
            body=b"",
            delay=1,
            cut="body",
            times=1,
            probability=0.5,
        ),
        Fault,
    )
    assert_type(fake.reset_counters(), None)
    assert_type(fake.expire_access_tokens(), None)
    assert_type(fake.revoke_refresh_tokens(), None)
    assert_type(fake.revoke_all_tokens(), None)
    assert_type(fake.unlock(), None)
    assert_type(fake.add_app("a", "chat", tags=[FakeTag("a")], messages_per_day=3), FakeApp)
    assert_type(fake.add_workspace("name"), str)
    assert_type(
        fake.add_account("a@example.com", "secret", workspace=False, banned=True, timezone=None), FakeAccount
    )


def one_fault(fault: Fault) -> None:
    assert_type(fault.path, str)
    assert_type(fault.method, str | None)
    assert_type(fault.status, int | None)
    assert_type(fault.headers, Mapping[str, str])
    assert_type(fault.body, bytes | None)
    assert_type(fault.delay, float)
    assert_type(fault.cut, Literal["before", "after", "body"] | None)
    assert_type(fault.times, int | None)
    assert_type(fault.probability, float)
    assert_type(fault.hits, int)
    assert_type(fault.removed, bool)
    assert_type(fault.remove(), None)


def one_request(request: RecordedRequest) -> None:
    assert_type(request.method, str)
    assert_type(request.path, str)
    assert_type(request.query, str)
    assert_type(request.headers, Mapping[str, str])
    assert_type(request.time, float)
    assert_type(request.body, bytes)
    assert_type(request.status, int | None)


def one_app(app: FakeApp, tag: FakeTag) -> None:
    assert_type(app.name, str)
    assert_type(app.mode, str)
    assert_type(app.description, str)
    assert_type(app.id, str)
    assert_type(app.tags, list[FakeTag])
    assert_type(app.icon_type, str | None)
    assert_type(app.icon, str | None)
    assert_type(app.icon_background, str | None)
    assert_type(app.use_icon_as_answer_icon, bool)
    assert_type(app.max_active_requests, int | None)
    assert_type(app.enable_api, bool)
    assert_type(app.enable_site, bool)
    assert_type(app.pre_prompt, str | None)
    assert_type(app.messages_per_day, int)
    assert_type(app.created_at, int)
    assert_type(app.updated_at, int)
    assert_type(app.published_at, int)
    assert_type(app.config, dict[str, object])
    assert_type(app.configured_at, int)
    assert_type(app.marked, tuple[str, str])
    assert_type(app.is_published, bool)
    assert_type(app.has_workflow, bool)
    assert_type(tag.name, str)
    assert_type(tag.id, str)
    assert_type(tag.type, str)


def one_account(account: FakeAccount) -> None:
    assert_type(account.id, str)
    assert_type(account.email, str)
    assert_type(account.password, str)
    assert_type(account.name, str)
    assert_type(account.timezone, str | None)
    assert_type(account.interface_language, str)
    assert_type(account.interface_theme, str)
    assert_type(account.role, str)
    assert_type(account.workspace, bool)
    assert_type(account.banned, bool)
    assert_type(account.pending, bool)
    assert_type(account.workspace_id, str)
    assert_type(account.created_at, int)
    assert_type(account.last_login_at, int)


@pytest.mark.fake_dify(version="1.10.1", apps=3)
def with_fixture(fake_dify: FakeDifyServer) -> None:
    assert_type(fake_dify.base_url, str)
