"""What the server says about itself and about who signed in."""

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer

from .user import User, release


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
    assert (await user.get("/version", current_version="0.1.0")).json["version"] == "0.1.0"
    missing = await user.get("/version")
    if version == "1.15.0":
        text = "Validation error for parameter 'query'"
        fault = {"type": "validation_error", "message": text, "status": 422, "details": text}
        assert (missing.status, missing.json) == (422, {"error": fault})
    else:
        assert missing.status == 400


@pytest.mark.parametrize(("version", "keys"), [("0.15.3", 12), ("1.9.1", 16), ("1.11.2", 16), ("1.15.0", 23)])
async def test_system_features(version: str, keys: int, session: aiohttp.ClientSession) -> None:
    # 0.15.3/system_features__ok, 1.15.0/00_system_features_anonymous
    async with FakeDifyServer(version) as fake:
        features = (await User(fake, session).get("/system-features")).json
        assert len(features) == keys
        assert features["enable_email_password_login"] is True
        assert features["license"]["status"] == "none"


async def test_features(user: User, version: str) -> None:
    # 1.9.1/features__ok, 08_features
    features = (await user.get("/features")).json
    assert features["billing"] == {"enabled": False, "subscription": {"plan": "sandbox", "interval": ""}}
    assert ("api_rate_limit" in features) == (release(version) >= (1, 11, 0))
    assert ("vector_space" in features) == (version != "1.15.0")


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
    assert set(rows[0]) == keys | ({"last_opened_at"} if version == "1.15.0" else set())
    assert (rows[0]["id"], rows[0]["current"]) == (user.fake.workspace_id, True)
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
    assert set(answer.json) == keys | (credit if version == "1.15.0" else set())
    assert (await user.ask("GET" if posted else "POST", "/workspaces/current")).status == 405
