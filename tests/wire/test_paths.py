"""Addresses: base URLs, ids and query values."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from dify_async import DifyConfigError
from dify_async._paths import normal_base_url, segment, target


@given(st.text())
def test_any_id_stays_in_its_segment_or_is_refused(identifier: str) -> None:
    try:
        path = target("/apps/{}/api-keys", (identifier,), ())
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
def test_ids_that_could_reach_another_route_are_refused(identifier: str) -> None:
    with pytest.raises(DifyConfigError, match="is not an id"):
        segment(identifier)


@pytest.mark.parametrize("identifier", [None, 1, b"abc", ["a"]])
def test_what_is_no_text_is_no_id(identifier: object) -> None:
    with pytest.raises(DifyConfigError, match="is not an id"):
        segment(identifier)  # type: ignore[arg-type]  # what a caller without a type checker does


@pytest.mark.parametrize("identifier", ["a?b", "a#b", "a b", "é", "a;b", "a&b"])
def test_other_ids_are_quoted(identifier: str) -> None:
    quoted = segment(identifier)
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
def test_one_spelling_for_each_server(given: str, normal: str) -> None:
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
    ],
)
def test_what_is_no_base_url_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(DifyConfigError, match="base_url") as refused:
        normal_base_url(given)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("given", [None, 5, b"https://host"])
def test_what_is_no_text_is_no_base_url(given: object) -> None:
    with pytest.raises(DifyConfigError, match="base_url"):
        normal_base_url(given)  # type: ignore[arg-type]  # what a caller without a type checker does


def test_query_values() -> None:
    """An empty `start=` is a 400 up to 1.10.1, so what is absent is left out."""
    query = (("page", 1), ("yes", True), ("no", False), ("none", None), ("start", "2025-10-23 00:00"))
    assert target("/apps", (), query) == "/apps?page=1&yes=true&no=false&start=2025-10-23%2000%3A00"
    assert target("/apps", (), (("none", None),)) == "/apps"
    assert target("/apps", (), (("name", "a&b=ü+"),)) == "/apps?name=a%26b%3D%C3%BC%2B"
