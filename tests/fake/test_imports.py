"""Definitions of apps go out and come in."""

import io
import json
import zipfile

import aiohttp
import msgspec
import pytest

from dify_async.testing import FakeDifyServer
from dify_async.testing._console.models import workflow_id
from tests.captures import captures

from .user import Answer, User, release

CRLF, CR, MARK = "\r\n", "\r", "\ufeff"


async def definition(user: User, mode: str = "workflow") -> str:
    app = next(app for app in user.fake.apps if app.mode == mode)
    return str((await user.get(f"/apps/{app.id}/export", format="yaml")).json["data"])


async def imported(user: User, text: str, **fields: str) -> Answer:
    content = {"mode": "yaml-content", "yaml_content": text, **fields}
    return await user.ask("POST", "/apps/imports", content=content)


async def test_a_file_of_an_editor_on_windows(user: User, subtests: pytest.Subtests) -> None:
    """Real servers read both, as YAML requires (the mark: difyctl's changelog)."""
    app = next(app for app in user.fake.apps if app.mode == "workflow")
    text = await definition(user)
    for number, changed in enumerate(
        (text.replace("\n", CRLF), text.replace("\n", CR), MARK + text, MARK + text.replace("\n", CRLF))
    ):
        with subtests.test(number=number):
            answer = await imported(user, changed)
            assert (answer.status, answer.json["status"], answer.json["error"]) == (200, "completed", "")
            new = (await user.get(f"/apps/{answer.json['app_id']}")).json
            assert (new["name"], new["mode"]) == (app.name, "workflow")


@pytest.mark.parametrize(
    ("version", "imported_version", "state"),
    [
        ("1.15.0", "0.6.0", "completed"),
        ("1.16.1", "0.6.0", "completed-with-warnings"),
        ("1.16.1", "0.1.2", "completed-with-warnings"),
        ("1.16.1", "0.7.0", "completed"),
        ("1.16.1", "99.0.0", "pending"),
        ("1.17.0", "0.6.0", "completed-with-warnings"),
    ],
    indirect=["version"],
)
async def test_versions_of_a_definition(user: User, imported_version: str, state: str) -> None:
    # 08_app_import_yaml_ok, ..._older_dsl_version_warnings, ..._newer_dsl_pending
    current = "0.6.0" if user.fake.version == "1.15.0" else "0.7.0"
    text = await definition(user)
    assert f"version: {current}\n" in text
    answer = await imported(user, text.replace(f"version: {current}", f"version: {imported_version}"))
    assert (answer.status, answer.json["status"]) == (202 if state == "pending" else 200, state)
    assert answer.json["imported_dsl_version"] == imported_version
    assert answer.json["current_dsl_version"] == current
    assert answer.json.get("warnings") == (None if user.fake.version == "1.15.0" else [])


@pytest.mark.parametrize("version", ["1.16.1", "1.17.0"], indirect=True)
async def test_what_cannot_be_imported(user: User) -> None:
    # 08_app_import_overwrite_other_mode, ..._overwrite_unknown_app, ..._no_content, ..._yaml_without_app
    chat = next(app.id for app in user.fake.apps if app.mode == "chat")
    text = await definition(user)
    for given, fields, error in (
        (text, {"app_id": chat}, "Only workflow or advanced chat apps can be overwritten"),
        (text, {"app_id": "00000000-0000-4000-8000-000000000000"}, "App not found"),
        ("", {}, "yaml_content is required when import_mode is yaml-content"),
        ("kind: app\nversion: 0.1.0\n", {}, "Missing app data in YAML content"),
    ):
        answer = await imported(user, given, **fields)
        assert (answer.status, answer.json["error"], answer.json["imported_dsl_version"]) == (400, error, "")


SPELLINGS = {
    "double quotes": 'app:\n  mode: "chat"\n  name: "A \\u00e9"\nkind: app\nversion: "0.7.0"\n',
    "single quotes": "app:\n  mode: 'chat'\n  name: 'A é'\nkind: 'app'\nversion: '0.7.0'\n",
    "spaces": "app: \n  mode:   chat \n  name: A é  \nkind: app\nversion: 0.7.0  \n",
    "comments": "# mine\napp: # a\n  mode: chat # one\n\n  # two\n  name: A é\nversion: 0.7.0 # new\n",
    "flow mapping": "app: {mode: chat, name: 'A é', icon: null}\nkind: app\nversion: 0.7.0\n",
    "flow mapping of several lines": "app: {mode: chat, # one\n  name: A é}\nkind: app\nversion: 0.7.0\n",
    "JSON": json.dumps({"app": {"mode": "chat", "name": "A é"}, "kind": "app", "version": "0.7.0"}),
    "indented JSON": json.dumps(
        {"x": [{"a": 1}], "app": {"name": "A é", "mode": "chat"}, "version": "0.7.0"}, indent=1
    ),
    "another order": "version: 0.7.0\nmode: bogus\nname: B\napp:\n    name: A é\n    mode: chat\n",
    "other values": "dependencies:\n- name: B\n  mode: bogus\nworkflow:\n  graph:\n  - x: y\nversion: 0.7.0\n"
    "app:\n  mode: chat\n  icon: |\n    # a\n  name: >-\n    A\n    é\n",
    "a folded line": "app:\n  name: A\n    é\n  mode: chat\nversion: 0.7.0\n",
    "a document": "%YAML 1.2\n---\napp:\n  mode: chat\n  name: A é\nversion: 0.7.0\n...\n",
}


@pytest.mark.parametrize("version", ["1.17.0"], indirect=True)
async def test_spellings_of_one_definition(user: User) -> None:
    """Editors and YAML libraries write one definition in several ways; real servers use PyYAML."""
    for name, text in SPELLINGS.items():
        answer = await imported(user, text)
        assert (answer.status, answer.json["status"]) == (200, "completed"), (name, answer.json)
        assert answer.json["imported_dsl_version"] == "0.7.0", name
        new = (await user.get(f"/apps/{answer.json['app_id']}")).json
        assert (new["name"], new["mode"]) == ("A é", "chat"), name


@pytest.mark.parametrize("version", ["1.11.2", "1.17.0"], indirect=True)
async def test_a_mode_that_does_not_exist(user: User) -> None:
    for line, error in (
        ("mode: bogus", "'bogus' is not a valid AppMode"),
        ("mode: chat#c", "'chat#c' is not a valid AppMode"),
        ("mode:", "loss app mode"),
        ("name: A", "loss app mode"),
    ):
        answer = await imported(user, f"app:\n  {line}\nkind: app\n")
        if answer.status == 202:
            answer = await user.ask("POST", f"/apps/imports/{answer.json['id']}/confirm", content={})
        assert (answer.status, answer.json["status"], answer.json["error"]) == (400, "failed", error)


@pytest.mark.parametrize("version", ["1.17.0"], indirect=True)
@pytest.mark.parametrize(
    "text",
    [
        "foo: [bar",
        "{app: {mode: chat}",
        "app:\n  mode: 'chat\n",
        "app:\nmode\n",
        "just text",
        "- app",
        "# nothing",
        "[" * 5000,
        "[app]",
    ],
)
async def test_a_definition_that_is_not_a_mapping(user: User, text: str) -> None:
    # 08_app_import_bad_yaml
    answer = await imported(user, text)
    assert (answer.status, answer.json["status"]) == (400, "failed")
    assert answer.json["error"].startswith("Invalid YAML format: ")


@pytest.mark.parametrize("version", ["1.11.2", "1.15.0", "1.16.1", "1.17-pre"])
async def test_captured_definitions(version: str, session: aiohttp.ClientSession) -> None:
    """Whole definitions, as editors of Dify export them."""
    rows = [row for row in captures(version) if "_app_import_" in row.case and '"yaml_content"' in row.sent]
    async with FakeDifyServer(rows[0].reply.headers.get("X-Version") or "") as fake:
        user = User(fake, session)
        await user.log_in()
        for row in rows:
            sent, body = msgspec.json.decode(row.sent), msgspec.json.decode(row.body)
            if sent.get("app_id") or row.status in {403, 422} or "imported_dsl_version" not in body:
                continue
            answer = await imported(user, sent["yaml_content"])
            found = [answer.json[name] for name in ("status", "app_mode", "imported_dsl_version")]
            assert [answer.status, *found] == [
                row.status,
                *(body[name] for name in ("status", "app_mode", "imported_dsl_version")),
            ], str(row)


@pytest.mark.parametrize(("version", "status"), [("1.16.1", 200), ("1.17.0", 400)], indirect=["version"])
async def test_an_import_begun_by_another(user: User, status: int) -> None:
    # 08_app_import_confirm_by_other_account
    newer = (await definition(user)).replace("version: 0.7.0", "version: 99.0.0")
    pending = (await imported(user, newer)).json["id"]
    user.fake.add_account("guest@example.com", "Guest-Pass-42")
    await user.log_in("guest@example.com", "Guest-Pass-42")
    assert (await user.ask("POST", f"/apps/imports/{pending}/confirm", content={})).status == status


@pytest.mark.parametrize("version", ["1.17.0", "1.18.0"])
async def test_packages(version: str, session: aiohttp.ClientSession) -> None:
    """By reading Dify's main after 1.17.1: a ZIP, unless YAML is asked for."""
    async with FakeDifyServer(version) as fake:
        user = User(fake, session)
        await user.log_in()
        text = await definition(user)
        path = f"/apps/{next(app.id for app in fake.apps if app.mode == 'workflow')}/export"
        url = f"{fake.base_url}/console/api{path}"
        async with session.get(url, headers=user.headers) as answer:
            body = await answer.read()
        if release(version) < (1, 18, 0):
            # 1.17-pre/08_app_export_format_ifpkg: JSON with YAML, whatever is asked for
            assert answer.content_type == "application/json"
            assert (await user.get(path, format="ifpkg")).json == {"data": text}
        else:
            assert answer.content_type == "application/zip"
            with zipfile.ZipFile(io.BytesIO(body)) as package:
                assert package.read("app.yml").decode() == text


@pytest.mark.parametrize("version", ["1.15.0", "1.16.1", "1.17.0"], indirect=True)
async def test_an_unknown_workflow(user: User) -> None:
    # 08_app_export_unknown_workflow_id, 1.16.1/08_app_export_workflow_id_not_uuid, ..._empty
    app = next(app for app in user.fake.apps if app.mode == "workflow")
    for sent, status in (
        ("abc", 500),
        ("00000000-0000-4000-8000-000000000000", 500),
        ("", 200),
        (workflow_id(app), 200),
    ):
        assert (await user.get(f"/apps/{app.id}/export", workflow_id=sent)).status == status
