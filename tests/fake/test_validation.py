"""Requests that the server finds invalid: what it answers, by version."""

import base64
import json
from typing import Any

import pytest

from tests.support import JSON

from .user import User, fault


@pytest.mark.parametrize(
    ("version", "missing", "malformed"),
    [
        (
            "0.15.3",
            {
                "code": "invalid_param",
                "message": "Missing required parameter in the JSON body",
                "params": "email",
            },
            {"code": "invalid_param", "message": "nope is not a valid email.", "params": "email"},
        ),
        (
            "1.10.1",  # 01_login_empty_object, 01_login_malformed_email
            {
                "errors": {"email": "Missing required parameter in the JSON body"},
                "message": "Input payload validation failed",
            },
            {"errors": {"email": "nope is not a valid email."}, "message": "Input payload validation failed"},
        ),
        (
            "1.11.2",  # 01_login_missing_email: shows the password, and decoded
            {
                "code": "invalid_param",
                "message": "1 validation error for LoginPayload\nemail\n  Field required [type=missing, "
                "input_value={'password': 'Secret-Pass-42'}, input_type=dict]\n    For further "
                "information visit https://errors.pydantic.dev/2.11/v/missing",
                "status": 400,
            },
            {
                "code": "invalid_param",
                "message": "1 validation error for LoginPayload\nemail\n  Value error, nope is not a valid "
                "email. [type=value_error, input_value='nope', input_type=str]\n    For further information "
                "visit https://errors.pydantic.dev/2.11/v/value_error",
                "status": 400,
            },
        ),
    ],
    indirect=["version"],
)
async def test_bad_fields(user: User, version: str, missing: object, malformed: object) -> None:
    password = user.fake.password
    if version == "1.11.2":
        password = base64.b64encode(password.encode()).decode()
    absent = await user.ask("POST", "/login", headers={}, content={"password": password})
    assert (absent.status, absent.json) == (400, missing)
    assert (await user.log_in("nope")).json == malformed


async def test_a_body_without_json_type(user: User, version: str) -> None:
    # 0.15.3/login__no_content_type, 1.9.1/login__no_content_type, 1.11.2/01_login_no_body_no_type
    answer = await user.ask("POST", "/login", headers={"Content-Type": "text/plain"})
    if version in ("1.9.1", "1.10.1"):
        assert answer.json["errors"] == {"email": "Missing required parameter in the JSON body"}
    elif version == "1.17.0":  # 1.17-pre/01_login_no_body_no_type, 01_login_form_encoded
        assert _fields_required(answer.json) == ["email", "password"]
    else:
        assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")
    wrong = await user.ask("PUT", "/login", headers={})
    assert (wrong.status, wrong.json["code"]) == (405, "method_not_allowed")
    assert ("Allow" in wrong.headers) == (version == "0.15.3")


async def test_a_body_that_is_no_object(user: User, version: str, subtests: pytest.Subtests) -> None:
    # 0.15.3/login__bad_json, 1.9.1/login__bad_json, 1.11.2/01_login_invalid_json, 01_login_json_array
    url = f"{user.fake.base_url}/console/api/login"
    for body in (b'{"email":', b"", b'{"email": "\xff"}', b"[]"):
        async with user.session.post(url, data=body, headers=JSON) as response:
            answer = await response.json()
        with subtests.test(body=body):
            assert response.status == fault(version)
            if version in ("1.9.1", "1.10.1"):
                assert answer["errors"] == {"email": "Missing required parameter in the JSON body"}
            elif version == "1.17.0":
                assert _fields_required(answer) == ["email", "password"]
            elif body != b"[]":
                assert answer["code"] == "bad_request"
            else:
                assert answer["code"] == "invalid_param"
                told = "LoginPayload [type=model_type, input_value=[], input_type=list]"
                assert (told in answer["message"]) == (version != "0.15.3")


def _fields_required(answer: dict[str, Any]) -> list[str]:
    """The fields of a 422, each of which is missing."""
    assert answer.keys() == {"code", "message", "status"}
    assert (answer["code"], answer["status"]) == ("unprocessable_entity", 422)
    entries = json.loads(answer["message"])
    url = "https://errors.pydantic.dev/2.12/v/missing"
    for entry in entries:
        assert entry == {
            "type": "missing",
            "loc": entry["loc"],
            "msg": "Field required",
            "input": {},
            "url": url,
        }
    return [entry["loc"][0] for entry in entries]


@pytest.mark.parametrize("version", ["1.17.0"], indirect=True)
async def test_a_422_shows_the_password(user: User) -> None:
    # 1.17-pre/01_login_missing_email and 01_login_malformed_email: JSON as text
    password = base64.b64encode(user.fake.password.encode()).decode()
    missing = await user.ask("POST", "/login", headers={}, content={"password": password})
    assert missing.status == 422
    (entry,) = json.loads(missing.json["message"])
    assert (entry["type"], entry["loc"]) == ("missing", ["email"])
    assert entry["input"] == {"password": user.fake.password}
    malformed = await user.log_in("nope")
    assert json.loads(malformed.json["message"]) == [
        {
            "type": "value_error",
            "loc": ["email"],
            "msg": "Value error, nope is not a valid email.",
            "input": "nope",
            "ctx": {"error": "nope is not a valid email."},
            "url": "https://errors.pydantic.dev/2.12/v/value_error",
        }
    ]


@pytest.mark.parametrize("version", ["0.15.3"], indirect=True)
async def test_form_of_a_password(user: User) -> None:
    # 0.15.3/login__short_password: not counted
    for _ in range(7):
        answer = await user.log_in(password="x")
        message = "Password must contain letters and numbers, and the length must be greater than 8."
        assert answer.json == {"code": "invalid_param", "message": message, "params": "password"}


async def test_limits(user: User, version: str, subtests: pytest.Subtests) -> None:
    # apps_list__limit_0, 04_apps_list_limit_101, 04_apps_list_page_abc and their like
    for name, value in (
        *(("limit", "0"), ("limit", "101"), ("limit", "1.5")),
        *(("page", "0"), ("page", "100000"), ("page", "abc")),
    ):
        answer = await user.get("/apps", **{name: value})
        high = {"limit": 100, "page": 99999}[name]
        plain = {
            "0": f"Invalid argument: 0. argument must be within the range 1 - {high}",
            "101": "Invalid argument: 101. argument must be within the range 1 - 100",
            "100000": "Invalid argument: 100000. argument must be within the range 1 - 99999",
        }.get(value, f"{value} is not a valid integer")
        with subtests.test(name=name, value=value):
            assert answer.status == 400
            if version == "0.15.3":
                assert answer.json == {"code": "invalid_param", "message": plain, "params": name}
            elif version in ("1.9.1", "1.10.1"):
                assert answer.json == {"errors": {name: plain}, "message": "Input payload validation failed"}
            else:
                assert (answer.json["code"], answer.json["status"]) == ("invalid_param", 400)
                told = f"1 validation error for AppListQuery\n{name}\n  Input should be"
                assert answer.json["message"].startswith(told)


@pytest.mark.parametrize("version", ["1.11.2", "1.15.0"], indirect=True)
async def test_several_problems_are_told_at_once(user: User, version: str) -> None:
    # 11_compress_error_400_gzip
    query = {"limit": "0", "mode": "bogus", "page": "0", "tag_ids": "zzz", "is_created_by_me": "maybe"}
    message = (await user.get("/apps", **query)).json["message"]
    assert message.startswith(
        "5 validation errors for AppListQuery\npage\n  Input should be greater than or equal"
    )
    library = "2.12" if version == "1.15.0" else "2.11"
    assert message.count(f"\n    For further information visit https://errors.pydantic.dev/{library}/v/") == 5


@pytest.mark.parametrize("version", ["1.17.0"], indirect=True)
async def test_a_body_that_is_no_json_is_an_empty_one(user: User, subtests: pytest.Subtests) -> None:
    # 1.17-pre/09_post_apps_*
    url = f"{user.fake.base_url}/console/api/apps"
    for body, kind in (
        (b"name=x&mode=chat", "application/x-www-form-urlencoded"),
        (b'{"name":"x","mode":"chat"}', "text/plain"),
        (b'{"name":"x","mode":"chat"}', ""),
        (b'{"name": "x", ', "application/json"),
        (b'{"name":"\xff\xfe","mode":"chat"}', "application/json"),
        (b'\xef\xbb\xbf{"name":"x"}', "application/json"),
        (b'{"name":"a\\ud800b","mode":"chat"}', "application/json"),
        (b"null", "application/json"),
        (b"[]", "application/json"),
        (b"", "application/json"),
    ):
        headers = {**user.headers, "Content-Type": kind}
        async with user.session.post(
            url, data=body, headers=headers, skip_auto_headers=["Content-Type"]
        ) as answer:
            told = await answer.json()
        with subtests.test(body=body, kind=kind):
            assert (answer.status, told["code"]) == (422, "unprocessable_entity")
            entries = json.loads(told["message"])
            assert [(entry["loc"], entry["msg"], entry["input"]) for entry in entries] == [
                (["name"], "Field required", {}),
                (["mode"], "Field required", {}),
            ]


@pytest.mark.parametrize("version", ["1.17.0"], indirect=True)
async def test_words_of_a_422(user: User) -> None:
    # 1.17-pre/08_apps_create_err_*, 06_chat_conversations_limit_101, 09_post_apps_json_string
    chat = next(app.id for app in user.fake.apps if app.mode == "chat")
    modes = "'chat', 'agent-chat', 'advanced-chat', 'workflow' or 'completion'"
    for method, path, content, wanted in (
        (
            "POST",
            "/apps",
            {"name": "", "mode": "chat"},
            ("string_too_short", ["name"], "", {"min_length": 1}),
        ),
        (
            "POST",
            "/apps",
            {"name": "x", "mode": "channel"},
            ("literal_error", ["mode"], "channel", {"expected": modes}),
        ),
        ("POST", "/apps", "x", ("model_type", [], "x", {"class_name": "CreateAppPayload"})),
        (
            "GET",
            f"/apps/{chat}/chat-conversations?limit=101",
            None,
            ("less_than_equal", ["limit"], "101", {"le": 100}),
        ),
        (
            "POST",
            f"/apps/{chat}/api-enable",
            {"enable_api": "maybe"},
            ("bool_parsing", ["enable_api"], "maybe", None),
        ),
    ):
        answer = await user.ask(method, path, content=content)
        assert answer.status == 422
        (entry,) = json.loads(answer.json["message"])
        assert (entry["type"], entry["loc"], entry["input"], entry.get("ctx")) == wanted
    # Not all routes have changed: 04_apps_list_limit_101, 07_account_timezone_unknown.
    for method, path, content in (
        ("GET", "/apps?limit=101", None),
        ("POST", "/account/timezone", {"timezone": "Mars/Olympus"}),
        ("POST", "/workspaces/switch", {}),
        ("GET", f"/apps/{chat}/chat-messages", None),
    ):
        answer = await user.ask(method, path, content=content)
        assert (answer.status, answer.json["code"]) == (400, "invalid_param")
