"""Creating, changing, copying and deleting apps."""

import time
from dataclasses import replace
from typing import Any

from dify_async.testing._console import errors
from dify_async.testing._console.handlers.app_bodies import MODEL, app_body, app_summary
from dify_async.testing._console.http import Call, Reply, empty_reply, json_reply
from dify_async.testing._console.models import MODES, FakeApp, is_unpublished_agent
from dify_async.testing._console.params import Params, body_params, json_body
from dify_async.testing._console.routing import Route
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State

CONFIGURED = ("chat", "agent-chat", "completion")  # modes that have a model config instead of a graph
_MAX_NAME_LENGTH = 255
_MAX_DESCRIPTION_LENGTH = 400


def create_app(state: State, call: Call) -> Reply:
    """POST /apps: a 201."""
    params = body_params(state.rules, call, "CreateAppPayload")
    name = params.required("name")
    mode = params.required("mode") if state.rules.requires_mode else params.values.get("mode")
    if mode is not None:
        params.choice("mode", MODES, mode)
    if name == "" and state.rules.pydantic:
        params.reject("name", "", "string_too_short", "String should have at least 1 character")
    if state.rules.checks_icon_type:
        params.member("icon_type", ("image", "emoji", "link"))
    _check_description(params)
    params.check()
    if mode is None:
        raise errors.bad_request("mode is required")
    _check_name(state.rules, name)
    app = FakeApp(name=name, mode=mode, messages_per_day=0, **_fields(params.values))
    shown = app_body if state.rules.app_permissions else app_summary
    return json_reply(shown(state, call, state.add_app(app)), 201)


def update_app(state: State, call: Call) -> Reply:
    """PUT /apps/{id}: omitted fields are reset; some releases crash if fields are missing."""
    rules = state.rules
    app = state.find_app(call)
    params = body_params(rules, call, "UpdateAppPayload")
    name = params.required("name")
    _check_description(params)
    limit = params.values.get("max_active_requests")
    if limit is not None and not str(limit).lstrip("-").isdecimal():
        detail = "Input should be a valid integer, unable to parse string as an integer"
        plain = f"invalid literal for int() with base 10: {limit!r}"
        params.reject("max_active_requests", plain, "int_parsing", detail)
    params.check()
    _check_name(rules, name)
    if rules.put_requires_all and not {"description", "use_icon_as_answer_icon"} <= params.values.keys():
        raise errors.internal(rules)
    fields = dict.fromkeys(("icon_type", "icon", "icon_background"), None if rules.put_requires_all else "")
    fields |= {"description": "", "use_icon_as_answer_icon": False, "max_active_requests": None}
    fields |= _fields(params.values)
    change(app, name=name, **fields)
    return json_reply(app_body(state, call, app))


def delete_app(state: State, call: Call) -> Reply:
    """DELETE /apps/{id}: a 204, and a 404 from then on."""
    state.apps.remove(state.find_app(call))
    return empty_reply()


def copy_app(state: State, call: Call) -> Reply:
    """POST /apps/{id}/copy: a 201."""
    app = state.find_app(call)
    values = json_body(state.rules, call, "CopyAppPayload")
    name = values.get("name") or app.name
    copy = replace(app, id="", created_at=0, updated_at=0, messages_per_day=0, name=name, **_fields(values))
    return json_reply(app_body(state, call, state.add_app(copy)), 201)


def enable(state: State, call: Call) -> Reply:
    """POST /apps/{id}/api-enable and /site-enable."""
    rules = state.rules
    app = state.find_app(call)
    is_api = call.path.endswith("/api-enable")
    field, model = (
        ("enable_api", "AppApiStatusPayload") if is_api else ("enable_site", "AppSiteStatusPayload")
    )
    params = body_params(rules, call, model)
    enabled = bool(params.required(field))
    if rules.pydantic:
        enabled = params.flag(field)
    params.check()
    if enabled and rules.agents_must_be_published and is_unpublished_agent(app):
        raise errors.agent_not_published()
    change(app, **{field: enabled})
    return json_reply(app_summary(state, call, app))


def configure(state: State, call: Call) -> Reply:
    """POST /apps/{id}/model-config: replaces the entire configuration."""
    app = state.find_app(call, CONFIGURED)
    values = json_body(state.rules, call, "ModelConfigPayload")
    if problem := _config_error(values):
        raise errors.error(400, "invalid_param", problem)
    updated_at = app.updated_at
    change(app, pre_prompt=values.get("pre_prompt"))
    app.config, app.configured_at = values, app.updated_at
    if not state.rules.config_updates_app:
        app.updated_at = updated_at
    return json_reply({"result": "success"})


def _config_error(values: dict[str, Any]) -> str | None:
    """The error message for an invalid configuration; the fake has one model, which all its apps use."""
    model = values.get("model")
    if not model:
        return "model is required"
    if model.get("provider") not in (MODEL["provider"], "openai"):
        return f"model.provider is required and must be in ['{MODEL['provider']}']"
    if not str(model.get("name", "")).startswith("gpt-4o"):
        return "model.name must be in the specified model list"
    if not isinstance(values.get("suggested_questions", []), list):
        return "suggested_questions must be of list type"
    return None


def _check_name(rules: Rules, name: Any) -> None:
    if isinstance(name, str) and "\0" in name:
        raise errors.nul_character()
    if not isinstance(name, str) or len(name) > _MAX_NAME_LENGTH:
        raise errors.internal(rules)


def _check_description(params: Params) -> None:
    if len(params.values.get("description") or "") > _MAX_DESCRIPTION_LENGTH:
        plain = "Description cannot exceed 400 characters."
        detail = "String should have at most 400 characters"
        params.reject("description", plain, "string_too_long", detail)


def _fields(values: Any) -> dict[str, Any]:
    names = (
        *("description", "icon_type", "icon", "icon_background"),
        *("use_icon_as_answer_icon", "max_active_requests"),
    )
    return {name: values[name] for name in names if name in values}


def change(app: FakeApp, **fields: Any) -> None:
    """Update fields of an app, and its time of change."""
    for name, value in fields.items():
        setattr(app, name, value)
    app.updated_at = max(int(time.time()), app.updated_at + 1)


ROUTES: list[Route] = [
    Route("POST", "/apps", create_app),
    Route("PUT", "/apps/<uuid:app_id>", update_app),
    Route("DELETE", "/apps/<uuid:app_id>", delete_app),
    Route("POST", "/apps/<uuid:app_id>/copy", copy_app),
    Route("POST", "/apps/<uuid:app_id>/api-enable", enable),
    Route("POST", "/apps/<uuid:app_id>/site-enable", enable),
    Route("POST", "/apps/<uuid:app_id>/model-config", configure),
]
