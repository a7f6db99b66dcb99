"""The workspace and its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_async._api import endpoints
from dify_async._api.versions import WORKSPACE_BY_POST, WORKSPACE_SUMMARY, Fact

from ._calls import Calls, body_of, check_required, check_texts, checked_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async.models import Account, InvitationResult, Member, Workspace

# The newest route first.
_CURRENT_WORKSPACE: Final = (
    (WORKSPACE_SUMMARY, endpoints.WORKSPACE_SUMMARY, None),
    (WORKSPACE_BY_POST, endpoints.CURRENT_WORKSPACE, b"{}"),
    (Fact(), endpoints.CURRENT_WORKSPACE_GET, None),
)


class WorkspaceCalls(Calls):
    """Calls on workspaces."""

    async def workspaces(self) -> list[Workspace]:
        """The workspaces of the account; the present one is `current`. Route: GET /workspaces."""
        return (await self._caller.call(endpoints.WORKSPACES)).workspaces

    async def current_workspace(self) -> Workspace:
        """The workspace that the account is in, with its role there.

        From Dify 1.17 it has id, name, role, plan and credits alone.

        Route: GET /workspaces/current/summary; POST /workspaces/current up to Dify 1.16, and GET up to
        1.10.0.

        Raises:
            DifyConflictError: The workspace was archived; `code` is "current_workspace_archived".
        """
        version = await self._probe.version()
        known = next(n for n, (fact, *_) in enumerate(_CURRENT_WORKSPACE) if fact(version))
        # Versions may be hidden, and 1.17's main called itself 1.16.1: then a neighbour has the route
        # [1.17-pre/08_workspace_current_post].
        nearest = sorted(range(len(_CURRENT_WORKSPACE)), key=lambda n: abs(n - known))
        return await self._call_first(*(_CURRENT_WORKSPACE[n][1:] for n in nearest))

    async def switch_workspace(self, workspace_id: str) -> Workspace:
        """Go to another workspace. Route: POST /workspaces/switch.

        It is the account that goes there, in all of its sessions: other clients of the account, and
        people in the console, see the other workspace from then on.

        Raises:
            DifyPermissionError: The account is not in it; `code` is "account_not_link_tenant".
        """
        check_required(workspace_id=workspace_id)
        body = body_of(tenant_id=workspace_id)
        return (await self._caller.call(endpoints.SWITCH_WORKSPACE, body=body)).new_tenant

    async def members(self) -> list[Member]:
        """Everybody in the workspace, and those invited. Route: GET /workspaces/current/members."""
        return (await self._caller.call(endpoints.MEMBERS)).accounts

    async def invite_members(
        self, emails: Iterable[str], role: str, *, language: str | None = None
    ) -> list[InvitationResult]:
        """Invite people, and see what came of each address: it may be "failed".

        The server does not check what an address looks like. Dify up to 0.15 stops at the first one
        that is a member already. Route: POST /workspaces/current/members/invite-email.

        Args:
            emails: The addresses.
            role: "admin", "editor", "normal" or "dataset_operator".
            language: Of the mail, as "en-US".

        Raises:
            DifyValidationError: The role cannot be given; `code` is "invalid_role", and "invalid-role"
                up to Dify 1.15. Or there are no addresses, from Dify 1.16.
            DifyUnknownOutcomeError: They may have been invited; `members` tells.
        """
        check_required(role=role)
        check_texts(language=language)
        body = body_of(emails=checked_texts("emails", emails), role=role, language=language)
        return (await self._caller.call(endpoints.INVITE_MEMBERS, body=body)).invitation_results

    async def set_timezone(self, name: str) -> Account:
        """Change the account's time zone, and with it the days of all its statistics.

        Route: POST /account/timezone, or PATCH /account/profile if the server no longer has it.

        Args:
            name: An IANA name, in its own spelling: "Europe/Berlin".

        Raises:
            DifyValidationError: The server does not know it.
        """
        check_required(name=name)
        body = body_of(timezone=name)
        try:
            return await self._call_first((endpoints.TIMEZONE, body), (endpoints.UPDATE_PROFILE, body))
        finally:
            self._forget_zone()  # also where the answer is lost
