"""Dify 1.16 and 1.17, against servers that send captured responses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web
from multidict import CIMultiDict

from dify_async import (
    AsyncDifyServer,
    DifyConflictError,
    DifyLoginError,
    DifyNotFoundError,
    DifyStatusError,
    DifyValidationError,
    MemoryTokenStore,
)
from dify_async.testing import FakeDifyServer
from tests.captures import capture
from tests.support import QUICK, VERSIONS, an_app

A, B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
SIGN_IN = {"GET /system-features": "00_system_features_anonymous", "POST /login": "01_login_ok"}


class Replay:
    """A server that sends captured responses, and has no other routes.

    Attributes:
        version: What it calls itself; None if as captured, "" if it is hidden.
        requests: Method, path and query, without those of the sign-in.
    """

    def __init__(self, captured: str, routes: Mapping[str, str], version: str | None = None) -> None:
        self.version = version
        self.requests: list[str] = []
        self._captured = captured
        self._routes = {**SIGN_IN, **routes}

    async def answer(self, request: web.BaseRequest) -> web.Response:
        path = request.rel_url.raw_path_qs.removeprefix("/console/api")
        route = f"{request.method} {path.partition('?')[0]}"
        if route not in SIGN_IN:
            self.requests.append(f"{request.method} {path}")
        # A route that a server lacks is a page of its framework: 1.17-pre/08_workspace_current_post.
        name = self._routes.get(route, "1.17-pre/08_workspace_current_post")
        row = capture(name if "/" in name else f"{self._captured}/{name}")
        headers = CIMultiDict(row.headers)
        if self.version is not None:
            headers.popall("X-Version", None)
            if self.version:
                headers["X-Version"] = self.version
        return web.Response(status=row.status, headers=headers, body=row.reply.body)


@asynccontextmanager
async def serving(replay: Replay) -> AsyncIterator[AsyncDifyServer]:
    runner = web.ServerRunner(web.Server(replay.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        store = MemoryTokenStore()
        async with AsyncDifyServer(
            base_url, "o@example.com", "Pass-1", token_store=store, retry=QUICK
        ) as dify:
            yield dify
    finally:
        await runner.cleanup()


POSTED, SUMMED = "POST /workspaces/current", "GET /workspaces/current/summary"
OF_1_16 = {POSTED: "08_workspace_current_post"}
OF_1_17 = {SUMMED: "08_workspace_current_summary_get"}


@pytest.mark.parametrize(
    ("captured", "routes", "version", "asked"),
    [
        ("1.16.1", OF_1_16, None, [POSTED]),
        ("1.16.1", OF_1_16, "", [SUMMED, POSTED]),
        ("1.17-pre", OF_1_17, None, [POSTED, SUMMED]),
        ("1.17-pre", OF_1_17, "1.17.0", [SUMMED]),
        ("1.17-pre", OF_1_17, "", [SUMMED]),
        ("1.17-pre", OF_1_17, "1.9.1", ["GET /workspaces/current", POSTED, SUMMED]),
    ],
)
async def test_the_current_workspace(
    captured: str, routes: dict[str, str], version: str | None, asked: list[str]
) -> None:
    """Builds of 1.17 reported 1.16.1, so the client falls back to another route, also after an upgrade."""
    replay = Replay(captured, routes, version)
    async with serving(replay) as dify:
        workspace = await dify.current_workspace()
    (name,) = routes.values()
    assert workspace.id == msgspec.json.decode(capture(f"{captured}/{name}").body)["id"]
    assert (workspace.name, workspace.role) == ("Olivia Chen's Workspace", "owner")
    assert replay.requests == asked


async def test_an_archived_workspace_is_a_conflict() -> None:
    archived = {SUMMED: "11_admin_key_archived_workspace_summary"}
    async with serving(Replay("1.17-pre", archived, "1.17.0")) as dify:
        with pytest.raises(DifyConflictError) as refused:
            await dify.current_workspace()
    assert refused.value.code == "current_workspace_archived"


PATCHED = "PATCH /account/profile"


async def test_the_time_zone_is_a_patch_where_the_post_is_gone() -> None:
    replay = Replay("1.17-pre", {PATCHED: "07_account_profile_patch_timezone_ok"})
    async with serving(replay) as dify:
        assert (await dify.set_timezone("Europe/Berlin")).timezone == "Europe/Berlin"
    assert replay.requests == ["POST /account/timezone", PATCHED]


@pytest.mark.parametrize("name", ["07_account_timezone_set_utc", "07_account_timezone_unknown"])
async def test_a_time_zone_is_sent_once_where_the_post_is_there(name: str) -> None:
    replay = Replay("1.17-pre", {"POST /account/timezone": name, PATCHED: "07_account_profile_patch_no_body"})
    async with serving(replay) as dify:
        if name.endswith("unknown"):
            with pytest.raises(DifyValidationError, match="timezone: Mars/Olympus is not a valid timezone"):
                await dify.set_timezone("Mars/Olympus")
        else:
            assert (await dify.set_timezone("UTC")).timezone == "UTC"
    assert replay.requests == ["POST /account/timezone"]


APART = f"tag_ids={A}&tag_ids={B}&tag_ids%5B0%5D={A}&tag_ids%5B1%5D={B}"


@pytest.mark.parametrize(
    ("version", "query"),
    [
        ("1.11.2", f"tag_ids={A}%2C{B}"),
        ("1.14.0", f"tag_ids={A}%2C{B}"),
        ("1.14.1", APART),
        ("1.15.0", APART),
        ("1.16.1", APART),
        ("1.17.0", APART),
        ("", APART),
    ],
)
async def test_tags_as_each_version_reads_them(version: str, query: str) -> None:
    """1.16 answers a comma-separated list with 400 [1.16.1/04_apps_list_tag_ids_comma_and_bracket_same_tags].

    Repeated and in brackets, all read them [1.16.1/04_apps_list_tag_ids_repeated_two_and_bracket_two,
    1.15.0/04_apps_list_tag_ids_bracket_and_plain].
    """
    replay = Replay("1.16.1", {"GET /apps": "04_apps_list_tag_ids_repeated_two"}, version)
    async with serving(replay) as dify:
        for apps in (await dify.apps(tag_ids=[A, B]), (await dify.apps_page(tag_ids=[A, B])).data):
            assert [app.name for app in apps] == ["Support Chat"]
        assert [app.name async for app in dify.iter_apps(tag_ids=iter([A, B]))] == ["Support Chat"]
    sent = [request for request in replay.requests if "mode=agent" not in request]
    assert all(f"?{query}&page=1" in request for request in sent), sent
    assert len(sent) == 3
    # The apps of mode "agent" are listed apart, with the same filters.
    of_agents = [request for request in replay.requests if "mode=agent" in request]
    assert all(f"&{query}&page=1" in request for request in of_agents), of_agents
    assert len(of_agents) == (0 if version.startswith(("1.11", "1.14")) else 2)


@pytest.mark.parametrize("version", ["1.15.0", "1.16.1", "1.17.0", ""])
async def test_creators_as_each_version_reads_them(version: str) -> None:
    """From 1.16, names with brackets are ignored [1.16.1/04_apps_list_creator_ids_bracket_unknown]."""
    replay = Replay("1.16.1", {"GET /apps": "04_apps_list_creator_ids_repeated_unknown"}, version)
    async with serving(replay) as dify:
        assert await dify.apps(creator_ids=[A, B]) == []
    assert len(replay.requests) == 2
    assert all(APART.replace("tag_ids", "creator_ids") in request for request in replay.requests)


@pytest.mark.parametrize("version", VERSIONS)
async def test_definitions_are_asked_for_as_yaml(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    """Without format, 1.17.1 and older answer YAML, newer a ZIP [1.16.1/08_app_export_format_bogus]."""
    assert "kind: app" in await dify.export_app(an_app(fake))
    assert fake.requests[-1].query == "format=yaml&include_secret=false"


async def test_an_import_of_an_older_format_has_warnings() -> None:
    replay = Replay("1.16.1", {"POST /apps/imports": "08_app_import_older_dsl_version_warnings"})
    async with serving(replay) as dify:
        done = await dify.import_app("kind: app\nversion: 0.1.2\n")
    assert (done.status, done.warnings) == ("completed-with-warnings", [])
    assert (done.imported_dsl_version, done.current_dsl_version) == ("0.1.2", "0.7.0")


async def test_a_role_that_cannot_be_given() -> None:
    """The code was invalid-role up to 1.15."""
    route = "POST /workspaces/current/members/invite-email"
    async with serving(Replay("1.16.1", {route: "08_member_invite_bad_role"})) as dify:
        with pytest.raises(DifyValidationError) as refused:
            await dify.invite_members(["x@example.com"], "king")
    assert refused.value.code == "invalid_role"


async def test_an_agent_that_was_never_published() -> None:
    captured = {
        f"POST /apps/{A}/api-keys": "05_app_api_keys_create_agent_app_not_published",
        f"POST /apps/{A}/api-enable": "05_app_api_enable_agent_app_not_published",
        f"POST /apps/{A}/site-enable": "05_app_site_enable_agent_app_not_published",
    }
    async with serving(Replay("1.17-pre", captured)) as dify:
        for call in (dify.init_app_api_key(A), dify.enable_app_api(A, True), dify.enable_app_site(A, True)):
            with pytest.raises(DifyConflictError) as refused:
                await call
            assert refused.value.code == "agent_not_published"


async def test_the_documents_of_no_knowledge_base() -> None:
    """An empty list up to 1.16 [1.16.1/08_dataset_indexing_status_unknown]."""
    route = f"GET /datasets/{A}/indexing-status"
    async with serving(Replay("1.16.1", {route: "08_dataset_indexing_status_unknown"})) as dify:
        assert await dify.dataset_indexing_status(A) == []
    async with serving(Replay("1.17-pre", {route: "08_dataset_indexing_status_unknown"})) as dify:
        with pytest.raises(DifyNotFoundError):
            await dify.dataset_indexing_status(A)


@pytest.mark.parametrize("captured", ["1.16.1", "1.17-pre"])
async def test_a_sign_in_of_a_bad_form_is_sent_once(captured: str) -> None:
    """1.16.1 answers 400 and 1.17 answers 422; both are rejections that echo the email."""
    sent = []

    class Counting(Replay):
        async def answer(self, request: web.BaseRequest) -> web.Response:
            sent.append(request.path)
            return await super().answer(request)

    replay = Counting(captured, {"POST /login": "01_login_malformed_email"})
    async with serving(replay) as dify:
        for _ in range(3):
            with pytest.raises(DifyLoginError) as refused:
                await dify.profile()
    assert sent.count("/console/api/login") == 1
    assert refused.value.status == capture(f"{captured}/01_login_malformed_email").status
    assert "not-an-email" not in str(refused.value) + repr(vars(refused.value))


async def test_a_validation_error_is_readable() -> None:
    async with serving(Replay("1.17-pre", {"POST /apps": "08_apps_create_err_bad_mode"})) as dify:
        with pytest.raises(DifyStatusError) as refused:
            await dify.create_app("x", "agent")
    assert type(refused.value) is DifyValidationError
    assert refused.value.code == "unprocessable_entity"
    assert refused.value.message == (
        "mode: must be one of 'chat', 'agent-chat', 'advanced-chat', 'workflow' or 'completion'"
    )
