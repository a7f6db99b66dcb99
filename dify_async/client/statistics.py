"""Statistics of one app, one metric per call."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from dify_async._api.endpoints import STATISTICS
from dify_async._ids import id_of
from dify_async.statistics.metrics import Metric

from ._calls import Calls

if TYPE_CHECKING:
    from dify_async._ids import AppOrId
    from dify_async._times import Span, When
    from dify_async.models import (
        AverageResponseTime,
        AverageSessionInteractions,
        DailyConversations,
        DailyEndUsers,
        DailyMessages,
        TokenCosts,
        TokensPerSecond,
        UserSatisfactionRate,
        WorkflowDailyRuns,
        WorkflowTokenCosts,
    )

_by_date: Final = attrgetter("date")


class StatisticCalls(Calls):
    """Calls for the statistics of one app."""

    async def daily_conversations(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[DailyConversations]:
        """Conversations with messages, per day; a conversation counts on each of its days.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.6.

        Route: GET /apps/{id}/statistics/daily-conversations.
        """
        return await self._statistic(Metric.DAILY_CONVERSATIONS, app_id, start, end)

    async def daily_end_users(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[DailyEndUsers]:
        """End users with messages, per day; console users are not counted.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/daily-end-users.
        """
        return await self._statistic(Metric.DAILY_END_USERS, app_id, start, end)

    async def average_session_interactions(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[AverageSessionInteractions]:
        """Average messages per conversation, on the day on which the conversation began.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        modes chat, agent-chat, agent and advanced-chat; other apps raise DifyNotFoundError. Debugging in the
        console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/average-session-interactions.
        """
        return await self._statistic(Metric.AVERAGE_SESSION_INTERACTIONS, app_id, start, end)

    async def tokens_per_second(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[TokensPerSecond]:
        """Answer tokens per second of the model's time; 0 if that time is 0.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/tokens-per-second.
        """
        return await self._statistic(Metric.TOKENS_PER_SECOND, app_id, start, end)

    async def user_satisfaction_rate(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[UserSatisfactionRate]:
        """Likes per 1000 messages, by end users and console users: from 0 to 1000.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. A
        message that was liked twice counts as two messages, so the rate over several days cannot be computed
        exactly from the daily rates. For all modes except workflow. Debugging in the console is counted up
        to Dify 1.8.

        Route: GET /apps/{id}/statistics/user-satisfaction-rate.
        """
        return await self._statistic(Metric.USER_SATISFACTION_RATE, app_id, start, end)

    async def token_costs(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[TokenCosts]:
        """Tokens per day and their price, an exact Decimal; None if no message has a price.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/token-costs.
        """
        return await self._statistic(Metric.TOKEN_COSTS, app_id, start, end)

    async def daily_messages(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[DailyMessages]:
        """Messages per day.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        all modes except workflow. Debugging in the console is counted up to Dify 1.8.

        Route: GET /apps/{id}/statistics/daily-messages.
        """
        return await self._statistic(Metric.DAILY_MESSAGES, app_id, start, end)

    async def average_response_time(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[AverageResponseTime]:
        """Average response time in milliseconds, per day.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        mode completion; other apps raise DifyNotFoundError. Debugging in the console is counted up to Dify
        1.8.

        Route: GET /apps/{id}/statistics/average-response-time.
        """
        return await self._statistic(Metric.AVERAGE_RESPONSE_TIME, app_id, start, end)

    async def workflow_daily_runs(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[WorkflowDailyRuns]:
        """Workflow runs per day, excluding runs from the console and from triggers.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/daily-conversations.
        """
        return await self._statistic(Metric.WORKFLOW_DAILY_RUNS, app_id, start, end)

    async def workflow_daily_end_users(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[DailyEndUsers]:
        """Users with workflow runs per day, excluding runs from the console and from triggers.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/daily-terminals.
        """
        return await self._statistic(Metric.WORKFLOW_DAILY_END_USERS, app_id, start, end)

    async def workflow_token_costs(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[WorkflowTokenCosts]:
        """Tokens of workflow runs per day; Dify reports no price.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/token-costs.
        """
        return await self._statistic(Metric.WORKFLOW_TOKEN_COSTS, app_id, start, end)

    async def workflow_average_interactions(
        self, app_id: AppOrId, start: When | None = None, end: When | None = None
    ) -> list[AverageSessionInteractions]:
        """Average workflow runs per user and day.

        One row per day with traffic, in the account's time zone; `start` is inclusive, `end` exclusive. For
        mode workflow; other apps raise DifyNotFoundError.

        Route: GET /apps/{id}/workflow/statistics/average-app-interactions.
        """
        return await self._statistic(Metric.WORKFLOW_AVERAGE_INTERACTIONS, app_id, start, end)

    async def _statistic(
        self, metric: Metric, app: AppOrId, start: When | None, end: When | None
    ) -> list[Any]:
        app_id = id_of(app)
        return await self._statistic_rows(await self._span(start, end), metric, app_id)

    async def _statistic_rows(self, span: Span, metric: Metric, app_id: str) -> list[Any]:
        query = (("start", span.start), ("end", span.end))
        rows = await self._caller.call(STATISTICS[metric], (app_id,), query)
        found = span.rows_of(rows.data)
        # The server sorts all others [0.15.3 to 1.17-pre].
        return sorted(found, key=_by_date) if metric is Metric.WORKFLOW_AVERAGE_INTERACTIONS else found
