"""Validation errors take one line, and repeat nothing that was sent."""

from __future__ import annotations

import json

import msgspec
import pytest
from multidict import CIMultiDict

from dify_async._http.wire import Reply, status_error
from tests.captures import capture


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("1.11.2/08_app_put_missing_name", "name: Field required"),
        ("1.16.1/08_app_put_missing_name", "name: Field required"),
        ("1.17-pre/08_app_put_missing_name", "name: Field required"),
        (
            "1.16.1/01_login_json_array",
            "Input should be a valid dictionary or instance of LoginPayload",
        ),
        ("1.17-pre/09_post_apps_invalid_json", "name: Field required; mode: Field required"),
        ("1.16.1/01_login_malformed_email", "email: not-an-email is not a valid email."),
        ("1.17-pre/01_login_malformed_email", "email: not-an-email is not a valid email."),
        (
            "1.17-pre/08_apps_create_err_description_401_chars",
            "description: String should have at most 400 characters",
        ),
        (
            "1.17-pre/07_account_profile_patch_name_too_short",
            "name.constrained-str: String should have at least 3 characters; name.none: must be None",
        ),
        (
            "1.11.2/04_apps_list_mode_uppercase",
            (
                "mode: must be one of 'completion', 'chat', 'advanced-chat', 'workflow', 'agent-chat',"
                " 'channel' or 'all'"
            ),
        ),
    ],
)
def test_validation_errors_are_one_line(name: str, message: str) -> None:
    """Pydantic's text has several lines; from 1.17 the message is JSON."""
    row = capture(name)
    error = status_error(row.method, row.route, row.reply)
    assert error.message == message
    assert str(error) == f"{row.method} {row.route}: {row.status} {error.code}: {message}"


@pytest.mark.parametrize(
    "message",
    ["[]", "[", "[a] is missing", "2 validation errors for X"],
)
def test_messages_that_are_not_validation_errors_are_unchanged(message: str) -> None:
    body = msgspec.json.encode({"code": "invalid_param", "message": message})
    assert status_error("GET", "/apps", Reply(400, CIMultiDict(), body)).message == message


ENTRY = {"loc": ["a"], "msg": "bad", "input": "echoed"}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (json.dumps([ENTRY], indent=1), "a: bad"),
        (" " + json.dumps([ENTRY]), "a: bad"),
        (json.dumps([{**ENTRY, "loc": ["a", None, 0]}]), "a.0: bad"),
        (json.dumps([{**ENTRY, "loc": "a"}]), "a: bad"),
        (json.dumps([{**ENTRY, "loc": {"a": 1}}]), "bad"),
        ([ENTRY, {**ENTRY, "loc": None}], "a: bad; bad"),
        (
            "1 validation error for X\na\n  Value error, bad:\n it is [type=v, input_value='echoed']",
            "a: bad: it is",
        ),
        (
            "1 validation error for X\na\n  bad [type=x, input_value='b\nc\n  echoed [type=d', input_type=s]",
            "a: bad",
        ),
        (
            (
                "2 validation errors for X\na\n  bad [type=x, input_value='\n  echoed', input_type=str]\n"
                "b\n  worse [type=x, input_value=1, input_type=int]"
            ),
            "a: bad",
        ),
        (
            (
                "2 validation errors for X\na\n  bad [type=x, input_value=1, input_type=int]\n"
                "b\n  worse [type=x, input_value='echoed', input_type=str]\n"
                "    For further information visit https://errors.pydantic.dev/2/v/x\n"
            ),
            "a: bad; b: worse",
        ),
        ('[{"loc":["a"],"msg":"bad","input":"echoed"', "the request failed validation"),
        ([{**ENTRY, "msg": None}], "the request failed validation"),
        ('[{"input":"echoed"}]', "the request failed validation"),
        ("1 validation error for X\n? input_value='echoed'", "the request failed validation"),
        ("Validation failed: a: bad [input_value='echoed']", "the request failed validation"),
        ('Validation failed: {"msg":"bad","input":"echoed"}', "the request failed validation"),
    ],
)
def test_validation_errors_do_not_echo_the_request(message: object, shown: str) -> None:
    body = msgspec.json.encode({"code": "unprocessable_entity", "message": message, "status": 422})
    error = status_error("POST", "/apps", Reply(422, CIMultiDict(), body))
    assert str(error) == f"POST /apps: 422 unprocessable_entity: {shown}"
    assert "echoed" not in repr(vars(error))
