"""Base URLs, proxies, ids and query values."""

from __future__ import annotations

import base64
from urllib.parse import quote, unquote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from dify_async import DifyConfigError
from dify_async._http.urls import build_target, checked_proxy, normal_base_url, quote_id


@given(st.text())
def test_any_id_stays_in_its_segment_or_is_invalid(identifier: str) -> None:
    try:
        path = build_target("/apps/{}/api-keys", (identifier,), ())
    except DifyConfigError:
        return
    url = URL("http://host/console/api" + path, encoded=True)
    assert url.raw_path == "/console/api" + path
    parts = unquote(url.raw_path).split("/")
    assert parts == ["", "console", "api", "apps", identifier, "api-keys"]
    assert not url.raw_query_string
    assert not url.raw_fragment


@pytest.mark.parametrize(
    "identifier",
    ["", ".", "..", "a/b", "a\\b", "%2e%2e", "a%2Fapi-keys", "\x00", "\n", "\x85", "\ud800", "x" * 10_000],
)
def test_ids_that_could_reach_another_route_are_invalid(identifier: str) -> None:
    with pytest.raises(DifyConfigError, match="is not an id"):
        quote_id(identifier)


@pytest.mark.parametrize("identifier", [None, 1, b"abc", ["a"]])
def test_an_id_must_be_text(identifier: object) -> None:
    with pytest.raises(DifyConfigError, match="is not an id"):
        quote_id(identifier)  # type: ignore[arg-type]  # what a caller without a type checker does


@pytest.mark.parametrize("identifier", ["a?b", "a#b", "a b", "é", "a;b", "a&b"])
def test_other_ids_are_quoted(identifier: str) -> None:
    quoted = quote_id(identifier)
    assert unquote(quoted) == identifier
    assert not set("?#/ ;&") & set(quoted)


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://dify.example.com", "https://dify.example.com"),
        ("https://dify.example.com/", "https://dify.example.com"),
        ("  https://dify.example.com/console/api/ ", "https://dify.example.com"),
        ("HTTPS://Dify.Example.COM:443/console/api", "https://dify.example.com"),
        ("http://dify.example.com:80", "http://dify.example.com"),
        ("http://dify.example.com:8080/dify/", "http://dify.example.com:8080/dify"),
        ("http://host/dify/console/api", "http://host/dify"),
        ("http://[::1]:5001", "http://[::1]:5001"),
        ("http://127.0.0.1:5001/", "http://127.0.0.1:5001"),
    ],
)
def test_base_urls_have_a_canonical_spelling(given: str, normal: str) -> None:
    assert normal_base_url(given) == normal
    assert normal_base_url(normal) == normal


@pytest.mark.parametrize(
    "given",
    [
        "",
        " ",
        "dify.example.com",
        "ftp://dify.example.com",
        "https://",
        "https:///path",
        "https://user:hunter2@dify.example.com",
        "https://dify.example.com:99999",
        "https://[::1",
        "https://dify.example.com/?token=hunter2",
        "https://dify.example.com/#hunter2",
        "https://a b.example.com",
        "//dify.example.com",
        "http://dify..example.com",  # requests#5367: from a template with an empty variable
        "http://.example.com",
        "http://" + "a" * 64 + ".example.com",  # requests#5474
        "http://dify\u200b.example.com",  # portal#301
        "http://dify\u202e.example",
        "http://127.0.0.1\\console",
        "http://dify.example\\.evil.example",
        "http://dify.example.com/\udce9",
    ],
)
def test_invalid_base_urls_are_not_in_the_error(given: str) -> None:
    with pytest.raises(DifyConfigError, match="base_url") as refused:
        normal_base_url(given)
    assert "hunter2" not in str(refused.value)


APP = "6fd7cbb0-3692-418d-a4b8-dcc6b46371ef"


@pytest.mark.parametrize(
    "page",
    [
        "/signin",
        "/install",
        "/init",
        "/apps",
        "/explore/apps",
        "/datasets",
        "/v1",
        f"/app/{APP}/workflow",
        f"/app/{APP}",
        f"/datasets/{APP}/documents",
    ],
)
def test_a_base_url_of_a_page_or_of_another_api(page: str) -> None:
    """dify-bot#1."""
    for host in ("https://dify.example.com", "http://127.0.0.1:5001/dify"):
        for end in ("", "/", "/console/api"):
            with pytest.raises(DifyConfigError, match=f"remove {page} from base_url"):
                normal_base_url(host + page + end)


def test_a_base_url_of_a_route() -> None:
    with pytest.raises(DifyConfigError, match="remove /login from base_url"):
        normal_base_url("https://dify.example.com/console/api/login")


@pytest.mark.parametrize(
    "path", ["/dify", "/apps/dify", "/v1/dify", "/app/dify", "/console", "/my-apps", "/api"]
)
def test_a_server_below_a_path(path: str) -> None:
    assert normal_base_url(f"https://example.com{path}/") == f"https://example.com{path}"


HOSTS = st.one_of(
    st.text(), st.text("a.-_\\@:[]%\u200b\u202e\udce9ßé1/?#"), st.from_regex(r"\A[^/]+(:\d+)?\Z")
)


@given(HOSTS)
@example("a..b")
@example("a" * 64)
@example("a\\b")
def test_any_base_url_can_be_resolved_or_is_invalid(text: str) -> None:
    """requests#5367: otherwise the resolver raises a UnicodeError or ValueError at each call."""
    for given_url in (text, f"https://{text}"):
        try:
            base_url = normal_base_url(given_url)
        except DifyConfigError:
            continue
        host = URL(base_url + "/console/api", encoded=True).raw_host
        assert host is not None
        assert host.encode("idna")
        base_url.encode()


@given(HOSTS)
@example("user:hunter2#77@127.0.0.1:1")
@example("[]@")
def test_any_proxy_can_be_resolved_or_is_invalid(text: str) -> None:
    for given_url in (text, f"http://{text}"):
        try:
            proxy = checked_proxy(given_url)
        except DifyConfigError:
            continue
        assert proxy.url.raw_host is not None
        assert proxy.url.raw_host.encode("idna")
        assert proxy.url.raw_user is None
        assert proxy.url.raw_password is None


@pytest.mark.parametrize("sign", "#/?[\\")
@pytest.mark.parametrize("password", ["hunter2{}77", "77{}hunter2", "{}hunter2"])
def test_the_password_of_a_proxy_must_be_percent_encoded(sign: str, password: str) -> None:
    """Otherwise a part of the password would be parsed as the host, the port or the path."""
    with pytest.raises(DifyConfigError, match="percent-encoded") as refused:
        checked_proxy(f"http://user:{password.format(sign)}@127.0.0.1:1")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        "http://",
        "http://:3128",
        "proxy:3128",
        "socks5://proxy:1080",
        "http://proxy:0",
        "http://proxy:99999",
        "http://a..b:1",
        None,
        5,
    ],
)
def test_invalid_proxies(given: object) -> None:
    with pytest.raises(DifyConfigError, match="proxy must be"):
        checked_proxy(given)  # type: ignore[arg-type]  # what a caller without a type checker does


def test_the_url_of_a_proxy_has_no_password() -> None:
    proxy = checked_proxy(" HTTP://user:p%23%C3%A9@Proxy.example.com:3128/ ")
    assert str(proxy.url) == "http://proxy.example.com:3128/"
    assert proxy.authorization == "Basic " + base64.b64encode("user:p#é".encode()).decode()
    assert "Basic" not in repr(proxy)
    assert checked_proxy("https://proxy.example.com").authorization is None


@pytest.mark.parametrize("given", [None, 5, b"https://host"])
def test_a_base_url_must_be_text(given: object) -> None:
    with pytest.raises(DifyConfigError, match="base_url"):
        normal_base_url(given)  # type: ignore[arg-type]  # what a caller without a type checker does


def test_query_values() -> None:
    """None is omitted, since an empty `start=` is a 400 up to 1.10.1."""
    query = (("page", 1), ("yes", True), ("no", False), ("none", None), ("start", "2025-10-23 00:00"))
    assert build_target("/apps", (), query) == "/apps?page=1&yes=true&no=false&start=2025-10-23%2000%3A00"
    assert build_target("/apps", (), (("none", None),)) == "/apps"
    assert build_target("/apps", (), (("name", "a&b=ü+"),)) == "/apps?name=a%26b%3D%C3%BC%2B"


@given(st.text(), st.text())
def test_query_values_are_quoted_like_urllib_does(name: str, value: str) -> None:
    try:
        expected = urlencode({name: value}, quote_via=quote, safe="")
    except UnicodeEncodeError:
        with pytest.raises(DifyConfigError, match="filters must be valid Unicode"):
            build_target("/apps", (), ((name, value),))
    else:
        assert build_target("/apps", (), ((name, value),)) == f"/apps?{expected}"
