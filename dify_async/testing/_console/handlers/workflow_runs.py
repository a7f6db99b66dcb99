"""Runs of workflows, and their log."""

import math
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from typing import Any

from dify_async.testing._console import errors
from dify_async.testing._console.handlers.people import console_user, creator
from dify_async.testing._console.handlers.workflows import GRAPH_MODES, VERSION
from dify_async.testing._console.history import Message, run_id, run_status, session_id
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.listing import matcher, page_and_limit, page_body
from dify_async.testing._console.models import FakeApp, make_id
from dify_async.testing._console.params import Params, is_uuid
from dify_async.testing._console.routing import Route
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State

_STATUSES = ("running", "succeeded", "failed", "stopped", "partial-succeeded")
_LEGACY_LOG_STATUSES = ("succeeded", "failed", "stopped", "partial-succeeded")
_LOG_STATUSES = ("scheduled", "running", *_LEGACY_LOG_STATUSES, "paused")


def runs(state: State, call: Call) -> Reply:
    """GET /apps/{id}/workflow-runs: by default runs from the console, of which there are none.

    Up to 1.9.1 there is no such filter, and the fake lists the users' runs.
    """
    rules = state.rules
    app = state.find_app(call, GRAPH_MODES)
    arguments = call.arguments()
    params = Params(rules, "WorkflowRunListQuery", arguments)
    limit = params.integer("limit", 20, high=100)
    status = params.choice("status", _STATUSES, _STATUSES[0]) if "status" in arguments else None
    if rules.filters_runs:
        params.choice("triggered_from", ("debugging", "app-run"), "debugging")
    last_id = arguments.get("last_id")
    if last_id and rules.pydantic and not is_uuid(last_id):
        params.reject("last_id", "", "value_error", f"Value error, {last_id} is not a valid uuid.")
    params.check()
    history = state.traffic.history(app)
    found = history.without_debug.runs(status if rules.filters_runs else None)[::-1]
    if rules.filters_runs and arguments.get("triggered_from") != "app-run":
        found = ()
    if last_id:
        last = history.by_run.get(last_id)
        if last not in found:
            raise errors.error(400, "invalid_param", "Last workflow run not exists")
        found = found[found.index(last) + 1 :]
    rows = [
        _run(app, run) | {"created_by_account": None, "retry_index": None, **_ends(run)}
        for run in found[:limit]
    ]
    return json_reply({"limit": limit, "has_more": len(found) > limit, "data": rows})


def run_detail(state: State, call: Call) -> Reply:
    """GET /apps/{id}/workflow-runs/{id}: for an unknown one a 200 of nulls up to 1.14."""
    app = state.find_app(call, GRAPH_MODES)
    found = state.traffic.history(app).by_run.get(call.ids["run_id"])
    if found is None and state.rules.newest_features:
        raise errors.error(404, "not_found", "Workflow run not found")
    shown = found or Message(0, 0, 0, 0, 0, 0, None, 0, liked=False)
    body = _run(app, shown) | {
        "graph": {},
        "inputs": {"question": "?"},
        "outputs": {},
        "error": _error(shown),
        **creator(state, app, shown.user),
        **_ends(shown),
    }
    return json_reply(dict.fromkeys(body) if found is None else body)


def logs(state: State, call: Call) -> Reply:
    """GET /apps/{id}/workflow-app-logs: only for apps of mode workflow."""
    rules, arguments = state.rules, call.arguments()
    app = state.find_app(call, ("workflow",))
    params = Params(rules, "WorkflowAppLogQuery", arguments)
    page, limit = page_and_limit(params)
    status = params.member("status", _LOG_STATUSES if rules.pydantic else _LEGACY_LOG_STATUSES)
    after = _moment(rules, params, "created_at__after", -math.inf)
    before = _moment(rules, params, "created_at__before", math.inf)
    params.check()
    if (email := arguments.get("created_by_account")) and state.accounts.by_email(email) is None:
        raise errors.error(400, "invalid_param", f"Account not found: {email}")
    history = state.traffic.history(app)
    found = history.runs(status)
    first, last = bisect_left(found, after, key=_started_at), bisect_right(found, before, key=_started_at)
    found = found[first:last][::-1]
    if email:
        found = [run for run in found if (console_user(state, run.user) or {}).get("email") == email]
    if keyword := arguments.get("keyword"):
        is_found = matcher(rules, keyword)
        users = [user for user in history.by_user if user >= 0]
        matching = {user for user in users if is_found(session_id(user))}
        found = [run for run in found if run.user in matching]
    rows = [_log(state, app, run) for run in found[(page - 1) * limit : page * limit]]
    return json_reply(page_body(page, limit, len(found), rows))


def _started_at(run: Message) -> int:
    return run.at


def _log(state: State, app: FakeApp, run: Message) -> dict[str, Any]:
    extra = {"triggered_from": "app-run"} if state.rules.filters_runs else {}
    row = {
        "id": make_id(app.id, "log", run.conversation),
        "workflow_run": _run(app, run) | {"error": _error(run), **_ends(run), **extra},
        "created_from": "installed-app" if run.user < 0 else "web-app",
        **creator(state, app, run.user),
        "created_at": run.at,
    }
    return row | ({"details": None} if state.rules.filters_runs else {})


def _run(app: FakeApp, run: Message) -> dict[str, Any]:
    return {
        "id": run_id(app.id, run),
        "version": VERSION,
        "status": run_status(run),
        "elapsed_time": run.latency / 1000,
        "total_tokens": run.tokens,
        "total_steps": 3,
        "created_at": run.at,
        "exceptions_count": 0,
    }


def _ends(run: Message) -> dict[str, Any]:
    return {"finished_at": run.at + max(1, run.latency // 1000)}


def _error(run: Message) -> str | None:
    return "Node LLM run failed" if run_status(run) == "failed" else None


def _moment(rules: Rules, params: Params, name: str, default: float) -> float:
    text = params.values.get(name)
    if not text:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        problem = f"Invalid isoformat string: {text!r}"
        if not rules.pydantic:
            raise errors.error(400, "invalid_param", problem) from None
        params.reject(name, "", "value_error", f"Value error, {problem}")
        return default
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


ROUTES: list[Route] = [
    Route("GET", "/apps/<uuid:app_id>/workflow-runs", runs),
    Route("GET", "/apps/<uuid:app_id>/workflow-runs/<uuid:run_id>", run_detail),
    Route("GET", "/apps/<uuid:app_id>/workflow-app-logs", logs),
]
