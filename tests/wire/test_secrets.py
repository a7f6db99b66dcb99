"""Secrets are masked in reprs, and removed from echoes of the server."""

from __future__ import annotations

import base64
import html
import json

import pytest
from multidict import CIMultiDict

from dify_async._http.wire import Reply, Request, status_error
from dify_async._secrets import (
    Secret,
    SecretBytes,
    masked,
    secrets_of,
    without_secrets,
)

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
