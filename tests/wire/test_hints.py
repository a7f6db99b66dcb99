"""Hints for answers that are not from Dify."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from dify_async._http.wire import Reply, decode_error, status_error

PAGE = b"<html><title>Attention Required!</title></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def text_of(status: int, headers: dict[str, str], body: bytes = PAGE, base_path: str = "") -> str:
    return str(status_error("GET", "/apps", Reply(status, CIMultiDict(headers), body, base_path)))


@pytest.mark.parametrize("status", [401, 403, 405, 406, 429, 503])
def test_a_page_of_a_firewall(status: int) -> None:
    """calibre-web-companion#190, actuali PR 13."""
    assert "a web page, so it is from a firewall, proxy or login page in front" in text_of(status, HTML)


def test_a_page_of_another_server() -> None:
    text = text_of(404, HTML)
    assert text == (
        "GET /apps: 404. There is no such route, or base_url is not the address of Dify's API,"
        " or the id is not a UUID"
    )


def test_errors_of_dify_have_no_such_hint() -> None:
    body = b'{"code":"not_found","message":"App not found."}'
    assert text_of(404, HTML, body, "/apps") == "GET /apps: 404 not_found: App not found."
    assert text_of(403, {"Content-Type": "application/json"}, b"{}") == "GET /apps: 403"


@pytest.mark.parametrize("body", [PAGE, b"Unauthorized\n", b""])
def test_basic_auth_of_a_proxy(body: bytes) -> None:
    """conference-hall#612: it does not ask for the password of the Dify account."""
    text = text_of(401, {"WWW-Authenticate": 'Basic realm="team"'}, body)
    assert "A proxy in front of Dify, not Dify, requires a user name and password (basic auth)" in text


@pytest.mark.parametrize(
    "values", [["Negotiate", 'Basic realm="x"'], ['Negotiate, Basic realm="x"'], ["BASIC"]]
)
def test_basic_auth_is_found_among_other_schemes(values: list[str]) -> None:
    headers = CIMultiDict([("WWW-Authenticate", value) for value in values])
    assert "(basic auth)" in str(status_error("GET", "/apps", Reply(401, headers, b"")))


def test_a_proxy_that_requires_a_password() -> None:
    """For http the proxy's 407 is an answer, for https a failed CONNECT."""
    text = text_of(407, {"Proxy-Authenticate": "Basic"})
    assert text == (
        "GET /apps: 407. The proxy requires a user name and password:"
        " pass proxy= as http://USER:PASSWORD@HOST:PORT"
    )


def test_a_401_of_dify_is_not_basic_auth() -> None:
    body = b'{"code":"unauthorized","message":"Unauthorized."}'
    assert "basic auth" not in text_of(401, {"WWW-Authenticate": 'Bearer realm="api"'}, body)


@pytest.mark.parametrize(
    "location",
    [
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/dify.example.com?kid=1",
        "https://team.access.example/cdn-cgi/access/login/dify.example.com?meta=secret&redirect_url=%2Fconsole%2Fapi",
        "/cdn-cgi/access/login",
    ],
)
def test_cloudflare_access(location: str) -> None:
    """aiohttp#9334: its login page is not a base_url."""
    text = text_of(302, {"Location": location})
    assert "a login page of Cloudflare Access in front of Dify: add a policy" in text
    assert "base_url" not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "location",
    [
        "https://sso.example.com/login?rd=https://dify.example.com/console/api/apps",
        "https://sso.example.com/oauth2/console/api/start",
        "https://user:secret@sso.example.com/console/api/apps/secret",
    ],
)
def test_the_login_page_of_another_host_is_not_recommended(location: str) -> None:
    """aiohttp#10141: as base_url it would receive the password."""
    text = text_of(302, {"Location": location})
    assert "another page, on https://sso.example.com: if that is a login page in front of Dify" in text
    assert "base_url" not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "location", ["https://new.example.com/x/console/api/apps/", "//new.example.com/x/console/api/apps"]
)
def test_the_same_route_on_another_host_is_dify(location: str) -> None:
    assert "it points to base_url='https://new.example.com/x'" in text_of(308, {"Location": location})


@pytest.mark.parametrize(
    ("location", "base_url"),
    [
        ("http://[::1]:8080/console/api/apps", "http://[::1]:8080"),
        ("http://user:secret@[::1]/console/api/apps", "http://[::1]"),
        ("https://user:secret@New.example.com:8443/console/api/apps", "https://new.example.com:8443"),
    ],
)
def test_the_address_in_a_redirect_can_be_copied(location: str, base_url: str) -> None:
    text = text_of(308, {"Location": location})
    assert f"it points to base_url={base_url!r}" in text
    assert "secret" not in text


@pytest.mark.parametrize("location", ["ftp://files.example/console/api/apps", "javascript:1", "http://[::1/"])
def test_a_redirect_to_no_web_address(location: str) -> None:
    text = text_of(302, {"Location": location})
    assert text == "GET /apps: 302. Redirects are not followed; check base_url"


@pytest.mark.parametrize(
    ("status", "headers"),
    [(404, HTML), (405, HTML), (307, {"Location": "/signin"})],
    ids=["404", "405", "307"],
)
def test_a_base_url_copied_from_a_browser(status: int, headers: dict[str, str]) -> None:
    text = text_of(status, headers, base_path="/apps")
    assert "base_url has the path '/apps': omit the path if it was copied from a browser" in text


def test_a_page_instead_of_an_answer() -> None:
    for base_path, says in (("", "without a login page in front"), ("/signin", "the path '/signin'")):
        reply = Reply(200, CIMultiDict(HTML), PAGE, base_path)
        assert says in str(decode_error("GET", "/apps", reply, RecursionError()))


def test_nginx_requires_a_client_certificate() -> None:
    page = b"<html><center>No required SSL certificate was sent</center></html>"
    assert "requires a client certificate" in text_of(400, HTML, page)
