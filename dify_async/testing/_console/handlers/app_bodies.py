"""The JSON of an app, in the list and in the detail."""

from typing import Any
from uuid import UUID

from dify_async.testing._console.http import Call
from dify_async.testing._console.models import FakeApp, make_id, workflow_id
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State

_PERMISSIONS = (
    "preview view_layout test_and_run edit import_export_dsl delete release_and_version "
    "monitor access_config tracing_config log_and_annotation"
)
MODEL = {
    "provider": "langgenius/openai/openai",
    "name": "gpt-4o-mini",
    "mode": "chat",
    "completion_params": {"temperature": 0.7, "stop": []},
}


MODELS = (MODEL, {**MODEL, "name": "gpt-4o"}, {**MODEL, "name": "gpt-4.1-mini"})


def model_of(app: FakeApp) -> dict[str, Any] | None:
    """The model of an app that has one; apps whose model was not set have different ones."""
    if app.has_workflow or app.mode == "agent":
        return None
    model: dict[str, Any] = app.config.get("model") or MODELS[UUID(app.id).int % len(MODELS)]  # type: ignore[assignment]  # as it was sent
    return model


def app_row(state: State, app: FakeApp) -> dict[str, Any]:
    """A row in GET /apps."""
    rules = state.rules
    # The list falls back to the prompt.
    description: str | None = app.description or ("" if app.has_workflow else app.pre_prompt)
    if description is None and rules.description_never_null:
        description = ""
    full = _model_config(rules, app)
    config = {name: full[name] for name in ("model", "pre_prompt")} | _config_stamps(state, app)
    row = _common(state, app) | {
        "description": description,
        "max_active_requests": None,
        "model_config": None if app.has_workflow else config,
        "tags": _tags(app),
    }
    if rules.app_access:
        row |= {"access_mode": None, "create_user_name": None, "author_name": state.owner.name}
    if rules.app_draft_trigger:
        row["has_draft_trigger"] = False
    if rules.app_permissions:
        row |= _permissions(state) | {"is_starred": False}
    return row


def app_body(state: State, call: Call, app: FakeApp) -> dict[str, Any]:
    """The body of GET /apps/{id}."""
    rules = state.rules
    config = _model_config(rules, app) | _config_stamps(state, app)
    body = _common(state, app) | {
        "description": app.description,
        "enable_site": app.enable_site,
        "enable_api": app.enable_api,
        "model_config": None if app.has_workflow else config,
        "api_base_url": f"{call.base_url}/v1",
        "deleted_tools": [],
        "site": _site(state, call, app),
    }
    if rules.app_access:
        body |= {"access_mode": None, "tags": _tags(app)}
    if rules.app_max_requests:
        body["max_active_requests"] = app.max_active_requests
    if rules.app_permissions:
        body |= _permissions(state) | {"tracing": None}
    return body


def app_summary(state: State, call: Call, app: FakeApp) -> dict[str, Any]:
    """The answer to a change of an app: less than the detail, except for `tracing`."""
    omitted = {"site", "api_base_url", "deleted_tools", "max_active_requests", "icon_type", "icon_url"}
    omitted |= {"bound_agent_id", "app_id"}
    body = app_body(state, call, app) | {"tracing": None}
    return {name: value for name, value in body.items() if name not in omitted}


def _common(state: State, app: FakeApp) -> dict[str, Any]:
    # Only a published workflow is shown.
    published = {
        "id": workflow_id(app),
        "created_by": state.owner.id,
        "created_at": app.created_at,
        "updated_by": None,
        "updated_at": app.updated_at,
    }
    return {
        "id": app.id,
        "name": app.name,
        "mode": app.mode,
        **_icon(app),
        "workflow": published if app.is_published else None,
        "use_icon_as_answer_icon": app.use_icon_as_answer_icon,
        **_stamps(state, app),
    }


def _icon(app: FakeApp) -> dict[str, Any]:
    return {
        "icon_type": app.icon_type,
        "icon": app.icon,
        "icon_background": app.icon_background,
        "icon_url": None,
    }


def _stamps(state: State, app: FakeApp) -> dict[str, Any]:
    return {
        "created_by": state.owner.id,
        "created_at": app.created_at,
        "updated_by": state.owner.id,
        "updated_at": app.updated_at,
    }


def _config_stamps(state: State, app: FakeApp) -> dict[str, Any]:
    return _stamps(state, app) | {"updated_at": app.configured_at or app.updated_at}


def _tags(app: FakeApp) -> list[dict[str, str]]:
    return [{"id": tag.id, "name": tag.name, "type": tag.type} for tag in app.tags]


def _permissions(state: State) -> dict[str, Any]:
    return {
        "permission_keys": [f"app.acl.{name}" for name in _PERMISSIONS.split()],
        "bound_agent_id": None,
        "app_id": None,
        "maintainer": state.owner.id,
    }


def _model_config(rules: Rules, app: FakeApp) -> dict[str, Any]:
    off = {"enabled": False}
    avoidance: dict[str, Any] = {"config": {}} if rules.newest_features else {"configs": []}
    unset: dict[str, Any] = {
        "opening_statement": None,
        "suggested_questions": [],
        "suggested_questions_after_answer": off,
        "speech_to_text": off,
        "text_to_speech": off,
        "retriever_resource": {"enabled": True},
        "annotation_reply": off,
        "more_like_this": off,
        "sensitive_word_avoidance": {"enabled": False, "type": "", **avoidance},
        "external_data_tools": [],
        "model": model_of(app) or {},
        "user_input_form": [],
        "dataset_query_variable": None,
        "pre_prompt": app.pre_prompt,
        "agent_mode": {"enabled": False, "strategy": None, "tools": [], "prompt": None},
        "prompt_type": "simple",
        "chat_prompt_config": {},
        "completion_prompt_config": {},
        "dataset_configs": {"retrieval_model": "multiple"},
        "file_upload": {
            "image": {
                "enabled": False,
                "number_limits": 3,
                "detail": "high",
                "transfer_methods": ["remote_url", "local_file"],
            }
        },
    }
    # The server has a column for each of these and drops the rest.
    return {name: app.config.get(name, value) for name, value in unset.items()}


def _site(state: State, call: Call, app: FakeApp) -> dict[str, Any]:
    code = make_id(app.id, "site").replace("-", "")[:16]
    site = {
        "access_token": code,
        "code": code,
        "title": app.name,
        **_icon(app),
        "description": None,
        "default_language": "en-US",
        "chat_color_theme": None,
        "chat_color_theme_inverted": False,
        "customize_domain": None,
        "copyright": None,
        "privacy_policy": None,
        "custom_disclaimer": "",
        "customize_token_strategy": "not_allow",
        "prompt_public": False,
        "app_base_url": call.base_url,
        "show_workflow_steps": True,
        "use_icon_as_answer_icon": False,
        **_stamps(state, app),
    }
    return site | ({"input_placeholder": None} if state.rules.site_placeholder else {})
