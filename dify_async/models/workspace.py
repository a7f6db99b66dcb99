"""Workspaces and their members. Times are Unix seconds."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from .base import DifyModel, Masked


class Workspace(DifyModel, frozen=True, kw_only=True):
    """A workspace. Lists omit `role` and the trial and credit fields.

    From Dify 1.17, `current_workspace()` sets only `id`, `name`, `role`, `plan` and `credits`.

    Attributes:
        plan: The billing plan. If billing is disabled, the plan is "sandbox" or "basic"; from Dify 1.16, it
            is None except in lists.
        current: Whether this is the selected workspace; set in lists only.
        role: The account's role: "owner", "admin", "editor", "normal" or "dataset_operator".
        last_opened_at: When the account last opened it. Available from Dify 1.15.
        in_trial: Whether the workspace is in its trial.
        trial_end_reason: Why the trial ended.
        custom_config: The branding of public pages: `remove_webapp_brand` and `replace_webapp_logo`.
        trial_credits: The credits of the trial. Available from Dify 1.11.3.
        trial_credits_used: The credits that were used. Available from Dify 1.11.3.
        trial_credits_exhausted_at: When the credits were used up. Available from Dify 1.16.
        next_credit_reset_date: The next reset of the credits. Available from Dify 1.11.3.
        credits: The remaining credits; -1 if unlimited. Available from Dify 1.17.
    """

    id: str
    name: str | None = None
    plan: str | None = None
    status: str | None = None
    created_at: int | None = None
    current: bool | None = None
    last_opened_at: int | None = None
    role: str | None = None
    in_trial: bool | None = None
    trial_end_reason: str | None = None
    custom_config: dict[str, object] | None = None
    trial_credits: int | None = None
    trial_credits_used: int | None = None
    trial_credits_exhausted_at: int | None = None
    next_credit_reset_date: int | None = None
    credits: int | None = None


class Workspaces(Struct, frozen=True):
    """The response body that contains a list of workspaces."""

    workspaces: list[Workspace]


class SwitchedWorkspace(Struct, frozen=True):
    """The response body that contains the newly selected workspace."""

    result: str
    new_tenant: Workspace


class Role(DifyModel, frozen=True, kw_only=True):
    """A role of a member. Available from Dify 1.15."""

    id: str
    name: str | None = None


class Member(DifyModel, frozen=True, kw_only=True):
    """A member of the workspace, or a person whose invitation is pending.

    Attributes:
        role: "owner", "admin", "editor", "normal" or "dataset_operator".
        status: "active", or "pending" if the invitation has not been accepted yet.
        roles: The roles of the member. Available from Dify 1.15.
    """

    id: str
    name: str | None = None
    email: str | None = None
    role: str | None = None
    status: str | None = None
    avatar: str | None = None
    avatar_url: str | None = None
    last_login_at: int | None = None
    last_active_at: int | None = None
    created_at: int | None = None
    roles: list[Role] | None = None


class Members(Struct, frozen=True):
    """The response body that contains a list of members."""

    accounts: list[Member]


class InvitationResult(Masked, frozen=True, kw_only=True):
    """The result of inviting one email address. The repr hides `url`.

    Attributes:
        status: "success" or "failed".
        url: The link for accepting the invitation. It contains a token, so keep it secret.
        message: The reason for a failed invitation.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"url"})

    status: str
    email: str
    url: str | None = None
    message: str | None = None


class Invitations(Struct, frozen=True, kw_only=True):
    """The response body that contains the results of invitations."""

    result: str
    invitation_results: list[InvitationResult]
    tenant_id: str | None = None
