"""The rules of logging in and refreshing, on the captured answers of each version."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from dify_async import (
    DifyAuthenticationError,
    DifyDecodeError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyPermissionError,
    DifyServerError,
    DifyStatusError,
    Tokens,
)
from dify_async._api.versions import ADMIN_KEY_NEEDS_CSRF
from dify_async._auth import rules, verdicts
from dify_async._http.wire import Reply
from tests.captures import VERSIONS, Capture, capture, captures

COOKIE_ERA = ("1.10.1", "1.11.2", "1.15.0", "1.16.1", "1.17-pre")


def of_route(version: str, route: str) -> list[Capture]:
    return [row for row in captures(version) if row.route == route and row.method == "POST"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_captured_login_gives_tokens_or_a_rejection(version: str) -> None:
    rows = of_route(version, "/login")
    assert len(rows) > 10
    for row in rows:
        tokens = rules.read_tokens(row.reply)
        body = msgspec.json.decode(row.body)
        if row.status == 200 and body["result"] == "success":
            assert tokens is not None, str(row)
            assert (tokens.cookie_names is not None) == (version in COOKIE_ERA)
            continue
        assert tokens is None, str(row)
        error = verdicts.refusal(row.reply, "/login", "Secret-Pass-42")
        code = body.get("code")
        if code == "email_code_login_limit":
            assert type(error) is DifyLoginLockedError, str(row)
        elif code == "not_setup":
            assert type(error) is DifyAuthenticationError, str(row)
        elif row.status in {200, 400, 401, 403, 422}:
            assert type(error) is DifyLoginError, str(row)
        else:
            assert isinstance(error, DifyStatusError), str(row)
            assert not isinstance(error, DifyLoginError), str(row)
        if isinstance(error, DifyLoginError):  # it says what to do
            assert str(error).endswith((*verdicts._ADVICE, "Check server_version.")), str(error)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_captured_login_by_code_is_rejected(version: str) -> None:
    """No mail was read for them. One of a bad form is a 422 from 1.17, and a refusal like the others."""
    path = "/email-code-login/validity"
    for row in of_route(version, path):
        assert rules.read_tokens(row.reply) is None, str(row)
        assert type(verdicts.refusal(row.reply, path, "Secret-Pass-42")) is DifyLoginError, str(row)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_captured_refresh_gives_tokens_or_shows_whether_the_token_is_invalid(version: str) -> None:
    rows = of_route(version, "/refresh-token")
    assert rows
    for row in rows:
        tokens = rules.read_tokens(row.reply)
        assert (tokens is not None) == (row.status == 200), str(row)
        dead = "Invalid refresh token" in row.body
        assert rules.refresh_token_is_dead(row.reply) == dead, str(row)
    assert any(rules.refresh_token_is_dead(row.reply) for row in rows)


def test_a_failure_of_the_server_does_not_kill_the_refresh_token() -> None:
    answer = capture("1.15.0/11_redis_down_refresh").reply
    assert answer.status == 401
    assert not rules.refresh_token_is_dead(answer)


def test_the_text_of_an_account_without_a_workspace_reaches_the_user() -> None:
    error = verdicts.refusal(
        capture("1.11.2/01_login_account_without_workspace").reply, "/login", "Secret-Pass-42"
    )
    assert isinstance(error, DifyLoginError)
    assert error.status == 200
    assert "workspace not found" in str(error)
    assert "workspace not found" in error.message


def test_tokens_come_by_the_names_and_values_that_were_sent() -> None:
    tokens = rules.read_tokens(capture("1.11.2/11_https_login_ok_host_prefixed_secure_cookies").reply)
    assert tokens is not None
    assert tokens.cookie_names == {
        "access_token": "__Host-access_token",
        "refresh_token": "__Host-refresh_token",
        "csrf_token": "__Host-csrf_token",
    }
    headers = rules.call_headers(tokens)
    assert headers["Cookie"] == (
        f"__Host-access_token={tokens.access_token}; __Host-csrf_token={tokens.csrf_token}"
    )
    assert headers["X-CSRF-Token"] == tokens.csrf_token
    assert "Authorization" not in headers


def test_a_cookie_of_a_domain_comes_by_its_plain_name() -> None:
    tokens = rules.read_tokens(capture("1.15.0/11_cookie_domain_login_ok").reply)
    assert tokens is not None
    assert tokens.cookie_names is not None
    assert tokens.cookie_names["access_token"] == "access_token"


def test_a_prefixed_refresh_token_goes_back_under_both_names() -> None:
    """dify#27354: 1.9.2 set the one and read the other."""
    names = {name: f"__Host-{name}" for name in ("access_token", "refresh_token", "csrf_token")}
    tokens = Tokens(access_token="a", refresh_token="r", csrf_token="c", cookie_names=names)
    headers, _ = rules.refresh_request(tokens)
    assert headers["Cookie"] == "__Host-refresh_token=r; refresh_token=r"


def test_the_bearer_era_refreshes_by_body() -> None:
    headers, body = rules.refresh_request(Tokens(access_token="a", refresh_token="r"))
    assert "Cookie" not in headers
    assert msgspec.json.decode(body) == {"refresh_token": "r"}
    assert rules.call_headers(Tokens(access_token="a", refresh_token="r")) == {"Authorization": "Bearer a"}


@pytest.mark.parametrize("bad", ["a\nb", "a\0b", "a\x80b", "a\udc80b"])
@pytest.mark.parametrize("name", ["access_token", "refresh_token", "csrf_token"])
def test_what_no_header_may_hold_is_no_token(name: str, bad: str) -> None:
    good = {"access_token": "a", "refresh_token": "r", "csrf_token": "c"}
    for tokens, are_read in ((good, True), (good | {name: bad}, False)):
        cookies = CIMultiDict(("Set-Cookie", f"{key}={value}; Path=/") for key, value in tokens.items())
        assert (rules.read_tokens(Reply(200, cookies, b"{}")) is not None) is are_read
    body = msgspec.json.encode({"data": good | {name: bad.replace("\udc80", "é")}})
    assert (rules.read_tokens(Reply(200, CIMultiDict(), body)) is None) is (name != "csrf_token")


@pytest.mark.parametrize("exp", ["9" * 400, "9" * 30, "-1", "null"])
def test_an_invalid_expiry_is_ignored(exp: str) -> None:
    """One of 400 digits is an OverflowError in a sum with a float."""
    claims = base64.urlsafe_b64encode(f'{{"exp":{exp}}}'.encode()).decode()
    assert rules.expiry(f"a.{claims}.b") is None


def test_cleared_cookies_are_no_tokens() -> None:
    assert rules.read_tokens(capture("1.11.2/02_logout_ok").reply) is None


def test_the_expiry_is_that_of_the_token() -> None:
    tokens = rules.read_tokens(capture("1.11.2/01_login_ok").reply)
    assert tokens is not None
    assert tokens.expires_at == 1795575178


@given(st.text())
def test_any_text_has_an_expiry_or_none(token: str) -> None:
    assert rules.expiry(token) is None or isinstance(rules.expiry(token), int)


@pytest.mark.parametrize(
    ("version", "sent"),
    [
        ("0.15.3", "pässword"),
        ("1.9.1", "pässword"),
        ("1.9.2", "pässword"),
        ("1.11.1", "pässword"),
        ("1.11.2", base64.b64encode("pässword".encode()).decode()),
        ("1.11.2-fix.1", base64.b64encode("pässword".encode()).decode()),
        ("2.0", base64.b64encode("pässword".encode()).decode()),
        ("", base64.b64encode("pässword".encode()).decode()),
    ],
)
def test_the_password_is_encoded_from_1_11_2_and_where_the_version_is_hidden(version: str, sent: str) -> None:
    body = msgspec.json.decode(rules.login_body("a@example.com", "pässword", version))
    assert body["password"] == sent


def test_the_method_of_logout() -> None:
    """By how the tokens came, which is known where the version is hidden [1.9.1/logout__post: 405]."""
    bearer = Tokens(access_token="a", refresh_token="r")
    names = {name: name for name in ("access_token", "refresh_token", "csrf_token")}
    cookies = Tokens(access_token="a", refresh_token="r", csrf_token="c", cookie_names=names)
    assert (rules.logout_method(bearer), rules.logout_method(cookies)) == ("GET", "POST")


@pytest.mark.parametrize(
    ("version", "fails"),
    [("1.9.1", False), ("1.9.2", True), ("1.10.1", True), ("1.11.0", False), ("", False)],
)
def test_versions_that_cannot_serve_an_admin_key(version: str, *, fails: bool) -> None:
    assert ADMIN_KEY_NEEDS_CSRF(version) is fails


@pytest.mark.parametrize(
    ("status", "kind", "body", "error"),
    [
        (200, "text/html", b"<html>", DifyDecodeError),
        (200, "application/json", b"{}", DifyDecodeError),
        (200, "application/json", b'{"result":"success"}', DifyDecodeError),
        (200, "application/json", b'{"status":"maintenance"}', DifyDecodeError),
        (403, "application/json", b'{"message":"Forbidden"}', DifyPermissionError),
        (
            401,
            "application/json",
            b'{"code":"unauthorized","message":"Token has expired.","status":401}',
            DifyAuthenticationError,
        ),
        (422, "application/json", b'{"code":"unprocessable_entity","message":"[]"}', DifyLoginError),
        (401, "text/html", b"<html>", DifyAuthenticationError),
        (403, "text/html", b"<html>", DifyPermissionError),
        (403, "application/json", b'{"code":"forbidden","message":"x","status":403}', DifyLoginError),
        (502, "text/html", b"<html>", DifyServerError),
        (500, "application/json", b'{"code":"unknown","message":"x"}', DifyServerError),
        (401, "application/json", b'{"code":"unauthorized_and_force_logout"}', DifyAuthenticationError),
        (401, "application/json", b'{"code":"not_init_validated"}', DifyAuthenticationError),
    ],
)
def test_other_answers_to_a_login(status: int, kind: str, body: bytes, error: type[Exception]) -> None:
    reply = Reply(status, CIMultiDict({"Content-Type": kind}), body)
    assert rules.read_tokens(reply) is None
    assert type(verdicts.refusal(reply, "/login", "Secret-Pass-42")) is error


def test_an_answer_without_the_version_that_others_had_is_no_verdict() -> None:
    """nest_legacy#59: of a gateway, which may use any code."""
    body = b'{"code":"forbidden","message":"x","status":403}'
    error = verdicts.refusal(Reply(403, CIMultiDict(), body), "/login", "Secret-Pass-42", is_from_dify=False)
    assert type(error) is DifyPermissionError


@pytest.mark.parametrize(
    ("attributes", "is_token"),
    [
        ("; Path=/", True),
        ("; Max-Age=3600; Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        ("; Max-Age=0", False),
        ("; max-age=-1", False),
        ("; Expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("; Expires=soon", True),
    ],
)
def test_a_deleted_cookie_is_no_token(attributes: str, *, is_token: bool) -> None:
    """`access_token=deleted; Max-Age=0`: PHP and some proxies delete a cookie so."""
    cookies = CIMultiDict(
        ("Set-Cookie", f"{name}=deleted{attributes}")
        for name in ("access_token", "refresh_token", "csrf_token")
    )
    assert (rules.read_tokens(Reply(200, cookies, b"{}")) is not None) is is_token
