"""The account that signed in, and its workspace."""

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from dify_async._zones import find_zone
from dify_async.testing._console import errors
from dify_async.testing._console.accounts import FakeAccount
from dify_async.testing._console.http import Call, Reply, Route, json_reply
from dify_async.testing._console.params import Params, body_params
from dify_async.testing._console.rules import Rules

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console


_PATCHED = ("name", "interface_language", "interface_theme", "timezone")
_SHORTEST_NAME = 3
_LANGUAGES = ("en-US", "zh-Hans", "zh-Hant", "pt-BR", "es-ES", "fr-FR", "de-DE", "ja-JP", "ko-KR", "it-IT")


def profile(_console: "Console", call: Call) -> Reply:
    """GET /account/profile."""
    return json_reply(_profile(call.owner))


def set_timezone(console: "Console", call: Call) -> Reply:
    """POST /account/timezone: moves the days of the account's statistics."""
    params = body_params(console.rules, call, "AccountTimezonePayload")
    zone = params.required("timezone")
    if "timezone" in params.values and not _is_timezone(zone) and not console.rules.pydantic:
        raise errors.error(400, "invalid_param", "Invalid timezone string.")
    _check_timezone(params)
    params.check()
    call.owner.timezone = find_zone(zone).key
    return json_reply(_profile(call.owner))


def patch_profile(console: "Console", call: Call) -> Reply:
    """PATCH /account/profile: changes what is sent, and nothing else."""
    params = body_params(console.rules, call, "AccountProfilePayload")
    for name, value in params.values.items():
        if name not in _PATCHED:
            params.wrong(name, "", "extra_forbidden", "Extra inputs are not permitted")
        elif not isinstance(value, str):
            params.wrong(name, "", "string_type", "Input should be a valid string")
        elif name == "name" and len(value) < _SHORTEST_NAME:
            detail = f"String should have at least {_SHORTEST_NAME} characters"
            params.wrong(name, "", "string_too_short", detail)
        elif name == "interface_language" and value not in _LANGUAGES:
            params.wrong(name, "", "value_error", f"Value error, {value} is not a valid language.")
    if isinstance(params.values.get("timezone"), str):
        _check_timezone(params)
    params.check()
    for name, value in params.values.items():
        setattr(call.owner, name, value)
    return json_reply(_profile(call.owner))


def _check_timezone(params: Params) -> None:
    zone = params.values.get("timezone")
    if "timezone" in params.values and not _is_timezone(zone):
        params.wrong("timezone", "", "value_error", f"Value error, {zone} is not a valid timezone.")


def _is_timezone(zone: object) -> bool:
    return str(zone) in available_timezones()


def workspaces(console: "Console", call: Call) -> Reply:
    """GET /workspaces."""
    present = call.owner.workspace_id or console.workspace_id
    rows = []
    for workspace_id, name in console.workspaces.items():
        row = _workspace(console, workspace_id, name)
        row |= {"plan": "sandbox", "current": workspace_id == present}
        if console.rules.workspace_last_opened:
            row["last_opened_at"] = console.started_at if workspace_id == present else None
        rows.append(row)
    return json_reply({"workspaces": rows})


def current_workspace(console: "Console", call: Call) -> Reply:
    """/workspaces/current: GET, and POST since 1.10.1."""
    return json_reply(workspace_body(console, call.owner))


def summary(console: "Console", call: Call) -> Reply:
    """GET /workspaces/current/summary, since 1.17."""
    present = call.owner.workspace_id or console.workspace_id
    body = {"id": present, "name": console.workspaces[present], "role": call.owner.role}
    return json_reply(body | {"plan": None, "credits": None})


def workspace_body(console: "Console", account: FakeAccount) -> dict[str, Any]:
    """The workspace that an account is in."""
    rules = console.rules
    present = account.workspace_id or console.workspace_id
    answer = _workspace(console, present, console.workspaces[present]) | {
        "role": account.role,
        "in_trial": None,
        "trial_end_reason": None,
        "custom_config": None,
    }
    if rules.bare_workspace:
        answer["plan"] = None
    elif rules.newest_features:
        answer["custom_config"] = {"remove_webapp_brand": False, "replace_webapp_logo": None}
    if rules.workspace_credits:
        answer |= {"trial_credits": None, "trial_credits_used": None, "next_credit_reset_date": None}
    if rules.bare_workspace:
        answer["trial_credits_exhausted_at"] = None
    return answer


def _workspace(console: "Console", workspace_id: str, name: str) -> dict[str, Any]:
    return {
        "id": workspace_id,
        "name": name,
        "plan": "basic",
        "status": "normal",
        "created_at": console.started_at,
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


def _is_posted(rules: Rules) -> bool:
    return rules.posted_workspace and not rules.workspace_summary


ROUTES: list[Route] = [
    Route("GET", "/account/profile", profile),
    Route("PATCH", "/account/profile", patch_profile, when=lambda rules: rules.patched_profile),
    Route("POST", "/account/timezone", set_timezone),
    Route("GET", "/workspaces", workspaces),
    Route("GET", "/workspaces/current", current_workspace, when=lambda rules: not rules.posted_workspace),
    Route("POST", "/workspaces/current", current_workspace, when=_is_posted),
    Route("POST", "/info", current_workspace, when=_is_posted),
    Route("GET", "/workspaces/current/summary", summary, when=lambda rules: rules.workspace_summary),
]
