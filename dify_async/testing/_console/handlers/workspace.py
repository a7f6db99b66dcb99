"""The authenticated account and its workspaces."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from dify_async._zones import find_zone
from dify_async.testing._console import errors
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.models import FakeAccount
from dify_async.testing._console.params import Params, body_params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State

_PATCHABLE = ("name", "interface_language", "interface_theme", "timezone")
_MIN_NAME_LENGTH = 3
_LANGUAGES = ("en-US", "zh-Hans", "zh-Hant", "pt-BR", "es-ES", "fr-FR", "de-DE", "ja-JP", "ko-KR", "it-IT")
_zone_names = cache(available_timezones)  # it walks through a folder of 600 files


def profile(_state: State, call: Call) -> Reply:
    """GET /account/profile."""
    return json_reply(_profile(call.caller))


def set_timezone(state: State, call: Call) -> Reply:
    """POST /account/timezone: changes the days of the account's statistics."""
    params = body_params(state.rules, call, "AccountTimezonePayload")
    zone = params.required("timezone")
    if "timezone" in params.values and not _is_timezone(zone) and not state.rules.pydantic:
        raise errors.error(400, "invalid_param", "Invalid timezone string.")
    _check_timezone(params)
    params.check()
    call.caller.timezone = find_zone(zone).key
    return json_reply(_profile(call.caller))


def patch_profile(state: State, call: Call) -> Reply:
    """PATCH /account/profile: changes only the fields that are sent."""
    params = body_params(state.rules, call, "AccountProfilePayload")
    for name, value in params.values.items():
        if name not in _PATCHABLE:
            params.reject(name, "", "extra_forbidden", "Extra inputs are not permitted")
        elif not isinstance(value, str):
            params.reject(name, "", "string_type", "Input should be a valid string")
        elif name == "name" and len(value) < _MIN_NAME_LENGTH:
            detail = f"String should have at least {_MIN_NAME_LENGTH} characters"
            params.reject(name, "", "string_too_short", detail)
        elif name == "interface_language" and value not in _LANGUAGES:
            params.reject(name, "", "value_error", f"Value error, {value} is not a valid language.")
    if isinstance(params.values.get("timezone"), str):
        _check_timezone(params)
    params.check()
    for name, value in params.values.items():
        setattr(call.caller, name, value)
    return json_reply(_profile(call.caller))


def _check_timezone(params: Params) -> None:
    zone = params.values.get("timezone")
    if "timezone" in params.values and not _is_timezone(zone):
        params.reject("timezone", "", "value_error", f"Value error, {zone} is not a valid timezone.")


def _is_timezone(zone: object) -> bool:
    return str(zone) in _zone_names()


def workspaces(state: State, call: Call) -> Reply:
    """GET /workspaces."""
    current_id = call.caller.workspace_id or state.workspace_id
    rows = []
    for workspace_id, name in state.workspaces.items():
        row = _workspace(state, workspace_id, name)
        row |= {"plan": "sandbox", "current": workspace_id == current_id}
        if state.rules.workspace_last_opened:
            row["last_opened_at"] = state.started_at if workspace_id == current_id else None
        rows.append(row)
    return json_reply({"workspaces": rows})


def current_workspace(state: State, call: Call) -> Reply:
    """GET /workspaces/current, and POST since 1.10.1."""
    return json_reply(workspace_body(state, call.caller))


def summary(state: State, call: Call) -> Reply:
    """GET /workspaces/current/summary, since 1.17."""
    current_id = call.caller.workspace_id or state.workspace_id
    body = {"id": current_id, "name": state.workspaces[current_id], "role": call.caller.role}
    return json_reply(body | {"plan": None, "credits": None})


def workspace_body(state: State, account: FakeAccount) -> dict[str, Any]:
    """The current workspace of an account."""
    rules = state.rules
    current_id = account.workspace_id or state.workspace_id
    answer = _workspace(state, current_id, state.workspaces[current_id]) | {
        "role": account.role,
        "in_trial": None,
        "trial_end_reason": None,
        "custom_config": None,
    }
    if rules.minimal_workspace:
        answer["plan"] = None
    elif rules.newest_features:
        answer["custom_config"] = {"remove_webapp_brand": False, "replace_webapp_logo": None}
    if rules.workspace_credits:
        answer |= {"trial_credits": None, "trial_credits_used": None, "next_credit_reset_date": None}
    if rules.minimal_workspace:
        answer["trial_credits_exhausted_at"] = None
    return answer


def _workspace(state: State, workspace_id: str, name: str) -> dict[str, Any]:
    return {
        "id": workspace_id,
        "name": name,
        "plan": "basic",
        "status": "normal",
        "created_at": state.started_at,
    }


def _profile(account: FakeAccount) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "avatar": None,
        "avatar_url": None,
        "email": account.email,
        "is_password_set": True,
        "interface_language": account.interface_language,
        "interface_theme": account.interface_theme,
        "timezone": account.timezone,
        "last_login_at": account.last_login_at,
        "last_login_ip": "127.0.0.1",
        "created_at": account.created_at,
    }


def _posts_workspace(rules: Rules) -> bool:
    return rules.posts_workspace and not rules.workspace_summary


ROUTES: list[Route] = [
    Route("GET", "/account/profile", profile),
    Route("PATCH", "/account/profile", patch_profile, when=lambda rules: rules.patches_profile),
    Route("POST", "/account/timezone", set_timezone),
    Route("GET", "/workspaces", workspaces),
    Route("GET", "/workspaces/current", current_workspace, when=lambda rules: not rules.posts_workspace),
    Route("POST", "/workspaces/current", current_workspace, when=_posts_workspace),
    Route("POST", "/info", current_workspace, when=_posts_workspace),
    Route("GET", "/workspaces/current/summary", summary, when=lambda rules: rules.workspace_summary),
]
