"""Published workflows."""

import time
from typing import Any

from dify_async.testing._console import errors
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.models import make_id, workflow_id
from dify_async.testing._console.params import body_params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State

GRAPH_MODES = ("workflow", "advanced-chat")
VERSION = "2026-01-05 08:00:00.000000"
_MAX_NAME_LENGTH = 20
_MAX_COMMENT_LENGTH = 100


def publish(state: State, call: Call) -> Reply:
    """POST /apps/{id}/workflows/publish."""
    rules = state.rules
    app = state.find_app(call, GRAPH_MODES)
    params = body_params(rules, call, "PublishWorkflowPayload")
    for name, limit in (("marked_name", _MAX_NAME_LENGTH), ("marked_comment", _MAX_COMMENT_LENGTH)):
        if len(params.values.get(name) or "") > limit:
            if not rules.pydantic:
                label = name.replace("_", " ").capitalize()
                raise errors.error(400, "invalid_param", f"{label} cannot exceed {limit} characters")
            params.reject(name, "", "string_too_long", f"String should have at most {limit} characters")
    params.check()
    app.published_at = int(time.time())
    app.marked = (params.values.get("marked_name") or "", params.values.get("marked_comment") or "")
    return json_reply({"result": "success", "created_at": app.published_at})


def published(state: State, call: Call) -> Reply:
    """GET /apps/{id}/workflows/publish: if unpublished, all fields are null; since 1.15, the whole is."""
    rules, owner = state.rules, state.owner
    app = state.find_app(call, GRAPH_MODES)
    body: dict[str, Any] = {
        "id": workflow_id(app),
        "graph": {"nodes": [], "edges": [], "viewport": {"x": 0, "y": 0, "zoom": 1}},
        "features": {},
        "hash": make_id(app.id, "hash").replace("-", ""),
        "version": VERSION,
        "created_by": {"id": owner.id, "name": owner.name, "email": owner.email},
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


ROUTES: list[Route] = [
    Route("POST", "/apps/<uuid:app_id>/workflows/publish", publish),
    Route("GET", "/apps/<uuid:app_id>/workflows/publish", published),
]
