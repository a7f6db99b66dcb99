"""Made by `nox -s sync` from dify_async/client: change it there, or in tools/sync.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from msgspec import UNSET, UnsetType

from dify_async._http.retry import RetryPolicy
from dify_async.client import AsyncDifyServer
from dify_async.client._client import from_environment
from dify_async.sync._calls import Calls, taken

if TYPE_CHECKING:
    import ssl as ssl_module
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import UnionType

    import aiohttp

    from dify_async._http.urls import QueryValue
    from dify_async._times import When
    from dify_async.client._options import Options
    from dify_async.client.bulk import AppResult, Progress, T
    from dify_async.dashboard.models import Dashboard
    from dify_async.events import OnEvent
    from dify_async.models import (
        Account,
        Annotation,
        ApiKey,
        App,
        AppImport,
        AppModelConfig,
        AverageResponseTime,
        AverageSessionInteractions,
        ChatConversation,
        ChatMessage,
        CompletionConversation,
        CursorPage,
        DailyConversations,
        DailyEndUsers,
        DailyMessages,
        Dataset,
        DatasetApiKey,
        Features,
        IndexingStatus,
        InvitationResult,
        Member,
        Page,
        SetupStatus,
        SystemFeatures,
        TokenCosts,
        TokensPerSecond,
        UserSatisfactionRate,
        Workflow,
        WorkflowAppLog,
        WorkflowDailyRuns,
        WorkflowRun,
        WorkflowRunDetail,
        WorkflowTokenCosts,
        Workspace,
    )
    from dify_async.statistics import AppStatistics, Metric
    from dify_async.statistics.fan_out import OnError
    from dify_async.sync._updates import DashboardUpdates
    from dify_async.tokens import TokenStore


class RawCalls(Calls):
    """Calls by method and path."""

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = None,
    ) -> Any: ...

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = None,
        type: type[T],
    ) -> T: ...

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = None,
        type: UnionType,
    ) -> Any: ...

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = None,
        type: type[T] | UnionType | None = None,
    ) -> Any:
        """Call a route that has no method here, with the same sign-in, repeats, limits and errors.

        Args:
            method: GET or DELETE, which are repeated after failures; POST, PUT or PATCH, which are
                not where they may have arrived.
            path: Below /console/api, as "/apps/ID/trace"; ids in it are checked as everywhere.
            params: The query; a sequence gives its name once a value, and None is left out.
            json: The body; POST, PUT and PATCH without one send {}.
            type: What the answer is decoded into, as by msgspec; `bytes` for a file, as it is; without
                it plain JSON values, and None for an empty answer. Type checkers know what comes back
                of a class, as `App` or `list[App]`; of a union, and without it, it is Any to them.

        Raises:
            DifyConfigError: The method or the path cannot be used; nothing was sent.
            DifyDecodeError: The answer is no JSON, or not of that type.
        """
        return self._call(self._dify.request, method, path, params=params, json=json, type=type)  # type: ignore[arg-type]  # mypy tries the first overload alone


class AccountCalls(Calls):
    """Calls on the account."""

    def login(self) -> None:
        """Sign in now, whatever tokens there are; else the first call signs in.

        A refused sign-in is remembered and raised by every later call; this tries again.

        Raises:
            DifyLoginError: The server refuses the e-mail or the password, or password sign-in.
            DifyLoginLockedError: Too many wrong passwords: locked, by default for 24 hours.
        """
        self._call(self._dify.login)

    def request_login_code(self, email: str, *, language: str | None = None) -> str:
        """Have a code mailed to the account, and get the token that goes with it to `login_with_code`.

        Route: POST /email-code-login, where `system_features` has enable_email_code_login.

        Args:
            email: The address.
            language: Of the mail, as "en-US".

        Raises:
            DifyRateLimitError: More than three in five minutes, or too many from one address.
        """
        return self._call(self._dify.request_login_code, email, language=language)

    def login_with_code(self, email: str, code: str, token: str) -> None:
        """Sign in by a code that was mailed; renewals go on from there, until the refresh token ends.

        Then calls raise DifyLoginError: the password is not sent in the place of a code, in other
        processes with the same token store neither, until `login()` is called.

        Route: POST /email-code-login/validity.

        Args:
            email: The address of this client.
            code: What stands in the mail.
            token: What `request_login_code` gave.

        Raises:
            DifyConfigError: The client is for another account.
            DifyLoginError: The server refuses the code. It is not remembered: calls that find no
                session go on to sign in by the password.
        """
        self._call(self._dify.login_with_code, email, code, token)

    def logout(self) -> None:
        """End the session and clear the token store; a later call signs in again.

        The server ends the account's newest session, which may be another client's: that one signs
        in again. Access tokens stay good until they expire.

        Raises:
            DifyConnectionError: The server was not reached, or failed (DifyServerError). The store is
                cleared all the same; call it again to end the session at the server.
        """
        self._call(self._dify.logout)

    def version(self) -> str:
        """Dify's version, as "1.11.2"; "" if a proxy hides it. Needs no sign-in.

        Read from the X-Version header of every answer, so it follows an upgrade; before the first one, of
        GET /system-features. A `server_version` that was given stays.
        """
        return self._call(self._dify.version)

    def profile(self) -> Account:
        """The account; its `timezone` is that of all statistics. Route: GET /account/profile."""
        return self._call(self._dify.profile)

    def system_features(self) -> SystemFeatures:
        """What the server offers before anybody signs in. Route: GET /system-features."""
        return self._call(self._dify.system_features)

    def setup_status(self) -> SetupStatus:
        """Whether the server was set up; needs no sign-in. Route: GET /setup."""
        return self._call(self._dify.setup_status)

    def features(self) -> Features:
        """What the workspace has, and how much of it. Route: GET /features."""
        return self._call(self._dify.features)


class WorkspaceCalls(Calls):
    """Calls on workspaces."""

    def workspaces(self) -> list[Workspace]:
        """The workspaces of the account; the present one is `current`. Route: GET /workspaces."""
        return self._call(self._dify.workspaces)

    def current_workspace(self) -> Workspace:
        """The workspace that the account is in, with its role there.

        From Dify 1.17 it has id, name, role, plan and credits alone.

        Route: GET /workspaces/current/summary; POST /workspaces/current up to Dify 1.16, and GET up to
        1.10.0.

        Raises:
            DifyConflictError: The workspace was archived; `code` is "current_workspace_archived".
        """
        return self._call(self._dify.current_workspace)

    def switch_workspace(self, workspace_id: str) -> Workspace:
        """Go to another workspace. Route: POST /workspaces/switch.

        It is the account that goes there, in all of its sessions: other clients of the account, and
        people in the console, see the other workspace from then on.

        Raises:
            DifyPermissionError: The account is not in it; `code` is "account_not_link_tenant".
        """
        return self._call(self._dify.switch_workspace, workspace_id)

    def members(self) -> list[Member]:
        """Everybody in the workspace, and those invited. Route: GET /workspaces/current/members."""
        return self._call(self._dify.members)

    def invite_members(
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
        return self._call(self._dify.invite_members, taken(emails), role, language=language)

    def set_timezone(self, name: str) -> Account:
        """Change the account's time zone, and with it the days of all its statistics.

        Route: POST /account/timezone, or PATCH /account/profile if the server no longer has it.

        Args:
            name: An IANA name, in its own spelling: "Europe/Berlin".

        Raises:
            DifyValidationError: The server does not know it.
        """
        return self._call(self._dify.set_timezone, name)


class KnowledgeCalls(Calls):
    """Calls on knowledge bases."""

    def datasets(self, *, keyword: str | None = None, tag_ids: Iterable[str] | None = None) -> list[Dataset]:
        """All knowledge bases that the account may see and that match, each once, the newest first.

        Route: GET /datasets.

        Args:
            keyword: A part of the name, in any case.
            tag_ids: Any of these tags.
        """
        return self._call(self._dify.datasets, keyword=keyword, tag_ids=taken(tag_ids))

    def iter_datasets(
        self, *, keyword: str | None = None, tag_ids: Iterable[str] | None = None, page_size: int = 100
    ) -> Generator[Dataset, None, None]:
        """The same as `datasets`, page by page as they are used."""
        return self._rows(
            self._dify.iter_datasets(keyword=keyword, tag_ids=taken(tag_ids), page_size=page_size)
        )

    def datasets_page(
        self,
        *,
        page: int = 1,
        limit: int = 20,
        keyword: str | None = None,
        tag_ids: Iterable[str] | None = None,
    ) -> Page[Dataset]:
        """One page of `datasets`: `page` from 1, `limit` from 1 to 100, which the server does not check."""
        return self._call(
            self._dify.datasets_page, page=page, limit=limit, keyword=keyword, tag_ids=taken(tag_ids)
        )

    def dataset_indexing_status(self, dataset_id: str) -> list[IndexingStatus]:
        """How far each document of a knowledge base is.

        The server counts each document's segments, so it is slow where there are many.
        Route: GET /datasets/{id}/indexing-status.

        Raises:
            DifyNotFoundError: No such knowledge base. Dify up to 1.16 answers an empty list for it.
        """
        return self._call(self._dify.dataset_indexing_status, dataset_id)

    def document_indexing_status(self, dataset_id: str, document_id: str) -> IndexingStatus:
        """How far a document is. Route: GET /datasets/{id}/documents/{id}/indexing-status.

        Raises:
            DifyNotFoundError: No such knowledge base or document.
        """
        return self._call(self._dify.document_indexing_status, dataset_id, document_id)

    def dataset_error_documents(self, dataset_id: str) -> list[IndexingStatus]:
        """The documents that failed or are paused. Route: GET /datasets/{id}/error-docs.

        Raises:
            DifyNotFoundError: No such knowledge base.
        """
        return self._call(self._dify.dataset_error_documents, dataset_id)

    def retry_document_indexing(self, dataset_id: str, document_ids: Iterable[str]) -> None:
        """Index documents again that failed. Route: POST /datasets/{id}/retry.

        Ids of no document, of archived ones and of those that are done are passed over silently.

        Raises:
            DifyNotFoundError: No such knowledge base.
            DifyValidationError: One of them is being retried already.
        """
        self._call(self._dify.retry_document_indexing, dataset_id, taken(document_ids))


class WorkflowCalls(Calls):
    """Calls on workflows, of apps of mode workflow and advanced-chat.

    Raises:
        DifyNotFoundError: No such app, or one of another mode.
    """

    def publish_workflow(
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
        self._call(
            self._dify.publish_workflow, app_id, marked_name=marked_name, marked_comment=marked_comment
        )

    def published_workflow(self, app_id: str) -> Workflow | None:
        """The published workflow; None until there is one. Route: GET /apps/{id}/workflows/publish."""
        return self._call(self._dify.published_workflow, app_id)

    def workflow_runs(
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
        return self._call(
            self._dify.workflow_runs,
            app_id,
            status=status,
            triggered_from=triggered_from,
            last_id=last_id,
            limit=limit,
        )

    def iter_workflow_runs(
        self,
        app_id: str,
        *,
        status: str | None = None,
        triggered_from: str | None = None,
        page_size: int = 100,
    ) -> Generator[WorkflowRun, None, None]:
        """All of `workflow_runs`, each once. Nothing is open between two parts."""
        return self._rows(
            self._dify.iter_workflow_runs(
                app_id, status=status, triggered_from=triggered_from, page_size=page_size
            )
        )

    def workflow_run(self, app_id: str, run_id: str) -> WorkflowRunDetail:
        """A run with what went in and what came out. Route: GET /apps/{id}/workflow-runs/{id}.

        Raises:
            DifyNotFoundError: No such run. Dify up to 1.11 answers 200 for it; it is raised all the same.
        """
        return self._call(self._dify.workflow_run, app_id, run_id)

    def workflow_app_logs(
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
        return self._call(
            self._dify.workflow_app_logs,
            app_id,
            page=page,
            limit=limit,
            keyword=keyword,
            status=status,
            start=start,
            end=end,
            session_id=session_id,
            account=account,
            detail=detail,
        )

    def iter_workflow_app_logs(
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
    ) -> Generator[WorkflowAppLog, None, None]:
        """All of `workflow_app_logs`, each once, page by page as they are used."""
        return self._rows(
            self._dify.iter_workflow_app_logs(
                app_id,
                keyword=keyword,
                status=status,
                start=start,
                end=end,
                session_id=session_id,
                account=account,
                detail=detail,
                page_size=page_size,
            )
        )


class StatisticCalls(Calls):
    """Calls for the statistics of one app."""

    def daily_conversations(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyConversations]:
        """Conversations with messages, per day; a conversation counts on each of its days.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.6.

        Route: GET /apps/{id}/statistics/daily-conversations.
        """
        return self._call(self._dify.daily_conversations, app_id, start, end)

    def daily_end_users(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyEndUsers]:
        """End users with messages, per day; console users are not counted.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/daily-end-users.
        """
        return self._call(self._dify.daily_end_users, app_id, start, end)

    def average_session_interactions(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageSessionInteractions]:
        """Average messages per conversation, on the day on which the conversation began.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        modes chat, agent-chat, agent and advanced-chat; other apps raise DifyNotFoundError. Debugging in the
        console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/average-session-interactions.
        """
        return self._call(self._dify.average_session_interactions, app_id, start, end)

    def tokens_per_second(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[TokensPerSecond]:
        """Answer tokens per second of the model's time; 0 if that time is 0.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/tokens-per-second.
        """
        return self._call(self._dify.tokens_per_second, app_id, start, end)

    def user_satisfaction_rate(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[UserSatisfactionRate]:
        """Likes per 1000 messages, by end users and console users: from 0 to 1000.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. A
        message that was liked twice counts as two messages, so the rate over several days cannot be computed
        exactly from the daily rates. For all modes except workflow. Debugging in the console is counted up
        to Dify 1.8.

        Route: GET /apps/{id}/statistics/user-satisfaction-rate.
        """
        return self._call(self._dify.user_satisfaction_rate, app_id, start, end)

    def token_costs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[TokenCosts]:
        """Tokens per day and their price, an exact Decimal; None if no message has a price.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/token-costs.
        """
        return self._call(self._dify.token_costs, app_id, start, end)

    def daily_messages(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyMessages]:
        """Messages per day.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/daily-messages.
        """
        return self._call(self._dify.daily_messages, app_id, start, end)

    def average_response_time(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageResponseTime]:
        """Average response time in milliseconds, per day.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        mode completion; other apps raise DifyNotFoundError. Debugging in the console is counted up to Dify
        1.8.

        Route: GET /apps/{id}/statistics/average-response-time.
        """
        return self._call(self._dify.average_response_time, app_id, start, end)

    def workflow_daily_runs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[WorkflowDailyRuns]:
        """Workflow runs per day, excluding runs from the console and from triggers.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/daily-conversations.
        """
        return self._call(self._dify.workflow_daily_runs, app_id, start, end)

    def workflow_daily_end_users(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyEndUsers]:
        """Users with workflow runs per day, excluding runs from the console and from triggers.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/daily-terminals.
        """
        return self._call(self._dify.workflow_daily_end_users, app_id, start, end)

    def workflow_token_costs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[WorkflowTokenCosts]:
        """Tokens of workflow runs per day; Dify reports no price.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/token-costs.
        """
        return self._call(self._dify.workflow_token_costs, app_id, start, end)

    def workflow_average_interactions(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageSessionInteractions]:
        """Average workflow runs per user and day.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        mode workflow; other apps raise DifyNotFoundError.

        Route: GET /apps/{id}/workflow/statistics/average-app-interactions.
        """
        return self._call(self._dify.workflow_average_interactions, app_id, start, end)


class ManyStatisticCalls(StatisticCalls):
    """Calls for all statistics of one app, or of many apps at once."""

    def statistics(
        self,
        app: App | str,
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "raise",
    ) -> AppStatistics:
        """All statistics of an app; only the metrics that apply to its mode are requested.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive.

        Args:
            app: An `App`, or its id, which costs one more request.
            start: A datetime, a date or "YYYY-MM-DD HH:MM"; aware datetimes are converted to the account's
                time zone. By default, since the beginning.
            end: A datetime, a date or "YYYY-MM-DD HH:MM". By default, until now.
            metrics: Only these metrics, if they apply.
            on_error: "raise" the first error, or "collect" all into `AppStatistics.errors`. Wrong
                arguments and a rejected session are always raised.
        """
        return self._call(self._dify.statistics, app, start, end, metrics=taken(metrics), on_error=on_error)

    def statistics_many(
        self,
        apps: Iterable[App | str],
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "collect",
    ) -> list[AppStatistics]:
        """The statistics of many apps, in the order given; at most `max_concurrency` requests at once.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive.

        Args:
            apps: `App`s, or ids, which cost one more request each.
            start: A datetime, a date or "YYYY-MM-DD HH:MM"; aware datetimes are converted to the account's
                time zone. By default, since the beginning.
            end: A datetime, a date or "YYYY-MM-DD HH:MM". By default, until now.
            metrics: Only these metrics, if they apply to the app's mode.
            on_error: "collect" the errors of each app into its `AppStatistics.errors`, or "raise" the first
                one. Wrong arguments and a rejected session are always raised.
        """
        return self._call(
            self._dify.statistics_many, taken(apps), start, end, metrics=taken(metrics), on_error=on_error
        )

    def stream_statistics(
        self,
        apps: Iterable[App | str],
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "collect",
    ) -> AbstractContextManager[Generator[AppStatistics, None, None]]:
        """The statistics of many apps, each app as soon as it is complete.

        Use: `with dify.stream_statistics(apps) as stream: for statistics in stream:`.
        Leaving the block cancels the remaining requests.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive.

        Args:
            apps: `App`s, or ids, which cost one more request each.
            start: A datetime, a date or "YYYY-MM-DD HH:MM"; aware datetimes are converted to the account's
                time zone. By default, since the beginning.
            end: A datetime, a date or "YYYY-MM-DD HH:MM". By default, until now.
            metrics: Only these metrics, if they apply to the app's mode.
            on_error: "collect" the errors of each app into its `AppStatistics.errors`, or "raise" the first
                one. Wrong arguments and a rejected session are always raised.
        """
        return self._stream(
            self._dify.stream_statistics(taken(apps), start, end, metrics=taken(metrics), on_error=on_error)
        )


class AppCalls(Calls):
    """Calls on apps."""

    def apps(
        self,
        *,
        mode: str | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[str] | None = None,
        sort_by: str | None = None,
        creator_ids: Iterable[str] | None = None,
    ) -> list[App]:
        """All apps of the workspace that match, each once, over all pages.

        Newest first, from Dify 1.15 last changed first. Route: GET /apps.

        Args:
            mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion"; from 1.15
                "agent", which is in no other list. Dify up to 1.1.2 does not know "advanced-chat"
                and "completion".
            name: A part of the name in any case; "%" and "_" match anything up to 1.11.3. The server
                looks at its first 30 characters.
            is_created_by_me: True for the account's own apps; False is no filter.
            tag_ids: Any of these tags up to Dify 1.14, all of them from 1.15.
            sort_by: "last_modified", "recently_created" or "earliest_created", from Dify 1.15.
            creator_ids: Of any of these accounts, from Dify 1.15.

        Raises:
            DifyValidationError: The server does not know the mode or the order.
            DifyConfigError: The server is older than 1.15, and would ignore an order or creators.
        """
        return self._call(
            self._dify.apps,
            mode=mode,
            name=name,
            is_created_by_me=is_created_by_me,
            tag_ids=taken(tag_ids),
            sort_by=sort_by,
            creator_ids=taken(creator_ids),
        )

    def iter_apps(
        self,
        *,
        mode: str | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[str] | None = None,
        sort_by: str | None = None,
        creator_ids: Iterable[str] | None = None,
        page_size: int = 100,
    ) -> Generator[App, None, None]:
        """The same as `apps`, page by page as they are used.

        Nothing is open between two pages, so the loop may be left at any time.
        """
        return self._rows(
            self._dify.iter_apps(
                mode=mode,
                name=name,
                is_created_by_me=is_created_by_me,
                tag_ids=taken(tag_ids),
                sort_by=sort_by,
                creator_ids=taken(creator_ids),
                page_size=page_size,
            )
        )

    def apps_page(
        self,
        *,
        page: int = 1,
        limit: int = 20,
        mode: str | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[str] | None = None,
        sort_by: str | None = None,
        creator_ids: Iterable[str] | None = None,
    ) -> Page[App]:
        """One page of `apps`: `page` from 1 to 99,999, `limit` from 1 to 100.

        A page past the end is empty. Apps made in one second may stand on two pages.
        Route: GET /apps.
        """
        return self._call(
            self._dify.apps_page,
            page=page,
            limit=limit,
            mode=mode,
            name=name,
            is_created_by_me=is_created_by_me,
            tag_ids=taken(tag_ids),
            sort_by=sort_by,
            creator_ids=taken(creator_ids),
        )

    def app(self, app_id: str) -> App:
        """The app with all that the server tells of it. Route: GET /apps/{id}.

        Raises:
            DifyNotFoundError: There is none in this workspace.
        """
        return self._call(self._dify.app, app_id)


class AppChangeCalls(Calls):
    """Calls that change apps. They need an editor; `enable_app_api` needs an admin or the owner.

    Raises:
        DifyNotFoundError: No such app in this workspace.
        DifyPermissionError: The account's role does not allow it.
        DifyUnknownOutcomeError: The change may have been made; look before you repeat it.
    """

    def create_app(
        self,
        name: str,
        mode: str,
        *,
        description: str = "",
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> App:
        """A new app; before Dify 1.15 with fewer fields than `app(id)` gives. Route: POST /apps.

        Args:
            name: At most 255 characters: a longer one is a 500 of the server.
            mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion".
            description: At most 400 characters.
            icon_type: "emoji", or "image" for an uploaded file.
            icon: The emoji, or the id of the file.
            icon_background: As "#FFEAD5".
        """
        return self._call(
            self._dify.create_app,
            name,
            mode,
            description=description,
            icon_type=icon_type,
            icon=icon,
            icon_background=icon_background,
        )

    def update_app(
        self,
        app_id: str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        icon_type: str | UnsetType | None = UNSET,
        icon: str | UnsetType | None = UNSET,
        icon_background: str | UnsetType | None = UNSET,
        use_icon_as_answer_icon: bool | UnsetType = UNSET,
        max_active_requests: int | UnsetType | None = UNSET,
    ) -> App:
        """The app with what is given; what is not stays as it was. Route: PUT /apps/{id}.

        The server replaces everything, so the app is read first; what somebody else changes between
        the two is overwritten.

        Args:
            app_id: The app.
            name: Its new name.
            description: At most 400 characters.
            icon_type: "emoji", or "image" for an uploaded file.
            icon: The emoji, or the id of the file.
            icon_background: As "#FFEAD5".
            use_icon_as_answer_icon: Whether the icon stands beside answers.
            max_active_requests: Requests at once; None or 0 for no limit. From Dify 1.7.

        Raises:
            DifyConfigError: Nothing is given, or the server is older and would ignore the limit.
        """
        return self._call(
            self._dify.update_app,
            app_id,
            name=name,
            description=description,
            icon_type=icon_type,
            icon=icon,
            icon_background=icon_background,
            use_icon_as_answer_icon=use_icon_as_answer_icon,
            max_active_requests=max_active_requests,
        )

    def delete_app(self, app_id: str) -> None:
        """Delete the app with its conversations and keys. Route: DELETE /apps/{id}."""
        self._call(self._dify.delete_app, app_id)

    def copy_app(
        self,
        app_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> App:
        """A copy of the app, with what is given in the place of its own name and the rest.

        Route: POST /apps/{id}/copy.

        Raises:
            DifyServerError: Among others, if the app has a workflow that was never saved [1.16.1].
        """
        return self._call(
            self._dify.copy_app,
            app_id,
            name=name,
            description=description,
            icon_type=icon_type,
            icon=icon,
            icon_background=icon_background,
        )

    def app_model_config(self, app_id: str) -> AppModelConfig | None:
        """The configuration of an app, whole, to be changed and written; None for apps with a workflow.

        Unlike `app(id).model_config` it keeps all parameters of the model, and what is new in a server.
        Route: GET /apps/{id}.
        """
        return self._call(self._dify.app_model_config, app_id)

    def update_app_model_config(self, app_id: str, config: AppModelConfig) -> None:
        """Replace the whole configuration of an app of mode chat, agent-chat or completion.

        Route: POST /apps/{id}/model-config.

        Args:
            app_id: The app.
            config: As `app_model_config` reads it, with your changes; what is not set is reset.

        Raises:
            DifyConfigError: It is no AppModelConfig.
            DifyValidationError: The server does not know the model, or something is missing.
            DifyNotFoundError: No such app, or one of another mode.
        """
        self._call(self._dify.update_app_model_config, app_id, config)

    def enable_app_api(self, app_id: str, enabled: bool) -> App:
        """Let the app be called by its API keys, or not; gives it with fewer fields than `app(id)`.

        Route: POST /apps/{id}/api-enable.

        Raises:
            DifyConflictError: An app of mode agent that was never published cannot be enabled; `code` is
                "agent_not_published". From Dify 1.17.
        """
        return self._call(self._dify.enable_app_api, app_id, enabled)

    def enable_app_site(self, app_id: str, enabled: bool) -> App:
        """Let the app be used on its public page, or not; gives it with fewer fields than `app(id)`.

        Route: POST /apps/{id}/site-enable.

        Raises:
            DifyConflictError: An app of mode agent that was never published cannot be enabled; `code` is
                "agent_not_published". From Dify 1.17.
        """
        return self._call(self._dify.enable_app_site, app_id, enabled)

    def export_app(self, app_id: str, *, include_secret: bool = False) -> str:
        """The app's definition as YAML. Route: GET /apps/{id}/export.

        Args:
            app_id: The app.
            include_secret: Whether the values of secret variables stand in it, in clear.

        Raises:
            DifyServerError: Among others, if the app has a workflow that was never saved [1.15.0].
        """
        return self._call(self._dify.export_app, app_id, include_secret=include_secret)

    def import_app(
        self,
        yaml: str,
        *,
        app_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> AppImport:
        """An app by its definition: a new one, or with `app_id` in the place of that one's.

        Route: POST /apps/imports. The status is "pending" if the definition's format is newer than the
        server's (0.6.0 in Dify 1.15, 0.7.0 from 1.16): nothing is made until `confirm_import`, within ten
        minutes. A definition of an older format is "completed-with-warnings".

        Raises:
            DifyValidationError: It cannot be read; the text says where.
        """
        return self._call(
            self._dify.import_app,
            yaml,
            app_id=app_id,
            name=name,
            description=description,
            icon_type=icon_type,
            icon=icon,
            icon_background=icon_background,
        )

    def confirm_import(self, import_id: str) -> AppImport:
        """Finish an import that is pending. Route: POST /apps/imports/{id}/confirm.

        Raises:
            DifyValidationError: It is no longer there; from Dify 1.17 also if another member began it.
        """
        return self._call(self._dify.confirm_import, import_id)


class DashboardCalls(AppCalls, ManyStatisticCalls):
    """Calls for the numbers of all apps."""

    def dashboard(
        self,
        start: When | None = None,
        end: When | None = None,
        *,
        days: int = 30,
        apps: Iterable[App | str] | None = None,
        mode: str | None = None,
        name: str | None = None,
        metrics: Iterable[Metric | str] | None = None,
        compare: bool = False,
        on_error: OnError = "collect",
    ) -> Dashboard:
        """The numbers of every app for each day of a range, with totals.

        It lists the apps and requests the metrics that apply to each app's mode, at most `max_concurrency`
        requests at once. Days are calendar days in the account's time zone; today's date is read from this
        machine's clock. Future days have the numbers of days without traffic.

        Args:
            start: Inclusive: a datetime, a date or "YYYY-MM-DD HH:MM". By default, `days` before the end.
            end: Exclusive. By default, the next midnight, so that today is included.
            days: The number of whole days if no start is given.
            apps: Only these `App`s or ids; duplicates are ignored.
            mode: Only apps of this mode. By default, all apps, including those of mode "agent".
            name: Only apps whose name contains this text.
            metrics: Only these metrics. A weighted average also needs the metric that it is weighted by.
            compare: Also get the previous period of the same length, in the same requests. The range must
                start at midnight.
            on_error: "collect" the errors of each app into its `errors`, or "raise" the first one.

        Raises:
            DifyConfigError: An argument is wrong, or the account has no time zone.
            DifyError: The apps could not be listed, or the session was rejected.
        """
        return self._call(
            self._dify.dashboard,
            start,
            end,
            days=days,
            apps=taken(apps),
            mode=mode,
            name=name,
            metrics=taken(metrics),
            compare=compare,
            on_error=on_error,
        )

    def stream_dashboard(
        self,
        start: When | None = None,
        end: When | None = None,
        *,
        days: int = 30,
        apps: Iterable[App | str] | None = None,
        mode: str | None = None,
        name: str | None = None,
        metrics: Iterable[Metric | str] | None = None,
        compare: bool = False,
        on_error: OnError = "collect",
    ) -> AbstractContextManager[DashboardUpdates]:
        """The numbers of every app for each day of a range, each app as soon as it is complete.

        Use: `with dify.stream_dashboard() as updates: for update in updates:`. Each update has
        an app and the progress; `updates.dashboard()` returns the dashboard of the apps so far.
        Leaving the block cancels the remaining requests.

        Days are calendar days in the account's time zone; today's date is read from this machine's clock.

        Args:
            start: Inclusive: a datetime, a date or "YYYY-MM-DD HH:MM". By default, `days` before the end.
            end: Exclusive. By default, the next midnight, so that today is included.
            days: The number of whole days if no start is given.
            apps: Only these `App`s or ids; duplicates are ignored.
            mode: Only apps of this mode. By default, all apps, including those of mode "agent".
            name: Only apps whose name contains this text.
            metrics: Only these metrics. A weighted average also needs the metric that it is weighted by.
            compare: Also get the previous period of the same length, in the same requests. The range must
                start at midnight.
            on_error: "collect" the errors of each app into its `errors`, or "raise" the first one.

        Raises:
            DifyConfigError: An argument is wrong, or the account has no time zone.
            DifyError: The apps could not be listed, or the session was rejected.
        """
        return self._updates(
            self._dify.stream_dashboard(
                start,
                end,
                days=days,
                apps=taken(apps),
                mode=mode,
                name=name,
                metrics=taken(metrics),
                compare=compare,
                on_error=on_error,
            )
        )


class MessageCalls(Calls):
    """Calls on what was said; they need an editor.

    Raises:
        DifyNotFoundError: No such app, or one of another mode.
        DifyPermissionError: The account is no editor.
    """

    def chat_messages(
        self, app_id: str, conversation_id: str, *, first_id: str | None = None, limit: int = 20
    ) -> CursorPage[ChatMessage]:
        """Messages of a conversation, in the order in which they were said; without `first_id` the last.

        Unlike GET …/chat-conversations/{id}, which this client does not call, it does not mark the
        conversation as read. Route: GET /apps/{id}/chat-messages.

        Args:
            app_id: The app.
            conversation_id: The conversation.
            first_id: The message before which to go on: the first of the later part.
            limit: From 1 to 100.

        Raises:
            DifyNotFoundError: No such app, conversation or message.
        """
        return self._call(self._dify.chat_messages, app_id, conversation_id, first_id=first_id, limit=limit)

    def iter_chat_messages(
        self, app_id: str, conversation_id: str, *, page_size: int = 100
    ) -> Generator[ChatMessage, None, None]:
        """All messages of a conversation, each once, the last said first."""
        return self._rows(self._dify.iter_chat_messages(app_id, conversation_id, page_size=page_size))

    def annotations(
        self, app_id: str, *, page: int = 1, limit: int = 20, keyword: str | None = None
    ) -> Page[Annotation]:
        """One page of the questions to which people wrote the answers. Route: GET /apps/{id}/annotations."""
        return self._call(self._dify.annotations, app_id, page=page, limit=limit, keyword=keyword)

    def export_feedbacks(
        self,
        app_id: str,
        *,
        format: Literal["csv", "json"] = "json",
        rating: str | None = None,
        from_source: str | None = None,
        has_comment: bool | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
    ) -> bytes:
        """All feedback as a file of JSON or CSV. Route: GET /apps/{id}/feedbacks/export, from Dify 1.10.1.

        The dates are days in UTC, whatever the account's time zone is. For all of November 2026, pass
        "2026-11-01" and "2026-12-01".

        Args:
            app_id: The app.
            format: "json" or "csv".
            rating: "like" or "dislike".
            from_source: "user" or "admin".
            has_comment: Only with, or only without a comment.
            start_date: The first day, as "2026-11-01".
            end_date: The day after the last. It is not included, except for feedback given at exactly
                00:00:00 UTC of it.
        """
        return self._call(
            self._dify.export_feedbacks,
            app_id,
            format=format,
            rating=rating,
            from_source=from_source,
            has_comment=has_comment,
            start_date=start_date,
            end_date=end_date,
        )


class ConversationCalls(Calls):
    """Calls on conversations; they need an editor."""

    def chat_conversations(
        self,
        app_id: str,
        *,
        page: int = 1,
        limit: int = 10,
        start: When | None = None,
        end: When | None = None,
        sort_by: str | None = None,
        annotation_status: str | None = None,
        keyword: str | None = None,
    ) -> Page[ChatConversation]:
        """One page of an app's conversations. Route: GET /apps/{id}/chat-conversations.

        Args:
            app_id: An app of mode chat, agent-chat or advanced-chat.
            page: From 1 to 99,999; past the end it is empty.
            limit: From 1 to 100.
            start: Inclusive, on the account's clock. The range filters the time that is sorted by.
            end: Inclusive with its whole minute.
            sort_by: "created_at" or "updated_at", with "-" for newest first; the server's default
                is "-updated_at".
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in a message, the conversation's name or the user's; "%" and "_" match anything.

        Raises:
            DifyNotFoundError: No such app, or one of another mode.
            DifyPermissionError: The account is no editor.
        """
        return self._call(
            self._dify.chat_conversations,
            app_id,
            page=page,
            limit=limit,
            start=start,
            end=end,
            sort_by=sort_by,
            annotation_status=annotation_status,
            keyword=keyword,
        )

    def iter_chat_conversations(
        self,
        app_id: str,
        *,
        start: When | None = None,
        end: When | None = None,
        sort_by: str | None = None,
        annotation_status: str | None = None,
        keyword: str | None = None,
        page_size: int = 100,
    ) -> Generator[ChatConversation, None, None]:
        """All conversations that match, each once, page by page as they are used.

        Arguments and errors as `chat_conversations`. Nothing is open between two pages.
        """
        return self._rows(
            self._dify.iter_chat_conversations(
                app_id,
                start=start,
                end=end,
                sort_by=sort_by,
                annotation_status=annotation_status,
                keyword=keyword,
                page_size=page_size,
            )
        )

    def completion_conversations(
        self,
        app_id: str,
        *,
        page: int = 1,
        limit: int = 10,
        start: When | None = None,
        end: When | None = None,
        annotation_status: str | None = None,
        keyword: str | None = None,
    ) -> Page[CompletionConversation]:
        """One page of the conversations of an app of mode completion, the newest first.

        Route: GET /apps/{id}/completion-conversations.

        Args:
            app_id: The app.
            page: From 1.
            limit: From 1 to 100.
            start: The first minute of those made from then on, as in `chat_conversations`.
            end: The last minute, included.
            annotation_status: "annotated", "not_annotated" or "all".
            keyword: Text in the question, the answer, or the user's name.
        """
        return self._call(
            self._dify.completion_conversations,
            app_id,
            page=page,
            limit=limit,
            start=start,
            end=end,
            annotation_status=annotation_status,
            keyword=keyword,
        )

    def iter_completion_conversations(
        self,
        app_id: str,
        *,
        start: When | None = None,
        end: When | None = None,
        annotation_status: str | None = None,
        keyword: str | None = None,
        page_size: int = 100,
    ) -> Generator[CompletionConversation, None, None]:
        """All of `completion_conversations`, each once, page by page as they are used."""
        return self._rows(
            self._dify.iter_completion_conversations(
                app_id,
                start=start,
                end=end,
                annotation_status=annotation_status,
                keyword=keyword,
                page_size=page_size,
            )
        )


class KeyCalls(Calls):
    """Calls on API keys. Lists have each key's whole secret, unless the server masks it."""

    def get_app_api_key(self, app_id: str) -> list[ApiKey]:
        """All keys of the app, in no order. Route: GET /apps/{id}/api-keys.

        Raises:
            DifyPermissionError: The account is not an editor, from Dify 1.17.
        """
        return self._call(self._dify.get_app_api_key, app_id)

    def init_app_api_key(self, app_id: str) -> list[ApiKey]:
        """A new key for the app, alone in the list. Route: POST /apps/{id}/api-keys.

        Raises:
            DifyValidationError: The app has 10 already; `code` is "max_keys_exceeded".
            DifyConflictError: The app is of mode agent and was never published; `code` is
                "agent_not_published". From Dify 1.17.
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The key may have been made; `get_app_api_key` tells.
        """
        return self._call(self._dify.init_app_api_key, app_id)

    def ensure_app_api_key(self, app_id: str, *, create_if_masked: bool = False) -> ApiKey:
        """The newest key of the app, made if there is none.

        Args:
            app_id: The app.
            create_if_masked: Whether to make another key if the server masks those that there are. Each
                call then makes one, up to 10 keys, so keep what it returns.

        Raises:
            DifyMaskedKeyError: There are keys, and the server masks them.
        """
        return self._call(self._dify.ensure_app_api_key, app_id, create_if_masked=create_if_masked)

    def delete_app_api_key(self, app_id: str, api_key_id: str) -> None:
        """Delete the key; needs an admin or the owner. Route: DELETE /apps/{id}/api-keys/{id}.

        Raises:
            DifyNotFoundError: The app has no such key.
        """
        self._call(self._dify.delete_app_api_key, app_id, api_key_id)

    def get_dataset_api_key(self) -> list[DatasetApiKey]:
        """All keys for the workspace's knowledge bases, in no order. Route: GET /datasets/api-keys.

        Raises:
            DifyPermissionError: The account is neither an admin nor the owner, from Dify 1.17.
        """
        return self._call(self._dify.get_dataset_api_key)

    def init_dataset_api_key(self) -> list[DatasetApiKey]:
        """A new key for the knowledge bases, alone in the list. Route: POST /datasets/api-keys.

        Raises:
            DifyServerError: The workspace has 10 already and Dify is 1.8 to 1.11, or else:
            DifyValidationError: The workspace has 10 already; `code` is "max_keys_exceeded".
            DifyPermissionError: The account is neither an admin nor the owner.
        """
        return self._call(self._dify.init_dataset_api_key)

    def ensure_dataset_api_key(self, *, create_if_masked: bool = False) -> DatasetApiKey:
        """The newest key for the knowledge bases, made if there is none.

        Args:
            create_if_masked: Whether to make another key if the server masks those that there are. Each
                call then makes one, up to 10 keys, so keep what it returns.

        Raises:
            DifyMaskedKeyError: There are keys, and the server masks them.
        """
        return self._call(self._dify.ensure_dataset_api_key, create_if_masked=create_if_masked)

    def delete_dataset_api_key(self, api_key_id: str) -> None:
        """Delete the key; needs an admin or the owner. Route: DELETE /datasets/api-keys/{id}.

        Raises:
            DifyNotFoundError: There is no such key.
        """
        self._call(self._dify.delete_dataset_api_key, api_key_id)


class BulkCalls(KeyCalls, AppChangeCalls):
    """Calls for many apps, no more than `max_concurrency` requests at once.

    Each gives a result an app, in the order given, an app that is given twice once; an app that fails
    has its error there. Wrong arguments and a refused session are raised.
    """

    def ensure_app_api_keys(
        self, apps: Iterable[App | str], *, create_if_masked: bool = False, progress: Progress | None = None
    ) -> list[AppResult[ApiKey]]:
        """The newest key of each app, made where there is none.

        If the server masks an app's keys, its result has a DifyMaskedKeyError.

        Args:
            apps: `App`s or ids.
            create_if_masked: Whether to make another key for each app whose keys the server masks.
            progress: Called with how many are done, of how many, as each is.
        """
        return self._call(
            self._dify.ensure_app_api_keys, taken(apps), create_if_masked=create_if_masked, progress=progress
        )

    def export_apps(
        self,
        apps: Iterable[App | str],
        folder: str | Path,
        *,
        include_secret: bool = False,
        progress: Progress | None = None,
    ) -> list[AppResult[Path]]:
        """The definition of each app as a file in a folder, which is made where there is none.

        A file is there whole or not at all. It is named by the app's name and id, in the place of a file
        of the app under an earlier name, and has the time of the app's last change. One that is there
        already with that time is left as it is, so that a backup which was cut short goes on where it
        stopped. Apps with a workflow are always fetched, since publishing does not count as a change of
        the app, and so are those that are given by their ids.

        Args:
            apps: `App`s or ids.
            folder: Where to write.
            include_secret: Whether the values of secret variables stand in the files, in clear; such files
                end with ".secrets.yml".
            progress: Called with how many are done, of how many, as each is.

        Raises:
            OSError: A file cannot be written.
        """
        return self._call(
            self._dify.export_apps, taken(apps), folder, include_secret=include_secret, progress=progress
        )


class DifyServer(
    BulkCalls,
    KeyCalls,
    ConversationCalls,
    MessageCalls,
    DashboardCalls,
    AppChangeCalls,
    WorkflowCalls,
    KnowledgeCalls,
    WorkspaceCalls,
    AccountCalls,
    RawCalls,
):
    """Dify's console API, for one account or one admin API key, in code that is not asynchronous.

    Use it as a context manager; it signs in at the first call. One object serves any number of threads:
    they share one event loop, which runs on a thread of its own while the client is open. It may be left
    and entered again. It does not work on both sides of a fork: make and enter one in each process.

    What is called back (`on_event`, `progress`, `token_store`) is called on that thread, and must not call
    this client. A `session` would have to be made in its event loop.

    Args:
        base_url: Scheme and host, with or without a path, as "https://dify.example.com".
        email: The account's e-mail, with `password`.
        password: The account's password.
        admin_api_key: The server's ADMIN_API_KEY instead, with `workspace_id`. Dify 1.9.2 to 1.10.1
            cannot serve it.
        workspace_id: The workspace as whose owner the key acts.
        token_store: Where tokens are kept. By default in Redis where DIFY_REDIS_URL or else REDIS_URL
            is set in the environment, and in memory otherwise.
        session: An aiohttp session whose connector is used; it is never closed, and its cookies are
            neither sent nor changed.
        server_version: Dify's version, such as "1.11.2", if a proxy hides it. By default it is read from
            the server before the first sign-in, and then from every answer; if it is hidden, the newest
            rules apply.
        timeout: Seconds for one attempt, counted from when it has its slot.
        max_concurrency: Requests under way at once, over all callers. Dify's default worker takes 10
            connections, and people use the console beside this client.
        retry: How calls are repeated after failures that may pass.
        max_response_bytes: The largest answer that is read, after decompression.
        ssl: An ssl.SSLContext for a server with a certificate of its own, as by
            `ssl.create_default_context(cafile="ca.pem")`. False checks nothing, and is unsafe: whoever
            stands between can read the password. A session that is passed in goes by its own connector.
        proxy: The URL of an HTTP proxy. The environment's proxy settings are not read.
        on_event: A plain function, called with each event of `dify_async.events`, for counting and tracing.

    Raises:
        DifyConfigError: An argument is wrong.
    """

    def __init__(
        self,
        base_url: str,
        email: str | None = None,
        password: str | None = None,
        *,
        admin_api_key: str | None = None,
        workspace_id: str | None = None,
        token_store: TokenStore | None = None,
        session: aiohttp.ClientSession | None = None,
        server_version: str | None = None,
        timeout: float = 30.0,
        max_concurrency: int = 8,
        retry: RetryPolicy = RetryPolicy(),
        max_response_bytes: int = 64 * 2**20,
        ssl: bool | ssl_module.SSLContext = True,
        proxy: str | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        super().__init__(
            AsyncDifyServer(
                base_url,
                email,
                password,
                admin_api_key=admin_api_key,
                workspace_id=workspace_id,
                token_store=token_store,
                session=session,
                server_version=server_version,
                timeout=timeout,
                max_concurrency=max_concurrency,
                retry=retry,
                max_response_bytes=max_response_bytes,
                ssl=ssl,
                proxy=proxy,
                on_event=on_event,
            )
        )

    @classmethod
    def from_env(cls, **overrides: Unpack[Options]) -> Self:
        """A client by the environment; an argument given here goes before its variable.

        Variables: DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD, or DIFY_ADMIN_API_KEY and
        DIFY_WORKSPACE_ID; DIFY_REDIS_URL for the token store; DIFY_MAX_CONCURRENCY, DIFY_TIMEOUT in
        seconds, and DIFY_PROXY. An empty variable counts as not set.

        Raises:
            DifyConfigError: An argument is missing, or a variable cannot be used.
        """
        return cls(**from_environment(overrides))
