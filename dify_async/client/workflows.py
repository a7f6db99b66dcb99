"""Workflows and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async import _checks
from dify_async._api import endpoints
from dify_async._api.paginator import Paginator
from dify_async._api.paging import Cursor, Selection, by_cursor, numbered
from dify_async._api.versions import (
    FILTERED_RUNS,
    WORKFLOW_LOG_DETAILS,
    WORKFLOW_LOG_RANGE,
    WORKFLOW_LOG_USERS,
    WORKFLOW_MARKS,
)
from dify_async._choices import WorkflowRunStatus
from dify_async._ids import checked_id, id_of, optional_id
from dify_async._ranges import is_empty
from dify_async.errors import DifyNotFoundError

from ._calls import Calls, body_of, checked_limit, checked_page

if TYPE_CHECKING:
    from dify_async._ids import AppOrId, Id
    from dify_async._times import When
    from dify_async.models import CursorPage, Page, Workflow, WorkflowAppLog, WorkflowRun, WorkflowRunDetail


class WorkflowCalls(Calls):
    """Workflows and their runs."""

    async def publish_workflow(
        self, app_id: AppOrId, *, marked_name: str | None = None, marked_comment: str | None = None
    ) -> None:
        """Publish the draft of a workflow or advanced-chat app.

        Requires the editor role. Route: POST /apps/{id}/workflows/publish.

        Args:
            app_id: The app.
            marked_name: A name for the version, of at most 20 characters. From Dify 1.0.
            marked_comment: A comment, of at most 100 characters. From Dify 1.0.

        Raises:
            DifyConfigError: The server is too old for a name or comment and would ignore it.
            DifyValidationError: There is no draft, or a text is too long.
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The draft may have been published; check with `published_workflow`.
        """
        app_id = id_of(app_id)
        marks = {"marked_name": marked_name, "marked_comment": marked_comment}
        _checks.each(_checks.optional_text, **marks)
        await self._check_version(WORKFLOW_MARKS, **marks)
        body = body_of(**marks)
        await self._caller.call(endpoints.PUBLISH_WORKFLOW, (app_id,), body=body)

    async def published_workflow(self, app_id: AppOrId) -> Workflow | None:
        """The published workflow of a workflow or advanced-chat app, or None if none was published.

        Route: GET /apps/{id}/workflows/publish.

        Raises:
            DifyNotFoundError: The app does not exist or has another mode.
        """
        app_id = id_of(app_id)
        return await self._caller.call(endpoints.PUBLISHED_WORKFLOW, (app_id,))

    def workflow_runs(
        self,
        app_id: AppOrId,
        *,
        status: WorkflowRunStatus | None = None,
        triggered_from: str | None = None,
        last_id: Id | None = None,
        limit: int = 20,
    ) -> Paginator[WorkflowRun, CursorPage[WorkflowRun]]:
        """One page of the runs of a workflow or advanced-chat app, newest first.

        `async for` yields the rows of this page and of all later ones, each once.

        Route: GET /apps/{id}/workflow-runs.

        Args:
            app_id: The app.
            status: "running", "succeeded", "failed", "stopped" or "partial-succeeded". From Dify 1.9.2.
            triggered_from: "app-run" for runs by end users (default), or "debugging" for runs in the
                console. From Dify 1.9.2; older servers list the runs in the console only, and those by
                end users in `workflow_app_logs`.
            last_id: The id of the last run of the previous page, to get the runs after it.
            limit: From 1 to 100.

        Raises:
            DifyConfigError: An argument is invalid, or the server is too old for it and would ignore it.
            DifyNotFoundError: The app does not exist or has another mode.
        """
        _checks.optional_choice("status", status, WorkflowRunStatus)
        app_id = id_of(app_id)
        last_id = optional_id("last_id", last_id)
        # Older servers ignore triggered_from; newer ones default to "debugging".
        query = (("status", status), ("triggered_from", triggered_from or "app-run"))

        async def select() -> Selection[WorkflowRun]:
            await self._check_version(FILTERED_RUNS, status=status, triggered_from=triggered_from)
            return Selection(query)

        cursor, size = Cursor("last_id", last_id), checked_limit(limit)
        return Paginator(
            by_cursor(self._caller, endpoints.WORKFLOW_RUNS, (app_id,), select, cursor=cursor, limit=size)
        )

    async def workflow_run(self, app_id: AppOrId, run_id: Id) -> WorkflowRunDetail:
        """A run with its inputs and outputs. Route: GET /apps/{id}/workflow-runs/{id}.

        Raises:
            DifyNotFoundError: The app or run does not exist, also on Dify up to 1.11, which returns 200.
        """
        app_id = id_of(app_id)
        run_id = checked_id("run_id", run_id)
        run = await self._caller.call(endpoints.WORKFLOW_RUN, (app_id, run_id))
        if run is None:
            path = f"/apps/{app_id}/workflow-runs/{run_id}"
            raise DifyNotFoundError(
                f"GET {path}: the run does not exist", status=404, code="not_found", method="GET", path=path
            )
        return run

    def workflow_app_logs(
        self,
        app_id: AppOrId,
        *,
        page: int = 1,
        limit: int = 20,
        keyword: str | None = None,
        status: WorkflowRunStatus | None = None,
        start: When | None = None,
        end: When | None = None,
        session_id: str | None = None,
        account: str | None = None,
        detail: bool | None = None,
    ) -> Paginator[WorkflowAppLog, Page[WorkflowAppLog]]:
        """One page of the log of a workflow app, newest first.

        `async for` yields the rows of this page and of all later ones, each once.

        Route: GET /apps/{id}/workflow-app-logs.

        Args:
            app_id: An app of mode workflow.
            page: From 1 to 99,999; a page after the last one is empty.
            limit: From 1 to 100.
            keyword: Text in the inputs, in the outputs or in the end user's name.
            status: "succeeded", "failed" or "stopped"; from Dify 1.8.1 also "partial-succeeded", and from
                1.11 "running".
            start: The earliest creation time, in the account's time zone if naive. From Dify 1.0.1.
            end: The end of the creation times, exclusive; only the page's `total` includes rows at exactly
                this time. From Dify 1.0.1.
            session_id: The end user's name, as given by the calling application. From Dify 1.5.
            account: The email address of a member of the workspace. From Dify 1.5.
            detail: Whether rows include `details`. From Dify 1.10.

        Raises:
            DifyConfigError: An argument is invalid, or the server is too old for it and would ignore it.
            DifyNotFoundError: The app does not exist or has another mode.
        """
        _checks.optional_choice("status", status, WorkflowRunStatus)
        app_id = id_of(app_id)
        _checks.optional_boolean("detail", detail)
        is_empty(start, end)  # rejects invalid bounds

        async def select() -> Selection[WorkflowAppLog] | None:
            await self._check_version(WORKFLOW_LOG_RANGE, start=start, end=end)
            await self._check_version(WORKFLOW_LOG_USERS, session_id=session_id, account=account)
            await self._check_version(WORKFLOW_LOG_DETAILS, detail=detail)
            found = await self._instant_range(start, end)
            if found is None:
                return None
            query = (
                ("keyword", keyword),
                ("status", status),
                ("created_at__after", found.start),
                ("created_at__before", found.end),
                ("created_by_end_user_session_id", session_id),
                ("created_by_account", account),
                ("detail", detail),
            )
            return Selection(query, lambda row: found.includes(row.created_at))

        number, size = checked_page(page), checked_limit(limit)
        return Paginator(
            numbered(self._caller, endpoints.WORKFLOW_APP_LOGS, (app_id,), select, page=number, limit=size)
        )
