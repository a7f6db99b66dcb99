"""Any status, headers and bytes give a value or a DifyError, without secrets."""

from __future__ import annotations

import pickle
from email.utils import formatdate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from dify_async import DifyError, DifyStatusError, Metric, errors
from dify_async._api.endpoints import APPS, DELETE_APP_API_KEY, PUBLISHED_WORKFLOW, STATISTICS, WORKFLOW_RUN
from dify_async._http.wire import (
    UNREADABLE,
    Reply,
    decode_error,
    is_about_the_token,
    redact,
    retry_after,
    status_error,
)
from tests.captures import VERSIONS, capture, captures

KEY = "app-AbCdEfGhIjKlMnOpQrStUvWx"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    status=st.integers(300, 599),
    body=st.binary() | JSON.map(msgspec.json.encode),
    content_type=st.sampled_from(["application/json", "text/html", ""]),
    more=st.dictionaries(st.sampled_from(["Retry-After", "Location", "Date"]), st.text()),
)
def test_any_error_status_is_a_status_error(
    status: int, body: bytes, content_type: str, more: dict[str, str]
) -> None:
    reply = Reply(status, CIMultiDict({"Content-Type": content_type, **more}), body)
    error = status_error("GET", "/apps", reply)
    assert isinstance(error, DifyStatusError)
    assert len(str(error)) < 4000
    assert not is_about_the_token(reply) or status == 401


@given(body=st.binary() | st.just(b"[" * 100_000) | st.just(b'{"data":null}') | st.just(b"null"))
def test_any_body_decodes_or_is_a_decode_error(body: bytes) -> None:
    for endpoint in (APPS, STATISTICS[Metric.TOKEN_COSTS], DELETE_APP_API_KEY):
        reply = Reply(200, CIMultiDict(), body)
        try:
            endpoint.decoder()(body)
        except UNREADABLE as error:
            text = str(decode_error("GET", "/apps", reply, error))
            assert len(text) < 2000
            assert "GET /apps" in text


@pytest.mark.parametrize("body", [b"", b"204", b"204\n", b'{"result":"success"}'])
def test_an_empty_answer_is_none(body: bytes) -> None:
    """1.11.2/08_tag_delete_ok is a 200 with the body `204`."""
    assert DELETE_APP_API_KEY.decoder()(body) is None


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b'"text"', b"\xff"])
def test_other_answers_are_not_empty(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        DELETE_APP_API_KEY.decoder()(body)


@pytest.mark.parametrize(
    ("code", "message", "is_about_tokens"),
    [
        ("unauthorized", "Token has expired.", True),
        ("unauthorized", "Invalid token signature.", True),
        ("unauthorized", "Invalid token.", True),
        ("unauthorized", "Invalid Authorization token.", True),
        ("unauthorized", "CSRF token is missing or invalid.", True),
        ("unauthorized", "Account is banned.", False),
        ("unauthorized", "Unauthorized.", False),
        ("unauthorized_and_force_logout", "License token has expired.", False),
        ("not_setup", "token", False),
        ("not_init_validated", "token", False),
    ],
)
def test_401s_that_other_tokens_may_help_with(code: str, message: str, *, is_about_tokens: bool) -> None:
    body = f'{{"code":"{code}","message":"{message}","status":401}}'.encode()
    assert is_about_the_token(Reply(401, CIMultiDict(), body)) is is_about_tokens


@pytest.mark.parametrize("version", VERSIONS)
def test_every_captured_401_about_a_token(version: str) -> None:
    for row in captures(version):
        if row.status == 401 and '"unauthorized"' in row.body:
            error = status_error(row.method, row.route, row.reply)
            is_about_tokens = "oken" in error.message or "CSRF" in error.message
            assert is_about_the_token(row.reply) is is_about_tokens, str(row)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0", 0.0), ("1.5", 1.5), ("86400", 86400.0), ("abc", None), ("-5", None), ("", None)],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    """hermes-agent#109234."""
    assert retry_after(CIMultiDict({"Retry-After": value})) == seconds


def test_a_retry_after_date_is_by_the_servers_clock() -> None:
    then = 1_000_000_000
    headers = {"Retry-After": formatdate(then + 90, usegmt=True), "Date": formatdate(then, usegmt=True)}
    assert retry_after(CIMultiDict(headers)) == 90.0
    assert retry_after(CIMultiDict({**headers, "Retry-After": formatdate(then - 90, usegmt=True)})) == 0.0


def test_a_retry_after_date_without_the_servers_clock_is_by_the_local_clock() -> None:
    assert retry_after(CIMultiDict({"Retry-After": formatdate(0, usegmt=True)})) == 0.0


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "dataset-AbCdEfGhIjKlMnOpQrStUvWx",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3OTU1NzUxNzh9.Jk5pQOqBBU2-3MsVS4Vkt8",
        "0123456789abcdef" * 8,
    ],
)
def test_errors_contain_no_key_or_token(secret: str) -> None:
    assert secret not in redact(f"before {secret} after")
    body = f'{{"code":"x","message":"bad {secret}.","errors":{{"a":"{secret}"}}}}'.encode()
    error = status_error("GET", "/apps", Reply(400, CIMultiDict(), body))
    assert secret not in str(error) + repr(vars(error))


def test_the_validation_errors_of_1_10_1_are_in_the_message() -> None:
    error = _error("1.10.1/04_apps_list_limit_101")
    assert error.code is None
    assert error.message.startswith("Input payload validation failed: limit: Invalid argument: 101")


def test_the_code_of_the_limit_on_keys_is_in_custom() -> None:
    assert _error("1.10.1/05_app_api_keys_create_11_past_cap").code == "max_keys_exceeded"


def test_an_html_404_has_a_hint() -> None:
    assert "not a UUID" in str(_error("1.11.2/04_app_detail_not_uuid"))


def _error(name: str) -> DifyStatusError:
    row = capture(name)
    return status_error(row.method, row.route, row.reply)


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("https://new.example.com/dify/console/api/apps?x=1", "base_url='https://new.example.com/dify'"),
        (
            "https://user:secret@new.example.com:8443/console/api/apps",
            "base_url='https://new.example.com:8443'",
        ),
        ("/signin", "check base_url"),
        ("http://[", "check base_url"),
        ("", "check base_url"),
    ],
)
def test_a_redirect_names_the_base_url_to_use(location: str, says: str) -> None:
    error = status_error("GET", "/apps", Reply(308, CIMultiDict({"Location": location}), b""))
    assert says in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("header", ["Content-Type", "Location", "X-Version"])
def test_invalid_utf_8_in_headers_is_not_in_errors(header: str) -> None:
    """aiohttp decodes it to lone surrogates, which cannot be printed."""
    value = b"https://\x80.example.com/html".decode("utf-8", "surrogateescape")
    reply = Reply(301, CIMultiDict({header: value}), b"")
    for error in (
        status_error("GET", "/apps", reply),
        decode_error("GET", "/apps", reply, RecursionError()),
    ):
        str(error).encode()
    assert reply.version == ""


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.startswith("Dify")])
def test_errors_pickle_with_all_attributes(name: str) -> None:
    kind = getattr(errors, name)
    if issubclass(kind, DifyStatusError):
        error = kind("text", status=429, code="c", message="m", method="GET", path="/apps", retry_after=3.0)
    else:
        error = kind("text")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == "text"
    assert vars(again) == vars(error)
    assert isinstance(again, DifyError)


@pytest.mark.parametrize(
    "name",
    [
        "0.15.3/workflow_publish_get__none",
        "1.9.1/workflow_publish_get__none",
        "1.11.2/08_workflow_published_get_none",
        "1.15.0/08_workflow_published_get_none",
        "1.11.2/06_workflow_run_detail_unknown",
    ],
)
def test_something_missing_is_none(name: str) -> None:
    """An object of nulls, or null itself."""
    row = capture(name)
    endpoint = WORKFLOW_RUN if "run" in name else PUBLISHED_WORKFLOW
    assert row.status == 200
    assert endpoint.decoder()(row.reply.body) is None


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b'{"id":{}}', b"\xff"])
def test_invalid_answers_are_not_none(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        PUBLISHED_WORKFLOW.decoder()(body)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("1.15.0/08_app_import_confirm_again", "Import information expired or does not exist"),
        ("1.11.2/08_app_import_bad_yaml", "Invalid YAML format: while parsing"),
        ("1.15.0/00_setup_post_bad_email", ""),  # its `error` is not text
    ],
)
def test_the_reason_of_a_failed_import_is_the_message(name: str, message: str) -> None:
    row = capture(name)
    error = status_error(row.method, row.route, row.reply)
    assert error.message.startswith(message)
    assert bool(error.message) == bool(message)
