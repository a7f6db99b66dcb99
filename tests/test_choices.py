"""The closed sets of texts: complete, and with a suggestion for a misspelt one."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

import pytest

import dify_async
from dify_async import (
    AnnotationStatus,
    AppMode,
    AppSort,
    AsyncDifyServer,
    ConversationSort,
    DashboardFeed,
    DifyConfigError,
    Metric,
    MetricName,
    WorkflowRunStatus,
)
from dify_async.testing import FakeDifyServer
from tests.captures import capture

APP = "6fd7cbb0-3692-418d-a4b8-dcc6b46371ef"


def test_each_metric_has_its_name() -> None:
    assert get_args(MetricName) == tuple(map(str, Metric))


@pytest.mark.parametrize(
    ("type_", "name", "others"),
    [
        # A list may also be of all modes, or of those that Dify removed.
        (AppMode, "1.15.0/04_apps_list_mode_unknown", {"all", "channel"}),
        (AppSort, "1.15.0/04_apps_list_sort_by_bogus", set()),
        (ConversationSort, "1.15.0/06_chat_conversations_sort_unknown", set()),
    ],
)
def test_the_choices_are_those_of_the_server(type_: Any, name: str, others: set[str]) -> None:
    text = capture(name).reply.body.decode()
    (listed,) = re.findall(r"Input should be ([^\[]*) \[type", text)
    assert set(get_args(type_)) == set(re.findall(r"'([^']+)'", listed)) - others


CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mode": ("apps", "chat", {"mode": "chatt"}),
    "mode of a page": ("apps_page", "agent-chat", {"mode": "agent_chat"}),
    "mode of a dashboard": ("dashboard", "workflow", {"mode": "workflows"}),
    "sort_by": ("apps", "last_modified", {"sort_by": "modified"}),
    "sort_by of conversations": ("chat_conversations", "created_at", {"app_id": APP, "sort_by": "created"}),
    "annotation_status": (
        "completion_conversations",
        "not_annotated",
        {"app_id": APP, "annotation_status": "not-annotated"},
    ),
    "status": ("workflow_runs", "succeeded", {"app_id": APP, "status": "success"}),
    "status of logs": ("workflow_app_logs", "failed", {"app_id": APP, "status": "fail"}),
    "metrics": ("statistics", "token_costs", {"app": APP, "metrics": ["token_cost"]}),
    "on_error": ("statistics", "collect", {"app": APP, "on_error": "colect"}),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_misspelt_choice(name: str) -> None:
    method, meant, arguments = CALLS[name]
    async with (
        FakeDifyServer() as fake,
        AsyncDifyServer(fake.base_url, fake.email, fake.password) as dify,
    ):
        with pytest.raises(DifyConfigError, match=f"must be one of .*; did you mean '{meant}'"):
            await getattr(dify, method)(**arguments)
        assert fake.count() == 0


def test_no_argument_of_a_closed_set_is_any_text() -> None:
    closed = {"mode", "sort_by", "annotation_status", "status", "on_error", "metrics"}
    for method, function in inspect.getmembers(AsyncDifyServer, inspect.isfunction):
        for name, parameter in inspect.signature(function).parameters.items():
            if name in closed and not method.startswith("_"):
                assert not re.search(r"\bstr\b", str(parameter.annotation)), (method, name)


@pytest.mark.parametrize("name", ["mode", "mode of a page", "mode of a dashboard", "sort_by", "status"])
async def test_all_is_not_a_filter(name: str) -> None:
    """Dify's own API takes mode=all."""
    method, _, arguments = CALLS[name]
    (choice,) = arguments.keys() - {"app_id"}
    async with AsyncDifyServer("http://127.0.0.1:1", "a@example.com", "x") as dify:
        with pytest.raises(DifyConfigError, match=f"^{choice} must be .*, got 'all'; leave it out for all"):
            await getattr(dify, method)(**{**arguments, choice: "all"})
        with pytest.raises(DifyConfigError, match=r"^mode must be one of .*, got 'all'$"):
            await dify.create_app("a", "all")  # type: ignore[arg-type]


def test_users_can_import_what_they_write_in_annotations() -> None:
    foreign = {"Any", "AsyncIterator", "ClientSession", "False", "Iterable", "Literal", "Mapping", "None"}
    foreign |= {"Path", "Redis", "RedisCluster", "SSLContext", "Self", "Sequence", "T", "True", "UNSET"}
    foreign |= {"UnionType", "Unpack"}
    foreign |= {"UnsetType"}
    internal = {"Options", "QueryValue"}  # of keyword arguments and queries, which callers write in place
    for owner in (AsyncDifyServer, DashboardFeed):
        for method, function in inspect.getmembers(owner, inspect.isfunction):
            if not method.startswith("_") or method == "__init__":
                names = set(re.findall(r"\b[A-Z]\w*", str(inspect.signature(function))))
                assert names - foreign - internal <= {*dify_async.__all__, "DashboardClient"}, method
    assert "paused" in get_args(WorkflowRunStatus)
    assert "all" in get_args(AnnotationStatus)
