"""Secrets are masked in reprs, and removed from echoes of the server."""

from __future__ import annotations

import base64
import html
import json

import msgspec
import pytest
from multidict import CIMultiDict

from dify_async import DifyLoginError
from dify_async._auth import rules, verdicts
from dify_async._http.wire import Reply, Request, status_error
from dify_async._secrets import Secret, SecretBytes, masked, secrets_of, without_secrets
from tests.captures import VERSIONS, capture, captures

KEY = "ADMIN/KEY é?7"
SIGNS = "ADMIN/'KEY\"<&?7"


@pytest.mark.parametrize("secret", [Secret("hunter2"), SecretBytes(b"hunter2")])
def test_a_secret_equals_its_value_and_has_a_masked_repr(secret: Secret | SecretBytes) -> None:
    assert secret == (b"hunter2" if isinstance(secret, bytes) else "hunter2")
    for shown in (repr(secret), repr([secret]), repr({"a": secret}), f"{secret!r}", "%r" % secret):  # noqa: UP031
        assert "hunter2" not in shown


def test_aiohttp_masks_the_headers_that_it_copies() -> None:
    headers = CIMultiDict({"Cookie": Secret("hunter2")})
    assert "hunter2" not in repr(CIMultiDict(headers))
    assert headers["cookie"] == "hunter2"


def test_only_text_is_masked() -> None:
    assert masked(None) is None
    assert masked(5) == 5
    assert repr(masked("hunter2")) == "'***'"


@pytest.mark.parametrize(
    "echo",
    [
        KEY,
        json.dumps(KEY)[1:-1],
        "ADMIN%2FKEY%20%C3%A9%3F7",
        base64.b64encode(KEY.encode()).decode(),
        "x" * 995 + KEY,  # shortened in the middle
        "y" * 100_000 + KEY,
        f"{KEY}{KEY}" * 200 + "ADMIN",
    ],
)
@pytest.mark.parametrize("field", ["code", "message", "errors"])
def test_an_echoed_admin_key_is_not_in_errors(echo: str, field: str) -> None:
    value: object = {"a": [echo], echo: "b"} if field == "errors" else echo
    body = json.dumps({field: value}).encode()
    sent = {"Authorization": Secret(f"Bearer {KEY}"), "X-WORKSPACE-ID": "w"}
    error = status_error("GET", "/apps", Reply(400, CIMultiDict(), body, "", sent))
    shown = str(error) + repr(vars(error))
    assert "KEY" not in shown
    assert echo[-40:] not in shown


@pytest.mark.parametrize(
    "echo",
    [
        html.escape(SIGNS),
        SIGNS.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&#34;").replace("'", "&#39;"),
        "ADMIN/%27KEY%22%3C%26%3F7",
        "ADMIN%2f%27KEY%22%3c%26%3f7",
        base64.b64encode(f"Bearer {SIGNS}".encode()).decode(),
        base64.urlsafe_b64encode(SIGNS.encode()).decode().rstrip("="),
        json.dumps({"sent": SIGNS}),
        json.dumps(json.dumps({"sent": SIGNS})),
        json.dumps(json.dumps({"sent": SIGNS}).replace("/", "\\/")),
    ],
)
def test_an_echo_in_another_encoding(echo: str) -> None:
    sent = {"Authorization": Secret(f"Bearer {SIGNS}")}
    error = status_error(
        "GET", "/apps", Reply(400, CIMultiDict(), json.dumps({"message": echo}).encode(), "", sent)
    )
    assert "KEY" not in error.message
    assert "***" in error.message
    assert echo not in error.message


def test_a_secret_that_begins_like_another_is_removed_entirely() -> None:
    headers = {"X-CSRF-Token": Secret("abcd"), "Authorization": Secret("Bearer abcdefgh")}
    assert without_secrets("abcdefgh", secrets_of(headers)) == "***"


def test_echoed_cookies_and_proxy_passwords() -> None:
    sent = {
        "Cookie": Secret("access_token=first-token; csrf_token=second-token"),
        "X-CSRF-Token": Secret("second-token"),
        "Proxy-Authorization": Secret("Basic " + base64.b64encode(b"user:hunter2").decode()),
    }
    text = "first-token second-token hunter2 user dXNlcjpodW50ZXIy"
    assert without_secrets(text, secrets_of(sent)) == "*** *** *** user ***"


def test_an_echo_in_the_location_of_a_redirect() -> None:
    headers = CIMultiDict({"Location": "https://admin-key-7.example.com/login"})
    sent = {"Authorization": Secret("Bearer admin-key-7")}
    assert "admin-key-7" not in str(status_error("GET", "/apps", Reply(302, headers, b"", "", sent)))


def test_short_values_are_not_secrets() -> None:
    """A key of two letters would be replaced in every word; the workspace id is not a secret."""
    assert secrets_of({"Authorization": Secret("Bearer ab"), "X-WORKSPACE-ID": "workspace"}) == []


def test_reprs_of_requests_and_answers_have_no_headers_and_body() -> None:
    request = Request("GET", "/apps", None, {"Cookie": "hunter2"}, b"hunter2")  # type: ignore[arg-type]
    reply = Reply(200, CIMultiDict({"Set-Cookie": "hunter2"}), b"hunter2")
    for one in (request, reply):
        assert "hunter2" not in repr(one) + repr(one.__rich_repr__())
    assert "/apps" in repr(request)
    assert "200" in repr(reply)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_error_repeats_the_request(version: str) -> None:
    """1.11.2/01_login_missing_email: the text of a 400 holds the password, decoded."""
    rows = [row for row in captures(version) if (row.method, row.route) == ("POST", "/login")]
    for row in rows:
        if rules.read_tokens(row.reply) is not None or not row.sent.startswith("{"):
            continue
        try:
            sent = msgspec.json.decode(row.sent, type=dict[str, object])
        except msgspec.DecodeError:
            continue
        password = sent.get("password")
        error = verdicts.refusal(row.reply, "/login", "Secret-Pass-42")
        for secret in (password, _decoded(password)):
            if isinstance(secret, str) and len(secret) > 3:
                assert secret not in str(error), str(row)
                assert secret not in repr(vars(error)), str(row)


@pytest.mark.parametrize("code", ["unprocessable_entity", "validation_error", "x"])
def test_a_422_never_repeats_what_was_sent(code: str) -> None:
    """Whatever its code: a proxy may encode the password once more."""
    body = msgspec.json.encode({"code": code, "message": "bad: %2553ecret-Pass-42", "status": 422})
    error = verdicts.refusal(Reply(422, CIMultiDict(), body), "/login", "Secret-Pass-42")
    assert type(error) is DifyLoginError
    assert (error.code, error.message) == (code, "")
    assert "ecret-Pass-42" not in str(error)


@pytest.mark.parametrize("status", [400, 422])
def test_a_password_that_the_server_echoes_decoded_is_not_shown(status: int) -> None:
    """If the email is missing, `input` is all that was sent: a 400 up to 1.16, a 422 from 1.17."""
    given = msgspec.json.decode(capture("1.16.1/01_login_missing_email").body)["message"]
    assert "'password': 'Secret-Pass-42'" in given
    if status == 422:
        given = (
            '[{"type":"missing","loc":["email"],"msg":"Field required",'
            '"input":{"password":"Secret-Pass-42"},"url":"https://errors.pydantic.dev/2.12/v/missing"}]'
        )
    code = {400: "invalid_param", 422: "unprocessable_entity"}[status]
    body = msgspec.json.encode({"code": code, "message": given, "status": status})
    error = verdicts.refusal(Reply(status, CIMultiDict(), body), "/login", "Secret-Pass-42")
    assert type(error) is DifyLoginError
    assert (error.status, error.code, error.message) == (status, code, "")
    assert "Secret-Pass-42" not in str(error)
    assert "the form of the email or the password" in str(error)


def _decoded(password: object) -> str | None:
    try:
        return base64.b64decode(str(password), validate=True).decode()
    except ValueError:
        return None


def test_a_token_for_registering_stays_out_of_the_text() -> None:
    """Up to 1.8.1 an unknown account is a 200 whose data is a secret."""
    body = b'{"result":"fail","data":"a-secret-token","code":"account_not_found"}'
    error = verdicts.refusal(Reply(200, CIMultiDict(), body), "/login", "Secret-Pass-42")
    assert isinstance(error, DifyLoginError)
    assert error.code == "account_not_found"
    assert "a-secret-token" not in repr(vars(error)) + str(error)
