"""What the server says about itself and about who signed in."""

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer

from .user import VERSIONS, User, fault, release


async def test_version_headers(user: User, version: str) -> None:
    for path in ("/ping", "/nope", "/apps?limit=0", "/account/profile"):
        answer = await user.get(path)
        assert (answer.headers["X-Version"], answer.headers["X-Env"]) == (version, "PRODUCTION")


async def test_hidden_version(session: aiohttp.ClientSession) -> None:
    async with FakeDifyServer(hide_version=True) as fake:
        answer = await User(fake, session).get("/ping")
        assert not {"X-Version", "X-Env"} & answer.headers.keys()


async def test_version_route_echoes(user: User, version: str) -> None:
    # 1.9.1/version__old, 1.9.1/version__missing_parameter, 1.15.0/00_version_without_query
    told = (await user.get("/version", current_version="0.1.0")).json
    assert told["version"] == "0.1.0"
    assert set(told) == {"version", "release_notes"} | (
        {"release_date", "can_auto_update", "features"} if release(version) < (1, 17, 0) else set()
    )
    missing = await user.get("/version")
    if release(version) >= (1, 15, 0):
        text = "Validation error for parameter 'query'"
        fault = {"type": "validation_error", "message": text, "status": 422, "details": text}
        assert (missing.status, missing.json) == (422, {"error": fault})
    else:
        assert missing.status == 400


@pytest.mark.parametrize(
    ("version", "keys"),
    [("0.15.3", 12), ("1.9.1", 16), ("1.11.2", 16), ("1.15.0", 23), ("1.16.1", 22), ("1.17.0", 22)],
)
async def test_system_features(version: str, keys: int, session: aiohttp.ClientSession) -> None:
    # 0.15.3/system_features__ok, 1.15.0/00_system_features_anonymous
    async with FakeDifyServer(version) as fake:
        features = (await User(fake, session).get("/system-features")).json
        assert len(features) == keys
        assert features["enable_email_password_login"] is True
        assert features["license"]["status"] == "none"
        protocol = None if version == "1.17.0" else ""
        assert features["sso_enforced_for_signin_protocol"] == protocol


async def test_features(user: User, version: str) -> None:
    # 1.9.1/features__ok, 08_features
    features = (await user.get("/features")).json
    assert features["billing"] == {"enabled": False, "subscription": {"plan": "sandbox", "interval": ""}}
    assert ("api_rate_limit" in features) == (release(version) >= (1, 11, 0))
    assert ("vector_space" in features) == (release(version) < (1, 15, 0))


async def test_profile_and_timezone(user: User, version: str) -> None:
    # 08_account_profile_default_timezone, 07_account_timezone_set_asia_shanghai, ..._unknown, ..._missing
    profile = (await user.get("/account/profile")).json
    assert set(profile) == {
        *("id", "name", "avatar", "avatar_url", "email", "is_password_set", "interface_language"),
        *("interface_theme", "timezone", "last_login_at", "last_login_ip", "created_at"),
    }
    assert profile["timezone"] == user.fake.timezone == "America/New_York"
    answer = await user.ask("POST", "/account/timezone", content={"timezone": "Asia/Shanghai"})
    assert answer.json == {**profile, "timezone": "Asia/Shanghai"}
    assert user.fake.timezone == "Asia/Shanghai"
    for content in ({"timezone": "utc"}, {"timezone": ["UTC"]}, {}):
        answer = await user.ask("POST", "/account/timezone", content=content)
        assert answer.status == 400
        if content == {}:
            assert ("code" in answer.json) == (version not in ("1.9.1", "1.10.1"))
        else:
            assert answer.json["code"] == "invalid_param"


async def test_workspaces(user: User, version: str) -> None:
    # 08_workspaces_list, 08_workspace_current_post, 1.9.1/workspaces_current__get_normal
    rows = (await user.get("/workspaces")).json["workspaces"]
    keys = {"id", "name", "plan", "status", "created_at", "current"}
    assert set(rows[0]) == keys | ({"last_opened_at"} if release(version) >= (1, 15, 0) else set())
    assert (rows[0]["id"], rows[0]["current"]) == (user.fake.workspace_id, True)


@pytest.mark.parametrize("version", VERSIONS[:-1], indirect=True)
async def test_current_workspace(user: User, version: str) -> None:
    posted = release(version) >= (1, 10, 1)
    answer = await user.ask("POST" if posted else "GET", "/workspaces/current")
    keys = {
        "id",
        "name",
        "plan",
        "status",
        "created_at",
        "role",
        "in_trial",
        "trial_end_reason",
        "custom_config",
    }
    credit = {"trial_credits", "trial_credits_used", "next_credit_reset_date"}
    if release(version) >= (1, 16, 0):
        credit |= {"trial_credits_exhausted_at"}
    assert set(answer.json) == keys | (credit if release(version) >= (1, 15, 0) else set())
    assert (answer.json["plan"] is None) == (release(version) >= (1, 16, 0))
    assert (await user.ask("GET" if posted else "POST", "/workspaces/current")).status == 405
    assert (await user.get("/workspaces/current/summary")).status == 404


@pytest.mark.parametrize("version", ["1.17.0"], indirect=True)
async def test_summary_of_the_current_workspace(user: User) -> None:
    # 1.17-pre/08_workspace_current_post, 08_info_deprecated_post, 08_workspace_current_summary_*
    for method, path in (("GET", "/workspaces/current"), ("POST", "/workspaces/current"), ("POST", "/info")):
        gone = await user.ask(method, path, content={} if method == "POST" else None)
        assert (gone.status, gone.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    other = user.fake.add_workspace("Other")
    for workspace_id in (user.fake.workspace_id, other):
        await user.ask("POST", "/workspaces/switch", content={"tenant_id": workspace_id})
        summary = (await user.get("/workspaces/current/summary")).json
        assert set(summary) == {"id", "name", "role", "plan", "credits"}
        assert (summary["id"], summary["role"]) == (workspace_id, "owner")
    no_csrf = {"Cookie": user.headers["Cookie"]}
    assert (await user.ask("GET", "/workspaces/current/summary", headers=no_csrf)).status == 401


@pytest.mark.parametrize("version", ["1.16.1", "1.17.0"], indirect=True)
async def test_patching_the_profile(user: User, version: str) -> None:
    # 1.17-pre/07_account_profile_patch_*
    async def patched(content: object) -> int:
        return (await user.ask("PATCH", "/account/profile", content=content)).status

    if version == "1.16.1":
        assert await patched({}) == 405
        return
    assert await patched({}) == 200
    assert (await user.ask("PATCH", "/account/profile")).status == 200
    changes = {"timezone": "Asia/Shanghai", "interface_theme": "dark"}
    assert await patched(changes) == 200
    assert (await user.get("/account/profile")).json.items() >= changes.items()
    assert user.fake.timezone == "Asia/Shanghai"
    for wrong in (
        {"bogus": 1},
        {"timezone": None},
        {"timezone": "Mars/Olympus"},
        {"interface_language": "xx-XX"},
        {"name": "ab"},
    ):
        assert await patched(wrong) == 422
    assert user.fake.timezone == "Asia/Shanghai"


@pytest.mark.parametrize("version", ["1.15.0", "1.16.1", "1.17.0"], indirect=True)
async def test_invitations(user: User, version: str) -> None:
    # 08_member_invite_bad_role, 08_member_invite_empty_list
    path, new = "/workspaces/current/members/invite-email", version != "1.15.0"
    bad = await user.ask("POST", path, content={"emails": ["x@example.com"], "role": "king"})
    assert (bad.status, bad.json["code"]) == (400, "invalid_role" if new else "invalid-role")
    empty = await user.ask("POST", path, content={"emails": [], "role": "editor"})
    assert empty.status == (400 if new else 201)


@pytest.mark.parametrize("version", ["1.15.0", "1.16.1", "1.17.0"], indirect=True)
async def test_documents_of_knowledge_bases(user: User, version: str) -> None:
    # 08_dataset_indexing_status_unknown, 08_dataset_retry_not_uuid, ..._not_list, ..._missing_field
    new = version == "1.17.0"
    unknown = await user.get("/datasets/00000000-0000-4000-8000-000000000000/indexing-status")
    assert unknown.status == (404 if new else 200)
    path = f"/datasets/{user.fake._state.datasets[1].id}"
    row = (await user.get(f"{path}/indexing-status")).json["data"][0]
    assert ("error_code" in row) == new
    assert "error_code" not in (await user.get(f"{path}/error-docs")).json["data"][0]
    for content, status in (
        ({}, fault(version)),
        ({"document_ids": "abc"}, fault(version)),
        ({"document_ids": ["abc"]}, 500 if new else 204),
        ({"document_ids": []}, 204),
    ):
        assert (await user.ask("POST", f"{path}/retry", content=content)).status == status


@pytest.mark.parametrize("version", ["1.15.0", "1.16.1", "1.17.0"], indirect=True)
async def test_an_annotation(user: User, version: str) -> None:
    # 06_annotation_create_from_message
    content = {"question": "Where is my order?", "answer": "Orders ship in 2 days."}
    answer = await user.ask("POST", f"/apps/{user.fake.apps[0].id}/annotations", content=content)
    assert answer.status == (200 if version == "1.15.0" else 201)
    assert answer.json.items() >= content.items()
