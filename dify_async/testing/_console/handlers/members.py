"""Workspaces to switch between, and who is in one."""

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dify_async.testing._console import errors
from dify_async.testing._console.accounts import FakeAccount, make_id
from dify_async.testing._console.handlers.workspace import workspace_body
from dify_async.testing._console.http import (
    Call,
    Refusal,
    Reply,
    Route,
    json_reply,
)
from dify_async.testing._console.params import body_params

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

_INVITED_AS = ("admin", "editor", "normal", "dataset_operator")


def switch(console: "Console", call: Call) -> Reply:
    """POST /workspaces/switch: for all sessions of the account."""
    params = body_params(console.rules, call, "SwitchWorkspacePayload")
    wanted = params.required("tenant_id")
    params.check()
    if wanted not in console.workspaces:
        raise errors.error(403, "account_not_link_tenant", "Account not link tenant")
    call.owner.workspace_id = str(wanted)
    return json_reply({"result": "success", "new_tenant": workspace_body(console, call.owner)})


def members(console: "Console", _call: Call) -> Reply:
    """GET /workspaces/current/members."""
    return json_reply({"accounts": [_member(console, one) for one in console.accounts.all if one.workspace]})


def invite(console: "Console", call: Call) -> Reply:
    """POST /workspaces/current/members/invite-email: 201, whatever came of each address."""
    params = body_params(console.rules, call, "MemberInvitePayload")
    emails, role = params.required("emails"), params.required("role")
    if emails == [] and console.rules.needs_invited:
        detail = "List should have at least 1 item after validation, not 0"
        params.wrong("emails", "", "too_short", detail)
    params.check()
    if role not in _INVITED_AS:
        if console.rules.named_invalid_role:
            raise errors.error(400, "invalid_role", "Invalid role.")
        raise Refusal(400, {"code": "invalid-role", "message": "Invalid role"})
    # A plain text is taken letter by letter.
    body: dict[str, Any] = {
        "result": "success",
        "invitation_results": [_invited(console, call, str(email), str(role)) for email in emails],
    }
    if console.rules.told_tenant:
        body["tenant_id"] = call.owner.workspace_id or console.workspace_id
    return json_reply(body, 201)


def _invited(console: "Console", call: Call, email: str, role: str) -> dict[str, Any]:
    if email == call.owner.email:
        return {"status": "failed", "email": email, "message": "Cannot operate self."}
    if console.accounts.of_email(email) is None:
        console.accounts.add(
            FakeAccount(
                id=make_id(console.seed, "account", email),
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


def _member(console: "Console", account: FakeAccount) -> dict[str, Any]:
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
    if console.rules.newest_features:
        row["roles"] = [{"id": account.role, "name": account.role}]
    return row


ROUTES: list[Route] = [
    Route("POST", "/workspaces/switch", switch),
    Route("GET", "/workspaces/current/members", members),
    Route("POST", "/workspaces/current/members/invite-email", invite),
]
