"""The list of apps and one app, by version."""

import aiohttp
import pytest

from dify_async.testing import FakeApp, FakeDifyServer, FakeTag
from tests.support import UNKNOWN

from .user import User, release

ROW = {
    *("id", "name", "max_active_requests", "description", "mode", "icon_type", "icon", "icon_background"),
    *("icon_url", "model_config", "workflow", "use_icon_as_answer_icon", "created_by", "created_at"),
    *("updated_by", "updated_at", "tags"),
}
AUTHORS = {"access_mode", "create_user_name", "author_name"}
PERMISSIONS = {"permission_keys", "bound_agent_id", "app_id", "is_starred", "maintainer"}
DETAIL = {
    *("id", "name", "description", "mode", "icon_type", "icon", "icon_background", "icon_url"),
    *("enable_site", "enable_api", "model_config", "workflow", "site", "api_base_url"),
    *("use_icon_as_answer_icon", "created_by", "created_at", "updated_by", "updated_at", "deleted_tools"),
}


async def test_keys_of_a_row(user: User, version: str) -> None:
    # apps_list__no_parameters, 04_apps_list_default
    keys = set(ROW)
    if release(version) >= (1, 4, 1):
        keys |= AUTHORS
    if release(version) >= (1, 10, 0):
        keys |= {"has_draft_trigger"}
    if release(version) >= (1, 15, 0):
        keys |= PERMISSIONS
    body = (await user.get("/apps")).json
    assert set(body) == {"page", "limit", "total", "has_more", "data"}
    assert (body["page"], body["limit"], body["total"], body["has_more"]) == (1, 20, 12, False)
    for row in body["data"]:
        assert set(row) == keys
        is_graph = row["mode"] in ("workflow", "advanced-chat")
        assert (row["model_config"] is None) == is_graph
        if row["model_config"]:
            assert set(row["model_config"]["model"]) == {"provider", "name", "mode", "completion_params"}
        if row["workflow"]:
            assert is_graph
            assert row["workflow"]["updated_by"] is None
        for tag in row["tags"]:
            assert set(tag) == {"id", "name", "type"}
    assert {row["mode"] for row in body["data"]} == {
        *("chat", "agent-chat", "advanced-chat", "workflow", "completion")
    }


async def test_keys_of_the_detail(user: User, version: str) -> None:
    # app_get__chat, 04_app_detail_chat
    keys = set(DETAIL)
    if release(version) >= (1, 7, 0):
        keys |= {"max_active_requests", "access_mode", "tags"}
    if release(version) >= (1, 15, 0):
        keys |= PERMISSIONS - {"is_starred"} | {"tracing"}
    for app in user.fake.apps:
        body = (await user.get(f"/apps/{app.id.upper()}")).json
        assert set(body) == keys
        assert (body["id"], body["name"], body["mode"]) == (app.id, app.name, app.mode)
        assert body["api_base_url"] == f"{user.fake.base_url}/v1"
        assert len(body["site"]) == (25 if release(version) >= (1, 16, 0) else 24)


async def test_unknown_app(user: User) -> None:
    # app_get__unknown_uuid, 04_app_detail_unknown_uuid
    answer = await user.get(f"/apps/{UNKNOWN}")
    assert answer.json == {"code": "app_not_found", "message": "App not found.", "status": 404}


async def test_pages(user: User) -> None:
    # apps_list__page2_limit5, apps_list__page_beyond_end
    names = []
    for page in (1, 2, 3):
        body = (await user.get("/apps", page=str(page), limit="5")).json
        names += [row["name"] for row in body["data"]]
        assert (body["page"], body["limit"], body["total"], body["has_more"]) == (page, 5, 12, page < 3)
    assert names == [app.name for app in reversed(user.fake.apps)]
    beyond = (await user.get("/apps", page="99999", limit="100")).json
    assert (beyond["data"], beyond["total"], beyond["has_more"]) == ([], 12, False)


@pytest.mark.parametrize(
    ("version", "mode", "found"),
    [
        ("0.15.3", "chat", {"chat", "advanced-chat"}),
        ("0.15.3", "workflow", {"workflow", "completion"}),
        ("0.15.3", "completion", None),
        ("0.15.3", "channel", set()),
        ("1.9.1", "chat", {"chat"}),
        ("1.9.1", "completion", {"completion"}),
        ("1.9.1", "channel", {"chat", "advanced-chat", "agent-chat", "workflow", "completion"}),
        ("1.9.1", "", None),
        ("1.11.2", "CHAT", None),
        ("1.11.2", "agent", None),
        ("1.11.2", "all", {"chat", "advanced-chat", "agent-chat", "workflow", "completion"}),
        ("1.15.0", "all", {"chat", "advanced-chat", "agent-chat", "workflow", "completion"}),
        ("1.15.0", "agent", {"agent"}),
        ("1.15.0", "channel", {"chat", "advanced-chat", "agent-chat", "workflow", "completion", "agent"}),
    ],
    indirect=["version"],
)
async def test_modes(user: User, version: str, mode: str, found: set[str] | None) -> None:
    # apps_list__mode_*, 04_apps_list_mode_*
    if version == "1.15.0":
        user.fake.add_app("An agent", "agent")
    answer = await user.get("/apps", mode=mode)
    if found is None:
        assert answer.status == 400
    else:
        assert {row["mode"] for row in answer.json["data"]} == found


async def test_names(user: User, version: str) -> None:
    # apps_list__name_upper_case, 04_apps_list_name_percent_is_wildcard, ..._longer_than_30_truncated
    async def named(name: str) -> list[str]:
        return [row["name"] for row in (await user.get("/apps", name=name)).json["data"]]

    assert await named("TRAVEL") == ["Travel agent"]
    assert await named("zzz") == []
    assert len(await named("")) == 12
    wild = release(version) < (1, 11, 4)
    assert len(await named("%")) == (12 if wild else 0)
    assert await named("trav_l%nt") == (["Travel agent"] if wild else [])
    user.fake.add_app("n" * 30, "chat")
    assert await named("n" * 60) == ["n" * 30]


async def test_created_by_me(user: User, version: str) -> None:
    # apps_list__created_by_me_*, 04_apps_list_is_created_by_me_*
    assert (await user.get("/apps", is_created_by_me="true")).json["total"] == 12
    assert (await user.get("/apps", is_created_by_me="maybe")).status == 400
    by_pydantic = release(version) >= (1, 11, 0)
    assert (await user.get("/apps", is_created_by_me="yes")).status == (200 if by_pydantic else 400)
    assert (await user.get("/apps", is_created_by_me="")).status == (400 if by_pydantic else 200)
    user.fake.add_account("guest@example.com", "Guest-Pass-42")
    await user.log_in("guest@example.com", "Guest-Pass-42")
    assert (await user.get("/apps", is_created_by_me="1")).json["total"] == 0
    assert (await user.get("/apps", is_created_by_me="0")).json["total"] == 12


@pytest.mark.parametrize("version", ["0.15.3", "1.11.2", "1.14.1", "1.15.0"])
async def test_tags(version: str, session: aiohttp.ClientSession) -> None:
    # apps_list__tag_ids_*, 04_apps_list_tag_ids_*
    red, blue = FakeTag("red"), FakeTag("blue")
    apps = [
        FakeApp(name=name, mode="chat", tags=tags)
        for name, tags in {"both": [red, blue], "red": [red], "none": []}.items()
    ]
    async with FakeDifyServer(version, apps=apps) as fake:
        user = User(fake, session)
        await user.log_in()

        async def tagged(**query: str) -> str | int:
            answer = await user.get("/apps", **query)
            return (
                "+".join(row["name"] for row in answer.json["data"])
                if answer.status == 200
                else answer.status
            )

        plain = {"tag_ids": f"{red.id},{blue.id}"}
        indexed = {"tag_ids[0]": red.id, "tag_ids[1]": blue.id}
        new = release(version) >= (1, 14, 1)
        wanted = "both" if version == "1.15.0" else "red+both"
        assert await tagged(**plain) == (400 if new else wanted)
        assert await tagged(**indexed) == (wanted if new else "none+red+both")
        assert await tagged(**plain, **indexed) == wanted
        assert await tagged(tag_ids="") == "none+red+both"
        assert await tagged(tag_ids="abc") == 400
        if new:
            assert await tagged(**{"tag_ids[0]": f"{red.id},{blue.id}"}) == 400
            assert await tagged(**{"tag_ids[]": red.id}) == "none+red+both"
        else:
            body = (await user.get("/apps", tag_ids=UNKNOWN, page="3", limit="7")).json
            assert body == {"page": 1, "limit": 20, "total": 0, "has_more": False, "data": []}


@pytest.mark.parametrize("version", ["1.15.0", "1.16.1", "1.17.0"])
async def test_repeated_ids(version: str, session: aiohttp.ClientSession) -> None:
    # 1.16.1/04_apps_list_tag_ids_*, 04_apps_list_creator_ids_*: brackets are passed over since 1.16
    red, blue = FakeTag("red"), FakeTag("blue")
    apps = [FakeApp(name=str(len(tags)), mode="chat", tags=tags) for tags in ([red, blue], [red], [])]
    async with FakeDifyServer(version, apps=apps) as fake:
        user = User(fake, session)
        await user.log_in()
        owner = (await user.get("/account/profile")).json["id"]

        async def found(query: str) -> str | int:
            answer = await user.get(f"/apps?{query}")
            names = [row["name"] for row in answer.json["data"]] if answer.status == 200 else []
            return "".join(sorted(names)) if answer.status == 200 else answer.status

        new = release(version) >= (1, 16, 0)
        repeated = f"tag_ids={red.id}&tag_ids={blue.id}"
        brackets = f"tag_ids[0]={red.id}&tag_ids[1]={blue.id}"
        assert await found(repeated) == ("2" if new else 400)
        assert await found(brackets) == ("012" if new else "2")
        assert await found(f"{repeated}&{brackets}") == "2"
        assert await found(f"tag_ids={red.id},{blue.id}&{brackets}") == (400 if new else "2")
        if new:
            assert await found(f"tag_ids=&tag_ids={red.id}") == "12"
        assert await found("creator_ids[0]=abc") == ("012" if new else 400)
        assert await found(f"creator_ids[0]={UNKNOWN}") == ("012" if new else "")
        assert await found(f"creator_ids={UNKNOWN}") == ("" if new else 400)
        assert await found(f"creator_ids={UNKNOWN}&creator_ids={owner}") == ("012" if new else 400)
        assert await found(f"creator_ids={owner},{owner}") == 400


@pytest.mark.parametrize(("version", "status"), [("1.16.1", 415), ("1.17.0", 201)], indirect=["version"])
async def test_a_copy_without_a_body(user: User, status: int) -> None:
    # 08_app_copy_no_body; the name is the same, 08_app_copy_name_empty
    app = user.fake.apps[0]
    assert (await user.ask("POST", f"/apps/{app.id}/copy")).status == status
    copy = await user.ask("POST", f"/apps/{app.id}/copy", content={"name": ""})
    assert (copy.status, copy.json["name"]) == (201, app.name)


@pytest.mark.parametrize(("version", "status"), [("1.16.1", 200), ("1.17.0", 409)], indirect=["version"])
async def test_an_agent_that_is_not_published(user: User, status: int) -> None:
    # 05_*_agent_app_not_published
    agent = user.fake.add_app("An agent", "agent")
    for path, content in (
        ("api-enable", {"enable_api": True}),
        ("site-enable", {"enable_site": True}),
        ("api-keys", {}),
    ):
        answer = await user.ask("POST", f"/apps/{agent.id}/{path}", content=content)
        assert answer.status == (201 if (path, status) == ("api-keys", 200) else status)
        if status == 409:
            assert answer.json["code"] == "agent_not_published"
    off = await user.ask("POST", f"/apps/{agent.id}/api-enable", content={"enable_api": False})
    assert (off.status, off.json["model_config"]["model"]) == (200, {})
    agent.published_at = 1
    on = await user.ask("POST", f"/apps/{agent.id}/api-enable", content={"enable_api": True})
    assert on.status == 200


@pytest.mark.parametrize("version", ["1.11.2", "1.15.0"], indirect=True)
async def test_order(user: User, version: str) -> None:
    # 04_apps_list_sort_by_after_touch_*
    oldest, newest = user.fake.apps[0], user.fake.apps[-1]
    oldest.updated_at = newest.updated_at + 1

    async def first(**query: str) -> str:
        return str((await user.get("/apps", **query)).json["data"][0]["name"])

    sorts = version == "1.15.0"
    assert await first() == (oldest.name if sorts else newest.name)
    assert await first(sort_by="recently_created") == newest.name
    assert await first(sort_by="earliest_created") == (oldest.name if sorts else newest.name)
    assert (await user.get("/apps", sort_by="name")).status == (400 if sorts else 200)


async def test_description_falls_back_to_the_prompt(user: User, version: str) -> None:
    prompted = user.fake.add_app("A", "chat", pre_prompt="Be kind.")
    user.fake.add_app("B", "chat")
    rows = {row["name"]: row["description"] for row in (await user.get("/apps")).json["data"]}
    assert rows["A"] == "Be kind."
    assert rows["B"] == ("" if release(version) >= (1, 11, 0) else None)
    assert (await user.get(f"/apps/{prompted.id}")).json["description"] == ""


def test_a_mode_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="chatty"):
        FakeDifyServer().add_app("A", "chatty")
