"""Workspaces and their members. Times are unix seconds."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from ._base import Masked


class Workspace(Struct, frozen=True, kw_only=True):
    """A workspace. Lists have `current`; `current_workspace()` and `switch_workspace()` have `role` and more.

    From Dify 1.17 `current_workspace()` has id, name, role, plan and credits alone.

    Attributes:
        plan: The plan by which it is billed; if nothing is billed, "sandbox" or "basic", and from
            Dify 1.16 None unless it is in a list.
        current: Whether the account is in it now; in lists only.
        role: The account's: "owner", "admin", "editor", "normal" or "dataset_operator".
        last_opened_at: From Dify 1.15.
        trial_credits: From Dify 1.11.3.
        trial_credits_used: From Dify 1.11.3.
        trial_credits_exhausted_at: Unix seconds. From Dify 1.16.
        next_credit_reset_date: From Dify 1.11.3.
        credits: What is left of the credits; -1 if they are unlimited. From Dify 1.17.
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
    """The envelope of a list of workspaces."""

    workspaces: list[Workspace]


class SwitchedWorkspace(Struct, frozen=True):
    """The envelope of the workspace that was switched to."""

    result: str
    new_tenant: Workspace


class Role(Struct, frozen=True, kw_only=True):
    """A role of a member, from Dify 1.15."""

    id: str
    name: str | None = None


class Member(Struct, frozen=True, kw_only=True):
    """Somebody in the workspace, or invited to it.

    Attributes:
        role: "owner", "admin", "editor", "normal" or "dataset_operator".
        status: "active", or "pending" until the invitation is accepted.
        roles: From Dify 1.15.
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
    """The envelope of a list of members."""

    accounts: list[Member]


class InvitationResult(Masked, frozen=True, kw_only=True):
    """What came of one address.

    Attributes:
        status: "success" or "failed".
        url: Where the invitation is accepted, with its token: whoever has it can. Hidden in the repr.
        message: Why it failed.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"url"})

    status: str
    email: str
    url: str | None = None
    message: str | None = None


class Invitations(Struct, frozen=True, kw_only=True):
    """The envelope of what came of each address."""

    result: str
    invitation_results: list[InvitationResult]
    tenant_id: str | None = None
