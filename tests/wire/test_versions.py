"""Facts that depend on Dify's version."""

from __future__ import annotations

import pytest

from dify_async import DifyConfigError
from dify_async._api import versions
from dify_async._api.versions import (
    ADMIN_KEY_NEEDS_CSRF,
    ENCODED_PASSWORD,
    Fact,
    checked_version,
    parse_version,
)
from dify_async.testing._console.rules import Rules

# The rows of the client and of the fake server for the same fact.
SAME_FACTS = {
    "ENCODED_PASSWORD": "encoded_password",
    "ADMIN_KEY_NEEDS_CSRF": "admin_key_needs_csrf",
    "SORTED_APPS": "sorts_apps",
    "SEPARATE_TAG_IDS": "indexed_tag_ids",
    "AGENT_APPS": "agent_mode",
    "MAX_ACTIVE_REQUESTS": "app_max_requests",
    "EXPORTED_VERSION": "exports_versions",
    "FILTERED_RUNS": "filters_runs",
    "WORKSPACE_BY_POST": "posts_workspace",
    "WORKSPACE_SUMMARY": "workspace_summary",
}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.11.2", (1, 11, 2)),
        ("v1.11.2", (1, 11, 2)),
        ("1.11", (1, 11, 0)),
        (" 1.17.0-rc1", (1, 17, 0)),
        ("1.11.2-fix.1", (1, 11, 2)),
    ],
)
def test_versions(text: str, version: tuple[int, int, int]) -> None:
    assert parse_version(text) == version
    assert checked_version(text) == text


@pytest.mark.parametrize("text", ["", "abc", "1", "v", "x1.2.3", "\u0661.\u0662.\u0663"])
def test_other_texts_are_not_versions(text: str) -> None:
    assert parse_version(text) is None
    with pytest.raises(DifyConfigError, match="server_version must be a version"):
        checked_version(text)


@pytest.mark.parametrize(("version", "is_true"), [("1.11.1", False), ("1.11.2", True), ("2.0", True)])
def test_a_fact_is_true_from_its_release(version: str, *, is_true: bool) -> None:
    assert ENCODED_PASSWORD(version) is is_true


@pytest.mark.parametrize(
    ("version", "is_true"),
    [("1.9.1", False), ("1.9.2", True), ("1.10.1", True), ("1.11.0", False)],
)
def test_a_fact_is_true_before_the_release_that_ends_it(version: str, *, is_true: bool) -> None:
    assert ADMIN_KEY_NEEDS_CSRF(version) is is_true


def test_a_hidden_version_is_the_newest() -> None:
    assert ENCODED_PASSWORD("")
    assert not ADMIN_KEY_NEEDS_CSRF("")


@pytest.mark.parametrize(("name", "rule"), SAME_FACTS.items())
def test_the_client_and_the_fake_server_agree(name: str, rule: str) -> None:
    fact: Fact = getattr(versions, name)
    major, minor, patch = fact.since
    before = (major, minor, patch - 1) if patch else (major, minor - 1, 99)
    for release in (before, fact.since, fact.until or (9, 0, 0)):
        version = ".".join(map(str, release))
        assert fact(version) is getattr(Rules(version), rule), version
