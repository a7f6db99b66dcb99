"""The account that signed in, and its workspace."""

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from dify_async._zones import find_zone
from dify_async.testing import _errors as errors
from dify_async.testing._accounts import FakeAccount
from dify_async.testing._http import Call, Reply, Route, json_reply
from dify_async.testing._params import body_params

if TYPE_CHECKING:
    from dify_async.testing._console import Console


def profile(_console: "Console", call: Call) -> Reply:
    """GET /account/profile."""
    return json_reply(_profile(call.owner))


def set_timezone(console: "Console", call: Call) -> Reply:
    """POST /account/timezone: moves the days of the account's statistics."""
    params = body_params(console.rules, call, "AccountTimezonePayload")
    zone = params.required("timezone")
    if "timezone" in params.values and str(zone) not in available_timezones():
        if not console.rules.pydantic:
            raise errors.error(400, "invalid_param", "Invalid timezone string.")
        detail = f"Value error, {zone} is not a valid timezone."
        params.wrong("timezone", "", "value_error", detail)
    params.check()
    call.owner.timezone = find_zone(zone).key
    return json_reply(_profile(call.owner))


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
    if rules.newest_features:
        answer["custom_config"] = {"remove_webapp_brand": False, "replace_webapp_logo": None}
    if rules.workspace_credits:
        answer |= {"trial_credits": None, "trial_credits_used": None, "next_credit_reset_date": None}
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
        "interface_language": "en-US",
        "interface_theme": "light",
        "timezone": account.timezone,
        "last_login_at": account.last_login_at,
        "last_login_ip": "127.0.0.1",
        "created_at": account.created_at,
    }


ROUTES: list[Route] = [
    Route("GET", "/account/profile", profile),
    Route("POST", "/account/timezone", set_timezone),
    Route("GET", "/workspaces", workspaces),
    Route("GET", "/workspaces/current", current_workspace, when=lambda rules: not rules.posted_workspace),
    Route("POST", "/workspaces/current", current_workspace, when=lambda rules: rules.posted_workspace),
]
