"""Workflows are published and run."""

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dify_async.testing._console import errors
from dify_async.testing._console.accounts import make_id
from dify_async.testing._console.history import Message, run_id
from dify_async.testing._console.http import Call, Reply, Route, json_reply
from dify_async.testing._console.listing import contains, page_and_limit, page_body
from dify_async.testing._console.models import FakeApp, workflow_id
from dify_async.testing._console.params import Params, body_params, is_uuid
from dify_async.testing._console.rules import Rules

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

_GRAPHS = ("workflow", "advanced-chat")
_MAX_NAME_LENGTH = 20
_MAX_COMMENT_LENGTH = 100
_STATES = ("running", "succeeded", "failed", "stopped", "partial-succeeded")
_LOGGED_STATES_OF_OLD = ("succeeded", "failed", "stopped", "partial-succeeded")
_LOGGED_STATES = ("scheduled", "running", *_LOGGED_STATES_OF_OLD, "paused")
_VERSION = "2026-01-05 08:00:00.000000"
_FAILS = 17  # one run in so many


def publish(console: "Console", call: Call) -> Reply:
    """POST /apps/{id}/workflows/publish."""
    rules = console.rules
    app = console.find_app(call, _GRAPHS)
    params = body_params(rules, call, "PublishWorkflowPayload")
    for name, most in (("marked_name", _MAX_NAME_LENGTH), ("marked_comment", _MAX_COMMENT_LENGTH)):
        if len(params.values.get(name) or "") > most:
            if not rules.pydantic:
                label = name.replace("_", " ").capitalize()
                raise errors.error(400, "invalid_param", f"{label} cannot exceed {most} characters")
            params.wrong(name, "", "string_too_long", f"String should have at most {most} characters")
    params.check()
    app.published_at = int(time.time())
    app.marked = (params.values.get("marked_name") or "", params.values.get("marked_comment") or "")
    return json_reply({"result": "success", "created_at": app.published_at})


def published(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/workflows/publish: where there is none, nulls, or a null since 1.15."""
    rules = console.rules
    app = console.find_app(call, _GRAPHS)
    body: dict[str, Any] = {
        "id": workflow_id(app),
        "graph": {"nodes": [], "edges": [], "viewport": {"x": 0, "y": 0, "zoom": 1}},
        "features": {},
        "hash": make_id(app.id, "hash").replace("-", ""),
        "version": _VERSION,
        "created_by": _person(console),
        "created_at": app.published_at or app.created_at,
        "updated_by": None,
        "updated_at": app.published_at or app.updated_at,
        "tool_published": False,
        "environment_variables": [],
        "conversation_variables": [],
    }
    if rules.modern_features:
        body |= {"marked_name": app.marked[0], "marked_comment": app.marked[1], "rag_pipeline_variables": []}
    if rules.workflow_number:
        body["version_number"] = 1
    if not app.is_published:
        return json_reply(None if rules.newest_features else dict.fromkeys(body))
    return json_reply(body)


def runs(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/workflow-runs: by default those of the console, of which there are none.

    Up to 1.9.1 there is no choice; there, the users' runs stand in for them.
    """
    rules = console.rules
    app = console.find_app(call, _GRAPHS)
    arguments = call.arguments()
    params = Params(rules, "WorkflowRunListQuery", arguments)
    limit = params.integer("limit", 20, high=100)
    status = params.choice("status", _STATES, _STATES[0]) if "status" in arguments else None
    if rules.filtered_runs:
        params.choice("triggered_from", ("debugging", "app-run"), "debugging")
    last_id = arguments.get("last_id")
    if last_id and rules.pydantic and not is_uuid(last_id):
        params.wrong("last_id", "", "value_error", f"Value error, {last_id} is not a valid uuid.")
    params.check()
    wanted = arguments.get("triggered_from") == "app-run" or not rules.filtered_runs
    history = console.traffic.history(app)
    found = history.messages[::-1] if wanted else ()
    if status is not None and rules.filtered_runs:
        found = tuple(run for run in found if _state(run) == status)
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


def run_detail(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/workflow-runs/{id}: an unknown one is a 200 of nulls up to 1.14."""
    app = console.find_app(call, _GRAPHS)
    found = console.traffic.history(app).by_run.get(call.ids["run_id"])
    if found is None and console.rules.newest_features:
        raise errors.error(404, "not_found", "Workflow run not found")
    shown = found or Message(0, 0, 0, 0, 0, 0, None, 0, liked=False)
    body = _run(app, shown) | {
        "graph": {},
        "inputs": {"question": "?"},
        "outputs": {},
        "error": _error(shown),
        "created_by_role": "end_user",
        "created_by_account": None,
        "created_by_end_user": _end_user(app, shown),
        **_ends(shown),
    }
    return json_reply(dict.fromkeys(body) if found is None else body)


def logs(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/workflow-app-logs: of mode workflow alone."""
    rules, arguments = console.rules, call.arguments()
    app = console.find_app(call, ("workflow",))
    params = Params(rules, "WorkflowAppLogQuery", arguments)
    page, limit = page_and_limit(params)
    status = params.member("status", _LOGGED_STATES if rules.pydantic else _LOGGED_STATES_OF_OLD)
    after = _moment(rules, params, "created_at__after", -math.inf)
    before = _moment(rules, params, "created_at__before", math.inf)
    params.check()
    if (email := arguments.get("created_by_account")) and console.accounts.of_email(email) is None:
        raise errors.error(400, "invalid_param", f"Account not found: {email}")
    # All of them are of end users.
    history = console.traffic.history(app).messages
    found = [run for run in reversed(history) if status in (None, _state(run)) and not email]
    if keyword := arguments.get("keyword"):
        users = {run.user: _session(run) for run in found}
        matching = {user for user, session in users.items() if contains(rules, session, keyword)}
        found = [run for run in found if run.user in matching]
    found = [run for run in found if after <= run.at <= before]
    rows = [_log(console, app, run) for run in found[(page - 1) * limit : page * limit]]
    return json_reply(page_body(page, limit, len(found), rows))


def _log(console: "Console", app: FakeApp, run: Message) -> dict[str, Any]:
    more = {"triggered_from": "app-run"} if console.rules.filtered_runs else {}
    row = {
        "id": make_id(app.id, "log", run.conversation),
        "workflow_run": _run(app, run) | {"error": _error(run), **_ends(run), **more},
        "created_from": "web-app",
        "created_by_role": "end_user",
        "created_by_account": None,
        "created_by_end_user": _end_user(app, run),
        "created_at": run.at,
    }
    return row | ({"details": None} if console.rules.filtered_runs else {})


def _run(app: FakeApp, run: Message) -> dict[str, Any]:
    return {
        "id": run_id(app.id, run),
        "version": _VERSION,
        "status": _state(run),
        "elapsed_time": run.latency / 1000,
        "total_tokens": run.tokens,
        "total_steps": 3,
        "created_at": run.at,
        "exceptions_count": 0,
    }


def _ends(run: Message) -> dict[str, Any]:
    return {"finished_at": run.at + max(1, run.latency // 1000)}


def _state(run: Message) -> str:
    return "failed" if run.at % _FAILS == 0 else "succeeded"


def _error(run: Message) -> str | None:
    return "Node LLM run failed" if _state(run) == "failed" else None


def _session(run: Message) -> str:
    return f"user-{max(run.user, 0):03}"


def _end_user(app: FakeApp, run: Message) -> dict[str, Any]:
    return {
        "id": make_id(app.id, "user", run.user),
        "type": "service_api",
        "is_anonymous": False,
        "session_id": _session(run),
    }


def _person(console: "Console") -> dict[str, str]:
    return {"id": console.owner.id, "name": console.owner.name, "email": console.owner.email}


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
        params.wrong(name, "", "value_error", f"Value error, {problem}")
        return default
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


ROUTES: list[Route] = [
    Route("POST", "/apps/<uuid:app_id>/workflows/publish", publish),
    Route("GET", "/apps/<uuid:app_id>/workflows/publish", published),
    Route("GET", "/apps/<uuid:app_id>/workflow-runs", runs),
    Route("GET", "/apps/<uuid:app_id>/workflow-runs/<uuid:run_id>", run_detail),
    Route("GET", "/apps/<uuid:app_id>/workflow-app-logs", logs),
]
