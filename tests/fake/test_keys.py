"""API keys of apps and of knowledge bases."""

import re

import aiohttp
import pytest

from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN

from .user import User, release


@pytest.fixture(params=["app", "dataset"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(user: User, kind: str) -> str:
    return f"/apps/{user.fake.apps[0].id}/api-keys" if kind == "app" else "/datasets/api-keys"


async def test_life_of_a_key(user: User, kind: str, path: str) -> None:
    # app_api_keys_create__ok, dataset_api_keys_create__ok, ..._delete__ok, ..._delete__again
    assert (await user.get(path)).json == {"data": []}
    made = await user.ask("POST", path)
    assert made.status == (201 if kind == "app" else 200)
    assert set(made.json) == {"id", "type", "token", "last_used_at", "created_at"}
    assert (made.json["type"], made.json["last_used_at"]) == (kind, None)
    assert re.fullmatch(f"{kind}-[0-9A-Za-z]{{24}}", made.json["token"])
    second = await user.ask("POST", path, content={})
    assert (await user.get(path)).json == {"data": [made.json, second.json]}
    gone = await user.ask("DELETE", f"{path}/{made.json['id']}")
    assert (gone.status, gone.text, gone.headers["Content-Type"]) == (204, "", "application/json")
    assert (await user.ask("DELETE", f"{path}/{made.json['id']}")).status == 404
    assert (await user.get(path)).json == {"data": [second.json]}


async def test_a_key_of_another_app(user: User) -> None:
    # app_api_keys_delete__of_other_app
    mine, other = (app.id for app in user.fake.apps[:2])
    made = await user.ask("POST", f"/apps/{mine}/api-keys")
    answer = await user.ask("DELETE", f"/apps/{other}/api-keys/{made.json['id']}")
    assert answer.status == 404


@pytest.mark.parametrize(
    ("version", "app_cap", "dataset_cap"),
    [
        ("0.15.3", "code", "code"),  # rule 14 of the bearer era
        ("1.8.0", 500, 500),
        ("1.9.1", "custom", 500),  # dataset_api_keys_create__past_the_cap
        ("1.11.2", "custom", 500),  # 05_app_api_keys_create_11_past_cap
        ("1.15.0", "custom", "custom"),  # 05_dataset_api_keys_create_11_past_cap
    ],
    indirect=["version"],
)
async def test_cap(user: User, kind: str, path: str, app_cap: str | int, dataset_cap: str | int) -> None:
    for _ in range(10):
        await user.ask("POST", path)
    answer = await user.ask("POST", path)
    cap = app_cap if kind == "app" else dataset_cap
    if cap == 500:
        body: dict[str, object] = {"message": "Internal Server Error", "code": "unknown", "status": 500}
    else:
        message = "Cannot create more than 10 API keys for this resource type."
        body = {str(cap): "max_keys_exceeded", "message": message}
    assert (answer.status, answer.json) == (500 if cap == 500 else 400, body)
    assert len((await user.get(path)).json["data"]) == 10


async def test_unknown_keys_and_apps(user: User, version: str, kind: str, path: str) -> None:
    # app_api_keys_delete__unknown, dataset_api_keys_delete__unknown, app_api_keys_list__unknown_app
    code = {"code": "unknown"} if version == "0.15.3" else {}
    key = await user.ask("DELETE", f"{path}/{UNKNOWN}")
    if kind == "app" or version == "0.15.3":
        assert (key.status, key.json) == (404, {"message": "API key not found", **code})
    else:
        asked = f"/console/api/datasets/api-keys/{UNKNOWN}"
        assert key.json["message"].startswith(
            f"API key not found. You have requested this URI [{asked}] but did you mean "
            "/console/api/datasets/api-keys/<uuid:"
        )
    app = await user.get(f"/apps/{UNKNOWN}/api-keys")
    suggestion = (
        f" You have requested this URI [/console/api/apps/{UNKNOWN}/api-keys]"
        " but did you mean /console/api/apps/<uuid:app_id>/api-keys ?"
    )
    message = "App not found." + ("" if version == "0.15.3" else suggestion)
    assert app.json == {"message": message, **code}
    assert (await user.ask("DELETE", f"{path}/abc")).headers["Content-Type"].startswith("text/html")
    assert (await user.get(f"{path}/{UNKNOWN}")).status == 405


@pytest.mark.parametrize("version", ["1.15.0", "1.16.1", "1.17.0"], indirect=True)
@pytest.mark.parametrize("role", ["admin", "editor", "normal", "dataset_operator"])
async def test_roles(user: User, version: str, role: str, kind: str, path: str) -> None:
    # 10_role_*_api_keys_list, 10_role_*_api_key_create, 10_role_*_api_key_delete
    made = await user.ask("POST", path)
    account = user.fake.add_account("guest@example.com", "Guest-Pass-42")
    account.role = role
    await user.log_in("guest@example.com", "Guest-Pass-42")
    edits = role == "admin" or (role == "editor" and kind == "app")
    sees = edits or release(version) < (1, 17, 0)
    assert (await user.get(path)).status == (200 if sees else 403)
    created = 201 if kind == "app" else 200
    assert (await user.ask("POST", path)).status == (created if edits else 403)
    gone = await user.ask("DELETE", f"{path}/{made.json['id']}")
    assert gone.status == (204 if role == "admin" else 403)


async def test_masked_keys(session: aiohttp.ClientSession) -> None:
    """Dify PR 42168: only the answer to a POST has the whole key."""
    async with FakeDifyServer("1.17.0", masks_keys=True) as fake:
        user = User(fake, session)
        await user.log_in()
        for path, kind in ((f"/apps/{fake.apps[0].id}/api-keys", "app-"), ("/datasets/api-keys", "datas")):
            token = (await user.ask("POST", path)).json["token"]
            assert re.fullmatch(r"(app|dataset)-[0-9A-Za-z]{24}", token)
            assert token.startswith(kind)
            (row,) = (await user.get(path)).json["data"]
            assert row["token"] == f"{token[:5]}...{token[-4:]}"


@pytest.mark.parametrize("version", ["1.17.0"], indirect=True)
async def test_knowledge_bases_of_a_key_are_ignored(user: User) -> None:
    # 05_dataset_api_keys_create_dataset_ids_*
    made = await user.ask("POST", "/datasets/api-keys", content={"dataset_ids": ["abc"]})
    assert (made.status, "dataset_ids" in made.json) == (200, False)
