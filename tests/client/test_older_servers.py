"""Arguments that an older server would silently ignore raise an error, and nothing is sent."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from dify_async import AsyncDifyServer, DifyConfigError
from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN, VERSIONS, an_app, client

# Method, arguments, and the version that came with the last of them (WIRE: 1.0 to 1.10; 1.15 is captured).
ARGUMENTS: list[tuple[str, dict[str, Any], str]] = [
    ("publish_workflow", {"marked_name": "v1"}, "1.0"),
    ("publish_workflow", {"marked_comment": "first"}, "1.0"),
    ("workflow_app_logs", {"start": "2026-11-01 00:00"}, "1.0.1"),
    ("workflow_app_logs", {"end": "2026-11-01 00:00"}, "1.0.1"),
    ("workflow_app_logs", {"session_id": "erp-1"}, "1.5"),
    ("workflow_app_logs", {"account": "owner@example.com"}, "1.5"),
    ("update_app", {"max_active_requests": 3}, "1.7"),
    ("update_app", {"max_active_requests": None}, "1.7"),
    ("workflow_runs", {"status": "failed"}, "1.9.2"),
    ("workflow_runs", {"triggered_from": "app-run"}, "1.9.2"),
    ("workflow_runs", {"triggered_from": "debugging"}, "1.9.2"),
    ("workflow_app_logs", {"detail": True}, "1.10"),
    ("workflow_app_logs", {"detail": False}, "1.10"),
    ("apps", {"sort_by": "recently_created"}, "1.15"),
    ("iter_apps", {"creator_ids": [UNKNOWN]}, "1.15"),
]


async def called(dify: AsyncDifyServer, method: str, app: str, arguments: dict[str, Any]) -> None:
    ids = () if "apps" in method.removesuffix("app_logs").split("_") else (app,)
    answer = getattr(dify, method)(*ids, **arguments)
    if inspect.isasyncgen(answer):
        async for _ in answer:
            break
    else:
        await answer


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_argument_of_a_newer_version(
    fake: FakeDifyServer, dify: AsyncDifyServer, subtests: pytest.Subtests
) -> None:
    app = an_app(fake, "workflow")
    for method, arguments, since in ARGUMENTS:
        (name,) = arguments
        fake.reset_counters()
        with subtests.test(method=method, **arguments):
            if numbers(fake.version) >= numbers(since):
                if name != "account":  # no member has that address
                    await called(dify, method, app, arguments)
                    assert fake.count() > 0
                continue
            hint = f"upgrade the server to {since} or newer"
            text = f"Dify {fake.version} ignores {name}; {hint}"
            with pytest.raises(DifyConfigError, match=rf"{re.escape(text)}$"):
                await called(dify, method, app, arguments)
            assert {request.path for request in fake.requests} <= {"/system-features"}


async def test_a_hidden_version_is_taken_for_the_newest() -> None:
    async with FakeDifyServer("1.15.0", hide_version=True) as fake, client(fake) as dify:
        for method, arguments, _ in ARGUMENTS:
            if "account" not in arguments:
                await called(dify, method, an_app(fake, "workflow"), arguments)


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_old_server_that_hides_its_version(version: str) -> None:
    """Up to 1.10.0 POST /workspaces/current is a 405, and up to 1.9.1 POST /logout [1.9.1/logout__post]."""
    password = {} if numbers(version) >= (1, 11, 2) else {"server_version": "1.9.1"}
    async with FakeDifyServer(version, hide_version=True) as fake:
        async with client(fake, **password) as dify:
            await dify.login()
            dify._probe._fixed = None  # what sign-in needs was given; the rest is to be found out
            assert (await dify.current_workspace()).id == fake.workspace_id
            await dify.logout()
        assert fake.requests[-1].path == "/logout"
        assert fake.requests[-1].status == 200


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
