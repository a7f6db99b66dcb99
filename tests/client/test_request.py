"""Requests to routes without a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dify_async import (
    AppModelConfig,
    AsyncDifyServer,
    DifyConfigError,
    DifyDecodeError,
    DifyNotFoundError,
    DifyUnknownOutcomeError,
    Event,
    Page,
    RequestStarted,
)
from dify_async.testing import FakeDifyServer
from tests.support import EACH_ERA, VERSIONS, an_app, client


class Named(msgspec.Struct):
    id: str
    name: str


@pytest.mark.parametrize("version", VERSIONS)
async def test_with_and_without_a_type(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    plain = await dify.request("get", "/apps", params={"limit": 2, "mode": None, "is_created_by_me": True})
    assert fake.requests[-1].query == "limit=2&is_created_by_me=true"
    typed = await dify.request("GET", "/apps", params={"limit": 2}, type=Page[Named])
    assert [row.id for row in typed.data] == [row["id"] for row in plain["data"]]
    app = await dify.request("GET", f"/apps/{an_app(fake)}", type=Named)
    assert app.id == an_app(fake)


async def test_changes(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = await dify.request("POST", "/apps", json={"name": "raw", "mode": "chat"}, type=Named)
    assert app.name == "raw"
    await dify.request("POST", f"/apps/{app.id}/copy")
    assert fake.requests[-1].body == b"{}"
    assert await dify.request("DELETE", f"/apps/{app.id}") is None
    fake.inject("/apps", "POST", cut="after")
    with pytest.raises(DifyUnknownOutcomeError):
        await dify.request("POST", "/apps", json={"name": "twice?", "mode": "chat"})
    assert [one.name for one in fake.apps].count("twice?") == 1


@EACH_ERA
async def test_the_same_repeats_and_sign_in(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    fake.inject("/apps", status=503, times=2)
    await dify.request("GET", "/apps", params={"tag_ids": ["a" * 8 + "-0000-4000-8000-000000000000"]})
    fake.expire_access_tokens()
    await dify.request("GET", "/apps")
    assert fake.count("POST", "/refresh-token") == 1
    assert fake.count("GET", "/apps") == 5


async def test_invalid_paths(fake: FakeDifyServer, dify: AsyncDifyServer, subtests: pytest.Subtests) -> None:
    paths: list[Any] = [
        *("", "apps", "http://evil.example.com/apps", "/apps?limit=1", "/apps#a", "/apps/{}/x"),
        *("/apps/../setup", "/apps/./x", "/apps//x", "/apps/a%2fb", "/apps/a\\b", "/apps/\n", None),
    ]
    for path in paths:
        fake.reset_counters()
        with subtests.test(path=path):
            with pytest.raises(DifyConfigError):
                await dify.request("GET", path)
            assert fake.count() == 0


async def test_a_path_copied_from_a_browser(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    with pytest.raises(
        DifyConfigError, match=r"^path must be the part after /console/api, got '/console/api/apps'$"
    ):
        await dify.request("GET", "/console/api/apps")
    assert fake.count() == 0


async def test_invalid_methods(
    fake: FakeDifyServer, dify: AsyncDifyServer, subtests: pytest.Subtests
) -> None:
    methods: list[Any] = ["", "TRACE", "get /", None]
    for method in methods:
        fake.reset_counters()
        with subtests.test(method=method):
            with pytest.raises(DifyConfigError, match="method"):
                await dify.request(method, "/apps")
            assert fake.count() == 0


async def test_a_missing_route_and_another_type(dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyNotFoundError) as missing:
        await dify.request("GET", "/no-such-route")
    assert missing.value.path == "/no-such-route"
    with pytest.raises(DifyDecodeError, match="GET /apps"):
        await dify.request("GET", "/apps", type=list[Named])


async def test_events_name_the_route_without_ids(fake: FakeDifyServer) -> None:
    events: list[Event] = []
    async with client(fake, on_event=events.append) as dify:
        app = next(one.id for one in fake.apps if one.mode == "workflow" and one.messages_per_day)
        run = (await dify.workflow_runs(app, limit=1)).data[0].id
        await dify.request("GET", f"/apps/{app}/workflow-runs/{run}", params={"a": "secret"})
    routes = {event.route for event in events if isinstance(event, RequestStarted)}
    assert "/apps/{}/workflow-runs/{}" in routes
    assert not any(app in route or run in route or "secret" in route for route in routes)


@pytest.mark.parametrize("value", [object(), b"x", 2.5, {"b": 1}, ["\ud800"]])
async def test_an_invalid_query(fake: FakeDifyServer, dify: AsyncDifyServer, value: Any) -> None:
    with pytest.raises(DifyConfigError):
        await dify.request("GET", "/apps", params={"a": value})
    assert fake.count() == 0


@pytest.mark.parametrize(
    "body", [object(), {"a": object()}, {"a": "\ud800"}, {"a": b"x"}, [float("nan")], {"a": [bytearray()]}]
)
async def test_an_invalid_body(fake: FakeDifyServer, dify: AsyncDifyServer, body: object) -> None:
    with pytest.raises(DifyConfigError, match="JSON"):
        await dify.request("POST", "/apps", json=body)
    assert fake.count() == 0


async def test_a_file_is_returned_unchanged(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    fake.inject("/files/*", body=b"\x89PNG\r\n")
    assert await dify.request("GET", "/files/1", type=bytes) == b"\x89PNG\r\n"


async def test_arguments_of_a_wrong_kind(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Each raises a DifyConfigError before anything is sent."""
    calls: list[Callable[..., Any]] = [
        lambda: dify.app(["a"]),  # type: ignore[arg-type]  # invalid on purpose, as are the others
        lambda: dify.app(None),  # type: ignore[arg-type]
        lambda: dify.apps(name={"a": 1}),  # type: ignore[arg-type]
        lambda: dify.apps(name=["a"]),  # type: ignore[arg-type]
        lambda: dify.apps(name=b"a"),  # type: ignore[arg-type]
        lambda: dify.apps(tag_ids=5),  # type: ignore[arg-type]
        lambda: dify.apps(tag_ids=b"abc"),  # type: ignore[arg-type]
        lambda: dify.create_app(b"a", "chat"),  # type: ignore[arg-type]
        lambda: dify.update_app_model_config("id", {"model": {}}),  # type: ignore[arg-type]
        lambda: dify.invite_members(None, "normal"),  # type: ignore[arg-type]
        lambda: dify.invite_members([b"a@example.com"], "normal"),  # type: ignore[list-item]
        lambda: dify.retry_document_indexing("id", 7),  # type: ignore[arg-type]
        lambda: dify.apps(tag_ids=""),
        lambda: dify.apps(is_created_by_me="false"),  # type: ignore[arg-type]
        lambda: dify.datasets(tag_ids=""),
        lambda: dify.create_app(5, "chat"),  # type: ignore[arg-type]
        lambda: dify.create_app("", "chat"),
        lambda: dify.create_app("a", "chat", description=5),  # type: ignore[arg-type]
        lambda: dify.update_app("id", name=None),  # type: ignore[arg-type]
        lambda: dify.update_app("id", description=5),  # type: ignore[arg-type]
        lambda: dify.update_app("id", use_icon_as_answer_icon="false"),  # type: ignore[arg-type]
        lambda: dify.update_app("id", use_icon_as_answer_icon=None),  # type: ignore[arg-type]
        lambda: dify.copy_app("id", name=b"a"),  # type: ignore[arg-type]
        lambda: dify.enable_app_api("id", None),  # type: ignore[arg-type]
        lambda: dify.export_app("id", include_secret="no"),  # type: ignore[arg-type]
        lambda: dify.import_app(None),  # type: ignore[arg-type]
        lambda: dify.publish_workflow("id", marked_name=5),  # type: ignore[arg-type]
        lambda: dify.workflow_app_logs("id", detail="x"),  # type: ignore[arg-type]
        lambda: dify.workflow_app_logs("id", start="garbage"),
        lambda: dify.switch_workspace(None),  # type: ignore[arg-type]
        lambda: dify.set_timezone(None),  # type: ignore[arg-type]
        lambda: dify.invite_members(["a@example.com"], None),  # type: ignore[arg-type]
        lambda: dify.request_login_code(""),
        lambda: dify.chat_messages("id", None),  # type: ignore[arg-type]
        lambda: dify.export_feedbacks("id", format=["csv"]),  # type: ignore[arg-type]
        lambda: dify.ensure_app_api_keys(None),  # type: ignore[arg-type]
        lambda: dify.ensure_app_api_keys(dify.iter_apps()),  # type: ignore[arg-type]
        lambda: dify.update_app_model_config("id", AppModelConfig(model={"x": b"ab"})),
        lambda: dify.update_app_model_config("id", AppModelConfig(model={"x": object()})),
        lambda: dify.request("GET", "/apps", params={None: "x"}),  # type: ignore[dict-item]
        lambda: dify.request("GET", "/apps", params=[("a", 1)]),  # type: ignore[call-overload]
        lambda: dify.request("GET", "/apps", type=[Named]),  # type: ignore[call-overload]
        lambda: dify.request("GET", "/apps", type=5),  # type: ignore[call-overload]
        lambda: dify.request("GET", "/apps", type=object()),  # type: ignore[call-overload]
    ]
    for call in calls:
        with pytest.raises(DifyConfigError):
            await call()
    assert fake.count("GET", "/system-features") == fake.count()  # the version alone was asked for


async def test_half_a_character_is_no_text(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    for call in (dify.create_app("\ud800", "chat"), dify.apps(name="\ud800"), dify.set_timezone("\ud800")):
        with pytest.raises(DifyConfigError):
            await call
    assert fake.count() == 0


async def test_a_yes_is_not_a_one(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """In Python True == 1, but a cached URL for one must not be used for the other."""
    for value, text in ((True, "true"), (1, "1"), (False, "false"), (0, "0")):
        await dify.request("GET", "/apps", params={"is_created_by_me": value})
        assert fake.requests[-1].query == f"is_created_by_me={text}"


async def test_a_delete_that_was_done_and_lost(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    fake.inject(f"/apps/{an_app(fake)}", "DELETE", cut="after", times=1)
    with pytest.raises(DifyDecodeError):  # there is nothing to decode
        await dify.request("DELETE", f"/apps/{an_app(fake)}", type=Named)
    fake.inject(f"/apps/{an_app(fake)}", "DELETE", cut="after", times=1)
    assert await dify.request("DELETE", f"/apps/{an_app(fake)}") is None
