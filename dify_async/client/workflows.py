"""Workflows and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._api import endpoints
from dify_async._api.paging import iterate_cursor, iterate_pages
from dify_async._api.versions import (
    FILTERED_RUNS,
    WORKFLOW_LOG_DETAILS,
    WORKFLOW_LOG_RANGE,
    WORKFLOW_LOG_USERS,
    WORKFLOW_MARKS,
)
from dify_async.errors import DifyNotFoundError

from ._calls import (
    Calls,
    body_of,
    check_switches,
    check_texts,
    checked_limit,
    checked_page,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dify_async._http.urls import Query
    from dify_async._times import When
    from dify_async.models import (
        CursorPage,
        Page,
        Workflow,
        WorkflowAppLog,
        WorkflowRun,
        WorkflowRunDetail,
    )


class WorkflowCalls(Calls):
    """Calls on workflows, of apps of mode workflow and advanced-chat.

    Raises:
        DifyNotFoundError: No such app, or one of another mode.
    """

    async def publish_workflow(
        self, app_id: str, *, marked_name: str | None = None, marked_comment: str | None = None
    ) -> None:
        """Publish the draft. Route: POST /apps/{id}/workflows/publish.

        Args:
            app_id: The app.
            marked_name: The version's name, of at most 20 characters. From Dify 1.0.
            marked_comment: At most 100 characters. Likewise.

        Raises:
            DifyConfigError: The server is older, and would ignore a name or a comment.
            DifyValidationError: There is no draft, or a text is too long.
            DifyUnknownOutcomeError: It may have been published; `published_workflow` tells.
        """
        marks = {"marked_name": marked_name, "marked_comment": marked_comment}
        check_texts(**marks)
        await self._check_version(WORKFLOW_MARKS, **marks)
        body = body_of(**marks)
        await self._caller.call(endpoints.PUBLISH_WORKFLOW, (app_id,), body=body)

    async def published_workflow(self, app_id: str) -> Workflow | None:
        """The published workflow; None until there is one. Route: GET /apps/{id}/workflows/publish."""
        return await self._caller.call(endpoints.PUBLISHED_WORKFLOW, (app_id,))

    async def workflow_runs(
        self,
        app_id: str,
        *,
        status: str | None = None,
        triggered_from: str | None = None,
        last_id: str | None = None,
        limit: int = 20,
    ) -> CursorPage[WorkflowRun]:
        """Runs, the newest first. Route: GET /apps/{id}/workflow-runs.

        Args:
            app_id: The app.
            status: "running", "succeeded", "failed", "stopped" or "partial-succeeded". From Dify 1.9.2.
            triggered_from: "app-run", the default, for users' runs; "debugging" for those of the
                console. From Dify 1.9.2; before, there are only the console's runs here, and users'
                are in `workflow_app_logs`.
            last_id: The run behind which to go on.
            limit: From 1 to 100.

        Raises:
            DifyConfigError: The server is older, and would ignore a status or `triggered_from`.
        """
        query = await self._run_filters(status, triggered_from)
        more = (("last_id", last_id), ("limit", checked_limit(limit)))
        return await self._caller.call(endpoints.WORKFLOW_RUNS, (app_id,), (*query, *more))

    async def iter_workflow_runs(
        self,
        app_id: str,
        *,
        status: str | None = None,
        triggered_from: str | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[WorkflowRun]:
        """All of `workflow_runs`, each once. Nothing is open between two parts."""
        limit = checked_limit(page_size)
        query = await self._run_filters(status, triggered_from)
        async for run in iterate_cursor(
            self._caller, endpoints.WORKFLOW_RUNS, (app_id,), query, cursor="last_id", page_size=limit
        ):
            yield run

    async def workflow_run(self, app_id: str, run_id: str) -> WorkflowRunDetail:
        """A run with what went in and what came out. Route: GET /apps/{id}/workflow-runs/{id}.

        Raises:
            DifyNotFoundError: No such run. Dify up to 1.11 answers 200 for it; it is raised all the same.
        """
        run = await self._caller.call(endpoints.WORKFLOW_RUN, (app_id, run_id))
        if run is None:
            path = f"/apps/{app_id}/workflow-runs/{run_id}"
            raise DifyNotFoundError(
                f"GET {path}: there is no such run", status=404, code="not_found", method="GET", path=path
            )
        return run

    async def workflow_app_logs(
        self,
        app_id: str,
        *,
        page: int = 1,
        limit: int = 20,
        keyword: str | None = None,
        status: str | None = None,
        start: When | None = None,
        end: When | None = None,
        session_id: str | None = None,
        account: str | None = None,
        detail: bool | None = None,
    ) -> Page[WorkflowAppLog]:
        """One page of the log of an app of mode workflow, the newest first.

        Route: GET /apps/{id}/workflow-app-logs.

        Args:
            app_id: The app.
            page: From 1.
            limit: From 1 to 100.
            keyword: Text in what went in or out, or the user's name.
            status: "succeeded", "failed" or "stopped"; from Dify 1.8.1 "partial-succeeded", and from
                1.11 "running".
            start: The first moment, in the account's time zone where it is naive. From Dify 1.0.1.
            end: The last moment, included. Likewise.
            session_id: The user's name as the calling application gave it. From Dify 1.5.
            account: The e-mail of somebody of the workspace. From Dify 1.5.
            detail: Whether rows have `details`. From Dify 1.10.

        Raises:
            DifyConfigError: The server is older than a filter, and would ignore it.
        """
        query = await self._log_filters(
            keyword=keyword,
            status=status,
            start=start,
            end=end,
            session_id=session_id,
            account=account,
            detail=detail,
        )
        return await self._caller.call(
            endpoints.WORKFLOW_APP_LOGS, (app_id,), (*query, *checked_page(page, limit))
        )

    async def iter_workflow_app_logs(
        self,
        app_id: str,
        *,
        keyword: str | None = None,
        status: str | None = None,
        start: When | None = None,
        end: When | None = None,
        session_id: str | None = None,
        account: str | None = None,
        detail: bool | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[WorkflowAppLog]:
        """All of `workflow_app_logs`, each once, page by page as they are used."""
        limit = checked_limit(page_size)
        query = await self._log_filters(
            keyword=keyword,
            status=status,
            start=start,
            end=end,
            session_id=session_id,
            account=account,
            detail=detail,
        )
        async for row in iterate_pages(
            self._caller, endpoints.WORKFLOW_APP_LOGS, (app_id,), query, page_size=limit
        ):
            yield row

    async def _run_filters(self, status: str | None, triggered_from: str | None) -> Query:
        await self._check_version(FILTERED_RUNS, status=status, triggered_from=triggered_from)
        # Before, it is ignored; since, the server's own default is "debugging".
        return ("status", status), ("triggered_from", triggered_from or "app-run")

    async def _log_filters(
        self,
        *,
        keyword: str | None,
        status: str | None,
        start: When | None,
        end: When | None,
        session_id: str | None,
        account: str | None,
        detail: bool | None,
    ) -> Query:
        check_switches(detail=detail)
        await self._check_version(WORKFLOW_LOG_RANGE, start=start, end=end)
        await self._check_version(WORKFLOW_LOG_USERS, session_id=session_id, account=account)
        await self._check_version(WORKFLOW_LOG_DETAILS, detail=detail)
        after, before = await self._instants(start, end)
        return (
            ("keyword", keyword),
            ("status", status),
            ("created_at__after", after),
            ("created_at__before", before),
            ("created_by_end_user_session_id", session_id),
            ("created_by_account", account),
            ("detail", detail),
        )
