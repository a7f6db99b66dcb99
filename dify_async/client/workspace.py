"""The workspace and its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_async import _endpoints as endpoints
from dify_async._auth.rules import at_least
from dify_async.errors import DifyStatusError

from ._calls import Calls, body_of, check_required, check_texts, checked_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async.models import Account, InvitationResult, Member, Workspace

_POSTED_SINCE: Final = (1, 10, 1)


class WorkspaceCalls(Calls):
    """Calls on workspaces."""

    async def workspaces(self) -> list[Workspace]:
        """The workspaces of the account; the present one is `current`. Route: GET /workspaces."""
        return (await self._pipeline.call(endpoints.WORKSPACES)).workspaces

    async def current_workspace(self) -> Workspace:
        """The workspace that the account is in, with its role there.

        Route: POST /workspaces/current, a GET up to Dify 1.10.0.
        """
        if at_least(await self._server.version(), _POSTED_SINCE):
            try:
                return await self._pipeline.call(endpoints.CURRENT_WORKSPACE, body=b"{}")
            except DifyStatusError as error:
                if error.status != 405:  # of an old server that hides its version
                    raise
        return await self._pipeline.call(endpoints.CURRENT_WORKSPACE_OF_OLD)

    async def switch_workspace(self, workspace_id: str) -> Workspace:
        """Go to another workspace. Route: POST /workspaces/switch.

        It is the account that goes there, in all of its sessions: other clients of the account, and
        people in the console, see the other workspace from then on.

        Raises:
            DifyPermissionError: The account is not in it; `code` is "account_not_link_tenant".
        """
        check_required(workspace_id=workspace_id)
        body = body_of(tenant_id=workspace_id)
        return (await self._pipeline.call(endpoints.SWITCH_WORKSPACE, body=body)).new_tenant

    async def members(self) -> list[Member]:
        """Everybody in the workspace, and those invited. Route: GET /workspaces/current/members."""
        return (await self._pipeline.call(endpoints.MEMBERS)).accounts

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
            DifyValidationError: The role cannot be given; `code` is "invalid-role".
            DifyUnknownOutcomeError: They may have been invited; `members` tells.
        """
        check_required(role=role)
        check_texts(language=language)
        body = body_of(emails=checked_texts("emails", emails), role=role, language=language)
        return (await self._pipeline.call(endpoints.INVITE_MEMBERS, body=body)).invitation_results

    async def set_timezone(self, name: str) -> Account:
        """Change the account's time zone, and with it the days of all its statistics.

        Route: POST /account/timezone.

        Args:
            name: An IANA name, in its own spelling: "Europe/Berlin".

        Raises:
            DifyValidationError: The server does not know it.
        """
        check_required(name=name)
        try:
            return await self._pipeline.call(endpoints.TIMEZONE, body=body_of(timezone=name))
        finally:
            self._forget_zone()  # also where the answer is lost
