"""Exporting apps as YAML, and importing them."""

import io
import re
import zipfile
from typing import Any

from dify_async.testing._console import errors
from dify_async.testing._console.handlers.app_changes import change
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.models import ALL_MODES, MODES, FakeApp, workflow_id
from dify_async.testing._console.params import Params, body_params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State
from dify_async.testing._console.yaml import read_yaml


def export_app(state: State, call: Call) -> Reply:
    """GET /apps/{id}/export: YAML in JSON, or a ZIP with the YAML."""
    app = state.find_app(call)
    params = Params(state.rules, "AppExportQuery", call.arguments())
    if state.rules.pydantic:
        params.flag("include_secret")
    params.check()
    wanted = params.values.get("workflow_id") if state.rules.exports_versions else None
    if wanted not in (None, "", workflow_id(app)):
        raise errors.internal(state.rules)
    text = _definition(state.rules, app)
    if state.rules.exports_zip and params.values.get("format") != "yaml":
        return _zip_reply(app, text)
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


def _zip_reply(app: FakeApp, text: str) -> Reply:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("app.yml", text)
    headers = {"Content-Type": "application/zip"}
    headers["Content-Disposition"] = f'attachment; filename="{app.id}.zip"'
    return Reply(200, file.getvalue(), headers)


def import_app(state: State, call: Call) -> Reply:
    """POST /apps/imports: 200 if imported, 202 if the version must be confirmed, 400 if invalid."""
    rules = state.rules
    params = body_params(rules, call, "AppImportPayload")
    mode = params.required("mode")
    params.check()
    if mode not in ("yaml-content", "yaml-url"):
        raise errors.error(400, "invalid_param", f"Invalid import_mode: {mode}")
    import_id = state.new_id("import")
    try:
        definition = _definition_of(str(params.values.get("yaml_content") or ""))
        _check_target(state, params.values.get("app_id"))
    except ValueError as error:
        return _import_reply(state, import_id, "failed", error=str(error), http_status=400)
    state.imports[import_id] = {**params.values, "definition": definition, "account": call.caller.id}
    status = _import_status(rules, _imported_version(definition))
    if status == "pending":
        return _import_reply(state, import_id, status, definition=definition, http_status=202)
    return _finish(state, import_id, status)


def _normalize(text: str) -> str:
    """The text with Unix line ends and without a byte order mark."""
    return re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))


def _definition_of(text: str) -> dict[str, Any]:
    """The keys of a definition; raises ValueError if it cannot be imported."""
    if not text:
        raise ValueError("yaml_content is required when import_mode is yaml-content")
    try:
        definition = read_yaml(_normalize(text))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"Invalid YAML format: {error}") from None
    if not isinstance(definition, dict):
        raise ValueError("Invalid YAML format: content must be a mapping")  # noqa: TRY004 - one answer
    if not isinstance(definition.get("app"), dict) or not definition["app"]:
        raise ValueError("Missing app data in YAML content")
    return definition


def _check_target(state: State, app_id: object) -> None:
    """Raise ValueError unless the app, if any is given, can be overwritten."""
    if app_id and state.rules.overwrites_workflows_only:
        app = next((app for app in state.apps if app.id == app_id), None)
        if app is None:
            raise ValueError("App not found")
        if not app.has_workflow:
            raise ValueError("Only workflow or advanced chat apps can be overwritten")


def _import_status(rules: Rules, version: str) -> str:
    """The status of an import of a definition of this version."""
    current = _definition_version(rules)
    if version == current:
        return "completed"
    is_older = _release(version) < _release(current)
    return "completed-with-warnings" if is_older and rules.older_definition_warns else "pending"


def _release(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def confirm_import(state: State, call: Call) -> Reply:
    """POST /apps/imports/{id}/confirm: each import can be confirmed once."""
    import_id = call.ids["import_id"]
    pending = state.imports.get(import_id)
    if pending is None or (state.rules.own_imports_only and pending["account"] != call.caller.id):
        error = "Import information expired or does not exist"
        return _import_reply(state, import_id, "failed", error=error, http_status=400)
    return _finish(state, import_id, "completed")


def _finish(state: State, import_id: str, status: str) -> Reply:
    values = state.imports.pop(import_id)
    definition = values["definition"]
    shown = definition["app"]
    mode = shown.get("mode")
    if mode not in (ALL_MODES if state.rules.agent_mode else MODES):
        error = f"{mode!r} is not a valid AppMode" if mode else "loss app mode"
        return _import_reply(state, import_id, "failed", error=error, http_status=400)
    fields: dict[str, Any] = {
        "name": values.get("name") or shown.get("name") or "",
        "description": values.get("description") or shown.get("description") or "",
        "icon": values.get("icon") or shown.get("icon"),
        "icon_background": values.get("icon_background") or shown.get("icon_background"),
    }
    app = next((app for app in state.apps if app.id == values.get("app_id")), None)
    if app is None:
        app = state.add_app(FakeApp(mode=mode, messages_per_day=0, **fields))
    else:
        change(app, **fields)
    return _import_reply(state, import_id, status, app=app, definition=definition)


def _import_reply(
    state: State,
    import_id: str,
    status: str,
    *,
    app: FakeApp | None = None,
    definition: dict[str, Any] | None = None,
    error: str = "",
    http_status: int = 200,
) -> Reply:
    body: dict[str, Any] = {
        "id": import_id,
        "status": status,
        "app_id": None if app is None else app.id,
        "app_mode": None if app is None else app.mode,
        "current_dsl_version": _definition_version(state.rules),
        "imported_dsl_version": _imported_version(definition) if definition else "",
        "error": error,
    }
    if state.rules.app_permissions:
        body["permission_keys"] = []
    if state.rules.import_warnings:
        body["warnings"] = []
    return json_reply(body, http_status)


def _definition_version(rules: Rules) -> str:
    if rules.import_warnings:
        return "0.7.0"
    return "0.6.0" if rules.newest_features else "0.5.0" if rules.pydantic else "0.4.0"


def _imported_version(definition: dict[str, Any]) -> str:
    return str(definition.get("version") or "0.1.0")


def _quoted(text: str | None) -> str:
    return "'" + (text or "").replace("'", "''") + "'"


ROUTES: list[Route] = [
    Route("POST", "/apps/imports", import_app),
    Route("POST", "/apps/imports/<uuid:import_id>/confirm", confirm_import),
    Route("GET", "/apps/<uuid:app_id>/export", export_app),
]
