"""Apps are made, changed, copied and deleted."""

import io
import re
import time
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dify_async.testing import _errors as errors
from dify_async.testing._app_bodies import MODEL, app_body, app_summary
from dify_async.testing._http import Call, Reply, Route, empty_reply, json_reply
from dify_async.testing._models import MODES, FakeApp
from dify_async.testing._params import Params, body_params, json_body
from dify_async.testing._rules import Rules

if TYPE_CHECKING:
    from dify_async.testing._console import Console

CONFIGURED = ("chat", "agent-chat", "completion")  # modes whose settings are a model's, and no graph
_LONGEST_NAME = 255
_LONGEST_DESCRIPTION = 400


def create_app(console: "Console", call: Call) -> Reply:
    """POST /apps: 201."""
    params = body_params(console.rules, call, "CreateAppPayload")
    name = params.required("name")
    mode = params.required("mode") if console.rules.required_mode else params.values.get("mode")
    if mode is not None:
        params.choice("mode", MODES, mode)
    if name == "" and console.rules.pydantic:
        params.wrong("name", "", "string_too_short", "String should have at least 1 character")
    if console.rules.known_icon_types:
        params.member("icon_type", ("image", "emoji", "link"))
    _check_description(params)
    params.check()
    if mode is None:
        raise errors.bad_request("mode is required")
    _check_name(console.rules, name)
    app = FakeApp(name=name, mode=mode, messages_per_day=0, **_fields(params.values))
    shown = app_body if console.rules.app_permissions else app_summary
    return json_reply(shown(console, call, console.take(app)), 201)


def update_app(console: "Console", call: Call) -> Reply:
    """PUT /apps/{id}: what is left out is reset; some releases crash over it."""
    rules = console.rules
    app = console.find_app(call)
    params = body_params(rules, call, "UpdateAppPayload")
    name = params.required("name")
    _check_description(params)
    most = params.values.get("max_active_requests")
    if most is not None and not str(most).lstrip("-").isdecimal():
        detail = "Input should be a valid integer, unable to parse string as an integer"
        plain = f"invalid literal for int() with base 10: {most!r}"
        params.wrong("max_active_requests", plain, "int_parsing", detail)
    params.check()
    _check_name(rules, name)
    if rules.put_needs_all and not {"description", "use_icon_as_answer_icon"} <= params.values.keys():
        raise errors.internal(rules)
    fields = dict.fromkeys(("icon_type", "icon", "icon_background"), None if rules.put_needs_all else "")
    fields |= {"description": "", "use_icon_as_answer_icon": False, "max_active_requests": None}
    fields |= _fields(params.values)
    _change(app, name=name, **fields)
    return json_reply(app_body(console, call, app))


def delete_app(console: "Console", call: Call) -> Reply:
    """DELETE /apps/{id}: 204, and 404 from then on."""
    console.apps.remove(console.find_app(call))
    return empty_reply()


def copy_app(console: "Console", call: Call) -> Reply:
    """POST /apps/{id}/copy: 201."""
    app = console.find_app(call)
    values = json_body(console.rules, call, "CopyAppPayload")
    name = values.get("name") or app.name
    copy = replace(app, id="", created_at=0, updated_at=0, messages_per_day=0, name=name, **_fields(values))
    return json_reply(app_body(console, call, console.take(copy)), 201)


def enable(console: "Console", call: Call) -> Reply:
    """POST /apps/{id}/api-enable and /site-enable."""
    rules = console.rules
    app = console.find_app(call)
    of_api = call.path.endswith("/api-enable")
    field, model = (
        ("enable_api", "AppApiStatusPayload") if of_api else ("enable_site", "AppSiteStatusPayload")
    )
    params = body_params(rules, call, model)
    enabled = bool(params.required(field))
    if rules.pydantic:
        enabled = params.flag(field)
    params.check()
    if enabled and rules.agents_must_be_published and app.is_unpublished_agent:
        raise errors.agent_not_published()
    _change(app, **{field: enabled})
    return json_reply(app_summary(console, call, app))


def configure(console: "Console", call: Call) -> Reply:
    """POST /apps/{id}/model-config: the whole of it."""
    app = console.find_app(call, CONFIGURED)
    values = json_body(console.rules, call, "ModelConfigPayload")
    if problem := _wrong_config(values):
        raise errors.error(400, "invalid_param", problem)
    at = app.updated_at
    _change(app, pre_prompt=values.get("pre_prompt"))
    app.config, app.configured_at = values, app.updated_at
    if not console.rules.config_changes_app:
        app.updated_at = at
    return json_reply({"result": "success"})


def _wrong_config(values: dict[str, Any]) -> str | None:
    """What is told of a configuration that does not do; the fake has the one model that all its apps use."""
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


def export_app(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/export: YAML in JSON, or a package of it."""
    app = console.find_app(call)
    params = Params(console.rules, "AppExportQuery", call.arguments())
    if console.rules.pydantic:
        params.flag("include_secret")
    params.check()
    if params.values.get("workflow_id") not in (None, "", app.workflow_id):
        raise errors.internal(console.rules)
    text = _definition(console.rules, app)
    if console.rules.packaged_export and params.values.get("format") != "yaml":
        return _package(app, text)
    return json_reply({"data": text})


def _definition(rules: Rules, app: FakeApp) -> str:
    lines = [
        "app:",
        f"  description: {_quoted(app.description)}",
        f"  icon: {_quoted(app.icon)}",
        f"  icon_background: {_quoted(app.icon_background)}",
        f"  mode: {app.mode}",
        f"  name: {_quoted(app.name)}",
        "dependencies: []",
        "kind: app",
        f"version: {_definition_version(rules)}",
    ]
    return "\n".join(lines) + "\n"


def _package(app: FakeApp, text: str) -> Reply:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("app.yml", text)
    headers = {"Content-Type": "application/zip"}
    headers["Content-Disposition"] = f'attachment; filename="{app.id}.zip"'
    return Reply(200, file.getvalue(), headers)


def import_app(console: "Console", call: Call) -> Reply:
    """POST /apps/imports: 200 done, 202 if the version is another, 400 if it cannot be read."""
    rules = console.rules
    params = body_params(rules, call, "AppImportPayload")
    mode = params.required("mode")
    params.check()
    if mode not in ("yaml-content", "yaml-url"):
        raise errors.error(400, "invalid_param", f"Invalid import_mode: {mode}")
    text = _lines(str(params.values.get("yaml_content") or ""))
    import_id = console.new_id("import")
    if problem := _wrong_import(console, params.values.get("app_id"), text):
        return _imported(console, import_id, "failed", error=problem, status=400)
    console.imports[import_id] = {**params.values, "yaml_content": text, "account": call.owner.id}
    state = _state(rules, _imported_version(text))
    if state == "pending":
        return _imported(console, import_id, state, text=text, status=202)
    return _finished(console, import_id, state)


def _lines(text: str) -> str:
    """The text with the line ends that YAML has, and without the mark that some editors put before it."""
    return re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))


def _wrong_import(console: "Console", app_id: object, text: str) -> str | None:
    """What is told of a definition that cannot be imported."""
    if not text:
        return "yaml_content is required when import_mode is yaml-content"
    if not re.search(r"^app:$", text, re.MULTILINE) or not _value(text, "mode"):
        is_yaml = re.search(r"^kind: ", text, re.MULTILINE)
        return "Missing app data in YAML content" if is_yaml else "Invalid YAML format: no app in it"
    if app_id and console.rules.overwrites_workflows_only:
        app = next((app for app in console.apps if app.id == app_id), None)
        if app is None:
            return "App not found"
        if not app.has_workflow:
            return "Only workflow or advanced chat apps can be overwritten"
    return None


def _state(rules: Rules, version: str) -> str:
    """What becomes of a definition of this version."""
    current = _definition_version(rules)
    if version == current:
        return "completed"
    is_older = _release(version) < _release(current)
    return "completed-with-warnings" if is_older and rules.older_definition_warns else "pending"


def _release(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def confirm_import(console: "Console", call: Call) -> Reply:
    """POST /apps/imports/{id}/confirm: once."""
    import_id = call.ids["import_id"]
    begun = console.imports.get(import_id)
    if begun is None or (console.rules.own_imports_only and begun["account"] != call.owner.id):
        error = "Import information expired or does not exist"
        return _imported(console, import_id, "failed", error=error, status=400)
    return _finished(console, import_id, "completed")


def _finished(console: "Console", import_id: str, state: str) -> Reply:
    values = console.imports.pop(import_id)
    text = str(values["yaml_content"])
    fields: dict[str, Any] = {
        "name": values.get("name") or _value(text, "name") or "",
        "description": values.get("description") or _value(text, "description") or "",
        "icon": values.get("icon") or _value(text, "icon"),
        "icon_background": values.get("icon_background") or _value(text, "icon_background"),
    }
    app = next((app for app in console.apps if app.id == values.get("app_id")), None)
    if app is None:
        mode = _value(text, "mode") or ""
        app = console.take(FakeApp(mode=mode, messages_per_day=0, **fields))
    else:
        _change(app, **fields)
    return _imported(console, import_id, state, app=app, text=text)


def _imported(
    console: "Console",
    import_id: str,
    state: str,
    *,
    app: FakeApp | None = None,
    text: str = "",
    error: str = "",
    status: int = 200,
) -> Reply:
    body: dict[str, Any] = {
        "id": import_id,
        "status": state,
        "app_id": None if app is None else app.id,
        "app_mode": None if app is None else app.mode,
        "current_dsl_version": _definition_version(console.rules),
        "imported_dsl_version": _imported_version(text) if text else "",
        "error": error,
    }
    if console.rules.app_permissions:
        body["permission_keys"] = []
    if console.rules.import_warnings:
        body["warnings"] = []
    return json_reply(body, status)


def _definition_version(rules: Rules) -> str:
    if rules.import_warnings:
        return "0.7.0"
    return "0.6.0" if rules.newest_features else "0.5.0" if rules.pydantic else "0.4.0"


def _imported_version(text: str) -> str:
    return _value(text, "version") or "0.1.0"


def _quoted(text: str | None) -> str:
    return "'" + (text or "").replace("'", "''") + "'"


def _value(text: str, name: str) -> str | None:
    """A value of the few lines that the fake looks at."""
    match = re.search(rf"^ *{name}: (.*)$", text, re.MULTILINE)
    if match is None:
        return None
    value = match[1].strip()
    return value[1:-1].replace("''", "'") if value[:1] == value[-1:] == "'" and len(value) > 1 else value


def _check_name(rules: Rules, name: Any) -> None:
    if isinstance(name, str) and "\0" in name:
        raise errors.nul_character()
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        raise errors.internal(rules)


def _check_description(params: Params) -> None:
    if len(params.values.get("description") or "") > _LONGEST_DESCRIPTION:
        plain = "Description cannot exceed 400 characters."
        detail = "String should have at most 400 characters"
        params.wrong("description", plain, "string_too_long", detail)


def _fields(values: Any) -> dict[str, Any]:
    names = (
        *("description", "icon_type", "icon", "icon_background"),
        *("use_icon_as_answer_icon", "max_active_requests"),
    )
    return {name: values[name] for name in names if name in values}


def _change(app: FakeApp, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(app, name, value)
    app.updated_at = max(int(time.time()), app.updated_at + 1)


ROUTES: list[Route] = [
    Route("POST", "/apps", create_app),
    Route("POST", "/apps/imports", import_app),
    Route("POST", "/apps/imports/<uuid:import_id>/confirm", confirm_import),
    Route("PUT", "/apps/<uuid:app_id>", update_app),
    Route("DELETE", "/apps/<uuid:app_id>", delete_app),
    Route("POST", "/apps/<uuid:app_id>/copy", copy_app),
    Route("POST", "/apps/<uuid:app_id>/api-enable", enable),
    Route("POST", "/apps/<uuid:app_id>/site-enable", enable),
    Route("POST", "/apps/<uuid:app_id>/model-config", configure),
    Route("GET", "/apps/<uuid:app_id>/export", export_app),
]
