"""Switching workspaces, and the members of a workspace."""

import time
from typing import Any
from urllib.parse import quote

from dify_async.testing._console import errors
from dify_async.testing._console.handlers.workspace import workspace_body
from dify_async.testing._console.http import Call, HTTPError, Reply, json_reply
from dify_async.testing._console.models import FakeAccount, make_id
from dify_async.testing._console.params import body_params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State

_INVITABLE_ROLES = ("admin", "editor", "normal", "dataset_operator")


def switch(state: State, call: Call) -> Reply:
    """POST /workspaces/switch: applies to all sessions of the account."""
    params = body_params(state.rules, call, "SwitchWorkspacePayload")
    wanted = params.required("tenant_id")
    params.check()
    if wanted not in state.workspaces:
        raise errors.error(403, "account_not_link_tenant", "Account not link tenant")
    call.caller.workspace_id = str(wanted)
    return json_reply({"result": "success", "new_tenant": workspace_body(state, call.caller)})


def members(state: State, _call: Call) -> Reply:
    """GET /workspaces/current/members."""
    return json_reply(
        {"accounts": [_member(state, account) for account in state.accounts.all if account.workspace]}
    )


def invite(state: State, call: Call) -> Reply:
    """POST /workspaces/current/members/invite-email: a 201, even if addresses failed."""
    params = body_params(state.rules, call, "MemberInvitePayload")
    emails, role = params.required("emails"), params.required("role")
    if emails == [] and state.rules.requires_invitees:
        detail = "List should have at least 1 item after validation, not 0"
        params.reject("emails", "", "too_short", detail)
    params.check()
    if role not in _INVITABLE_ROLES:
        if state.rules.snake_case_invalid_role:
            raise errors.error(400, "invalid_role", "Invalid role.")
        raise HTTPError(400, {"code": "invalid-role", "message": "Invalid role"})
    # As on the server, a string instead of a list is read letter by letter.
    body: dict[str, Any] = {
        "result": "success",
        "invitation_results": [_invite(state, call, str(email), str(role)) for email in emails],
    }
    if state.rules.invitation_has_tenant:
        body["tenant_id"] = call.caller.workspace_id or state.workspace_id
    return json_reply(body, 201)


def _invite(state: State, call: Call, email: str, role: str) -> dict[str, Any]:
    if email == call.caller.email:
        return {"status": "failed", "email": email, "message": "Cannot operate self."}
    if state.accounts.by_email(email) is None:
        state.accounts.add(
            FakeAccount(
                id=make_id(state.seed, "account", email),
                email=email,
                password="",
                name=email.partition("@")[0],
                timezone="UTC",
                role=role,
                pending=True,
            )
        )
    token = make_id(email, time.time())
    url = f"{call.base_url}/activate?email={quote(email, safe='')}&token={token}"
    return {"status": "success", "email": email, "url": url}


def _member(state: State, account: FakeAccount) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": account.id,
        "name": account.name,
        "avatar": None,
        "avatar_url": None,
        "email": account.email,
        "last_login_at": None if account.pending else account.last_login_at,
        "last_active_at": account.last_login_at,
        "created_at": account.created_at,
        "role": account.role,
        "status": "pending" if account.pending else "active",
    }
    if state.rules.newest_features:
        row["roles"] = [{"id": account.role, "name": account.role}]
    return row


ROUTES: list[Route] = [
    Route("POST", "/workspaces/switch", switch),
    Route("GET", "/workspaces/current/members", members),
    Route("POST", "/workspaces/current/members/invite-email", invite),
]
