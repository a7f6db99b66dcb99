"""Statistics, one by one."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeVar

from dify_async._api import endpoints

from ._calls import Calls

if TYPE_CHECKING:
    from dify_async._api.endpoints import Endpoint
    from dify_async._times import When
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
    from dify_async.models._base import Rows
    from dify_async.statistics.results import Row

    RowT = TypeVar("RowT", bound=Row)

_by_date: Final = attrgetter("date")


class StatisticCalls(Calls):
    """Calls on statistics.

    Bounds are datetimes, dates (their midnight) or "YYYY-MM-DD HH:MM"; without them, all time. If clocks
    go back to midnight, a day begins with the first of the two; other ambiguous times are the later. Seconds
    are rounded outwards to whole minutes. Where an app has another mode than a statistic is for, some
    are empty, and some raise DifyNotFoundError, as for an app that does not exist.

    Raises:
        DifyConfigError: A bound cannot be read, or start is after end; nothing was sent.
        DifyNotFoundError: No such app.
        DifyServerError: Among others, where the account has no time zone.
    """

    async def daily_conversations(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyConversations]:
        """Conversations with a message that day; one counts on each of its days.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        apps of every mode but workflow. People who debug in the console count up to Dify 1.6.

        Route: GET /apps/{id}/statistics/daily-conversations.
        """
        return await self._statistic(endpoints.DAILY_CONVERSATIONS, app_id, start, end)

    async def daily_end_users(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyEndUsers]:
        """End users with a message that day; people in the console are none.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        apps of every mode but workflow. People who debug in the console count up to Dify 1.8.

        Route: GET /apps/{id}/statistics/daily-end-users.
        """
        return await self._statistic(endpoints.DAILY_END_USERS, app_id, start, end)

    async def average_session_interactions(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageSessionInteractions]:
        """Messages a conversation, on the day on which it began.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        modes chat, agent-chat, advanced-chat and agent; others raise DifyNotFoundError. People who
        debug in the console count up to Dify 1.8.

        Route: GET /apps/{id}/statistics/average-session-interactions.
        """
        return await self._statistic(endpoints.AVERAGE_SESSION_INTERACTIONS, app_id, start, end)

    async def tokens_per_second(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[TokensPerSecond]:
        """Tokens of answers for each second of the model's time; 0 on a day whose time is 0.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        apps of every mode but workflow. People who debug in the console count up to Dify 1.8.

        Route: GET /apps/{id}/statistics/tokens-per-second.
        """
        return await self._statistic(endpoints.TOKENS_PER_SECOND, app_id, start, end)

    async def user_satisfaction_rate(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[UserSatisfactionRate]:
        """Likes per thousand messages, 0 to 1000, by users and by people in the console.

        A message with two likes counts twice, both as likes and as messages. So the rate of several days
        can't be computed exactly from the rates and the messages of each.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        apps of every mode but workflow. People who debug in the console count up to Dify 1.8.

        Route: GET /apps/{id}/statistics/user-satisfaction-rate.
        """
        return await self._statistic(endpoints.USER_SATISFACTION_RATE, app_id, start, end)

    async def token_costs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[TokenCosts]:
        """Tokens and their price, as an exact Decimal; None where no message has one.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        apps of every mode but workflow. People who debug in the console count up to Dify 1.8.

        Route: GET /apps/{id}/statistics/token-costs.
        """
        return await self._statistic(endpoints.TOKEN_COSTS, app_id, start, end)

    async def daily_messages(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyMessages]:
        """Messages.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        apps of every mode but workflow. People who debug in the console count up to Dify 1.8.

        Route: GET /apps/{id}/statistics/daily-messages.
        """
        return await self._statistic(endpoints.DAILY_MESSAGES, app_id, start, end)

    async def average_response_time(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageResponseTime]:
        """Milliseconds to an answer, on average.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        mode completion; others raise DifyNotFoundError. People who debug in the console count up to Dify
        1.8.

        Route: GET /apps/{id}/statistics/average-response-time.
        """
        return await self._statistic(endpoints.AVERAGE_RESPONSE_TIME, app_id, start, end)

    async def workflow_daily_runs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[WorkflowDailyRuns]:
        """Runs, but for those of the console and of triggers.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/daily-conversations.
        """
        return await self._statistic(endpoints.WORKFLOW_DAILY_RUNS, app_id, start, end)

    async def workflow_daily_end_users(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyEndUsers]:
        """Users whose runs they were, but for those of the console and of triggers.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/daily-terminals.
        """
        return await self._statistic(endpoints.WORKFLOW_DAILY_END_USERS, app_id, start, end)

    async def workflow_token_costs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[WorkflowTokenCosts]:
        """Tokens of the runs; there is no price.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        modes workflow and advanced-chat.

        Route: GET /apps/{id}/workflow/statistics/token-costs.
        """
        return await self._statistic(endpoints.WORKFLOW_TOKEN_COSTS, app_id, start, end)

    async def workflow_average_interactions(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageSessionInteractions]:
        """Runs a user, on average, in order of their days.

        A row a day, cut in the account's time zone; days without traffic have none. `start` is inclusive
        and `end` exclusive; naive times are on the account's clock, aware ones are converted to it. For
        mode workflow; others raise DifyNotFoundError.

        Route: GET /apps/{id}/workflow/statistics/average-app-interactions.
        """
        rows = await self._statistic(endpoints.WORKFLOW_AVERAGE_INTERACTIONS, app_id, start, end)
        # The one route that does not sort [1.9.1 to 1.15.0].
        return sorted(rows, key=_by_date)

    async def _statistic(
        self, endpoint: Endpoint[Rows[RowT]], app_id: str, start: When | None, end: When | None
    ) -> list[RowT]:
        span = await self._span(start, end)
        rows = await self._caller.call(endpoint, (app_id,), (("start", span.start), ("end", span.end)))
        return span.rows_of(rows.data)
