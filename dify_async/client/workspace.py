"""The workspace and its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_async import _checks
from dify_async._api import endpoints
from dify_async._api.versions import WORKSPACE_BY_POST, WORKSPACE_SUMMARY, Fact
from dify_async._ids import checked_id

from ._calls import Calls, body_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async._ids import Id
    from dify_async.models import Account, InvitationResult, Member, Workspace

# The routes, newest first, each with the fact that says which versions have it.
_CURRENT_WORKSPACE: Final = (
    (WORKSPACE_SUMMARY, endpoints.WORKSPACE_SUMMARY, None),
    (WORKSPACE_BY_POST, endpoints.CURRENT_WORKSPACE, b"{}"),
    (Fact(), endpoints.CURRENT_WORKSPACE_GET, None),
)


class WorkspaceCalls(Calls):
    """Workspaces and members."""

    async def workspaces(self) -> list[Workspace]:
        """The account's workspaces; `current` is True for the selected one. Route: GET /workspaces."""
        return (await self._caller.call(endpoints.WORKSPACES)).workspaces

    async def current_workspace(self) -> Workspace:
        """The selected workspace, with the account's role in it.

        From Dify 1.17 only `id`, `name`, `role`, `plan` and `credits` are set.

        Route: GET /workspaces/current/summary; in Dify 1.10.1 to 1.16 POST /workspaces/current, and in
        older versions GET /workspaces/current.

        Raises:
            DifyConflictError: The workspace was archived; `code` is "current_workspace_archived".
        """
        version = await self._probe.version()
        known = next(n for n, (fact, *_) in enumerate(_CURRENT_WORKSPACE) if fact(version))
        # The version may be hidden, and builds of 1.17 reported 1.16.1: then try the routes of the nearest
        # versions [1.17-pre/08_workspace_current_post].
        nearest = sorted(range(len(_CURRENT_WORKSPACE)), key=lambda n: abs(n - known))
        return await self._call_first(*(_CURRENT_WORKSPACE[n][1:] for n in nearest))

    async def switch_workspace(self, workspace_id: Id) -> Workspace:
        """Select another workspace, and return it. Route: POST /workspaces/switch.

        This switches all sessions of the account: its other clients, and the console in the browser.

        Raises:
            DifyPermissionError: The account is not a member; `code` is "account_not_link_tenant".
        """
        body = body_of(tenant_id=checked_id("workspace_id", workspace_id))
        return (await self._caller.call(endpoints.SWITCH_WORKSPACE, body=body)).new_tenant

    async def members(self) -> list[Member]:
        """The members of the workspace, including pending ones. Route: GET /workspaces/current/members."""
        return (await self._caller.call(endpoints.MEMBERS)).accounts

    async def invite_members(
        self, emails: Iterable[str], role: str, *, language: str | None = None
    ) -> list[InvitationResult]:
        """Invite people to the workspace, and return one result per email address; check its `status`.

        The server does not validate the addresses. Dify up to 0.15 stops at the first address that already
        belongs to a member. Route: POST /workspaces/current/members/invite-email.

        Args:
            emails: The email addresses.
            role: "admin", "editor", "normal" or "dataset_operator".
            language: The language of the emails, such as "en-US".

        Raises:
            DifyValidationError: The role is invalid; `code` is "invalid_role", or "invalid-role" up to
                Dify 1.15. Or from Dify 1.16 there are no addresses.
            DifyUnknownOutcomeError: The people may have been invited; check with `members`.
        """
        _checks.text("role", role)
        _checks.optional_text("language", language)
        body = body_of(emails=_checks.texts("emails", emails), role=role, language=language)
        return (await self._caller.call(endpoints.INVITE_MEMBERS, body=body)).invitation_results

    async def set_timezone(self, name: str) -> Account:
        """Change the account's time zone, which defines the days of all its statistics.

        Route: POST /account/timezone, or PATCH /account/profile if the server no longer has that route.

        Args:
            name: An IANA name with its exact spelling, such as "Europe/Berlin".

        Raises:
            DifyValidationError: The server does not have the time zone.
        """
        _checks.text("name", name)
        body = body_of(timezone=name)
        try:
            return await self._call_first((endpoints.TIMEZONE, body), (endpoints.UPDATE_PROFILE, body))
        finally:
            self._forget_zone()  # also if the response is lost
