"""What the fake answers has the fields of what real servers answered, by route and version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from dify_async.testing import FakeDifyServer
from tests.fake.user import User, captured

# Fields that the fake leaves out, as none of them tells a client anything.
LEFT_OUT: Final = {
    "/datasets": {
        *("retrieval_model_dict", "external_knowledge_info", "external_retrieval_model", "doc_metadata"),
        *("built_in_field_enabled", "pipeline_id", "runtime_mode", "chunk_structure", "icon_info"),
        *("is_published", "total_documents", "total_available_documents", "enable_api"),
        *("partial_member_list", "summary_index_setting"),
    },
}
# The method, the path for the fake, and where the rows are.
ROUTES: Final = [
    ("GET", "/workspaces", "workspaces"),
    ("GET", "/workspaces/current/members", "accounts"),
    ("GET", "/datasets", "data"),
    ("GET", "/datasets/{dataset}/indexing-status", "data"),
    ("GET", "/datasets/{dataset}/error-docs", "data"),
    ("GET", "/apps/{workflow}/workflow-app-logs", "data"),
    ("GET", "/apps/{workflow}/workflows/publish", ""),
    ("GET", "/apps/{completion}/completion-conversations", "data"),
    ("GET", "/apps/{chat}/annotations", "data"),
    ("GET", "/apps/{chat}/export", ""),
    ("GET", "/features", ""),
    ("GET", "/setup", ""),
    ("POST", "/apps", ""),
    ("PUT", "/apps/{chat}", ""),
    ("POST", "/apps/{chat}/copy", ""),
    ("POST", "/apps/{chat}/api-enable", ""),
    ("POST", "/apps/{chat}/site-enable", ""),
    ("POST", "/workspaces/current", ""),
    ("GET", "/workspaces/current/summary", ""),
    ("GET", "/account/profile", ""),
    ("GET", "/system-features", ""),
]
BODIES: Final[dict[str, object]] = {
    "/apps": {"name": "n", "mode": "chat"},
    "/apps/{chat}": {"name": "n", "description": "", "use_icon_as_answer_icon": False},
    "/apps/{chat}/api-enable": {"enable_api": True},
    "/apps/{chat}/copy": {},
    "/apps/{chat}/site-enable": {"enable_site": True},
}
ID: Final = "[0-9a-f-]{36}"


def _real(version: str, method: str, path: str, rows: str) -> Iterator[dict[str, Any]]:
    pattern = re.sub(r"\{\w+\}", ID, path)
    for capture in captured(version):
        is_meant = capture.method == method and re.fullmatch(pattern, capture.route)
        if is_meant and capture.status in {200, 201} and not capture.is_compressed:
            body = msgspec.json.decode(capture.body)
            yield from (body[rows] if rows else [body] if body is not None else [])


async def test_routes(user: User, fake: FakeDifyServer, subtests: pytest.Subtests) -> None:
    places = {app.mode: app.id for app in fake.apps if app.messages_per_day}
    places["dataset"] = (await user.get("/datasets")).json["data"][1]["id"]
    for method, path, rows in ROUTES:
        real = list(_real(fake.version, method, path, rows))
        if not real:
            continue
        with subtests.test(method=method, path=path):
            answer = await user.ask(method, path.format(**places), content=BODIES.get(path))
            found = answer.json[rows] if rows else [answer.json]
            assert found
            for row in found[:20]:
                assert _fields(row) | LEFT_OUT.get(path, set()) >= set.intersection(*map(_fields, real))
                assert _fields(row) <= set.union(*map(_fields, real))


def _fields(row: dict[str, Any]) -> set[str]:
    return set(row)
