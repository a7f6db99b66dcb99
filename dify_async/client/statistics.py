"""Statistics: one by one, or all that apply to many apps at once."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from dify_async import _endpoints as endpoints
from dify_async._endpoints import APP
from dify_async._fan_out import FanOut
from dify_async._tasks import task_group
from dify_async.statistics import AppStatistics, checked_apps, checked_metrics

from ._calls import Calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from dify_async._endpoints import Endpoint
    from dify_async._fan_out import GetRows, OnError, Run
    from dify_async._times import When
    from dify_async.models import (
        App,
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
    from dify_async.statistics import Metric, Row

    RowT = TypeVar("RowT", bound=Row)

_by_date: Final = attrgetter("date")


class StatisticCalls(Calls):
    """Calls on statistics.

    All take `start` (inclusive) and `end` (exclusive), each a datetime, a date (its midnight) or
    "YYYY-MM-DD HH:MM"; without them, all time. Naive times are on the account's wall clock, aware
    ones are converted to it. Seconds are rounded outwards to whole minutes. Rows come a day each, in
    the account's time zone and in order; days without traffic have none. Where an app has another
    mode than a statistic is for, some are empty, and some raise DifyNotFoundError, as for an app
    that does not exist. Messages of people who debug in the console count up to Dify 1.8.

    Raises:
        DifyConfigError: A bound cannot be read, or start is after end; nothing was sent.
        DifyNotFoundError: No such app.
        DifyServerError: Among others, where the account has no time zone.
    """

    async def daily_conversations(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyConversations]:
        """Conversations with a message that day. Route: …/statistics/daily-conversations."""
        return await self._statistic(endpoints.DAILY_CONVERSATIONS, app_id, start, end)

    async def daily_end_users(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyEndUsers]:
        """End users with a message that day. Route: …/statistics/daily-end-users."""
        return await self._statistic(endpoints.DAILY_END_USERS, app_id, start, end)

    async def average_session_interactions(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageSessionInteractions]:
        """Messages a conversation that began that day. Modes chat, agent-chat, advanced-chat only.

        Route: …/statistics/average-session-interactions.
        """
        return await self._statistic(endpoints.AVERAGE_SESSION_INTERACTIONS, app_id, start, end)

    async def tokens_per_second(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[TokensPerSecond]:
        """Answer tokens a second. Route: …/statistics/tokens-per-second."""
        return await self._statistic(endpoints.TOKENS_PER_SECOND, app_id, start, end)

    async def user_satisfaction_rate(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[UserSatisfactionRate]:
        """Likes per thousand messages. Route: …/statistics/user-satisfaction-rate."""
        return await self._statistic(endpoints.USER_SATISFACTION_RATE, app_id, start, end)

    async def token_costs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[TokenCosts]:
        """Tokens and their price. Route: …/statistics/token-costs."""
        return await self._statistic(endpoints.TOKEN_COSTS, app_id, start, end)

    async def daily_messages(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyMessages]:
        """Messages. Route: …/statistics/daily-messages."""
        return await self._statistic(endpoints.DAILY_MESSAGES, app_id, start, end)

    async def average_response_time(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageResponseTime]:
        """Milliseconds to an answer. Mode completion only. Route: …/statistics/average-response-time."""
        return await self._statistic(endpoints.AVERAGE_RESPONSE_TIME, app_id, start, end)

    async def workflow_daily_runs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[WorkflowDailyRuns]:
        """Runs of a workflow or advanced-chat app, but for those of the console and of triggers.

        Route: …/workflow/statistics/daily-conversations.
        """
        return await self._statistic(endpoints.WORKFLOW_DAILY_RUNS, app_id, start, end)

    async def workflow_daily_end_users(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[DailyEndUsers]:
        """Users whose runs they were. Route: …/workflow/statistics/daily-terminals."""
        return await self._statistic(endpoints.WORKFLOW_DAILY_END_USERS, app_id, start, end)

    async def workflow_token_costs(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[WorkflowTokenCosts]:
        """Tokens of the runs; there is no price. Route: …/workflow/statistics/token-costs."""
        return await self._statistic(endpoints.WORKFLOW_TOKEN_COSTS, app_id, start, end)

    async def workflow_average_interactions(
        self, app_id: str, start: When | None = None, end: When | None = None
    ) -> list[AverageSessionInteractions]:
        """Runs a user. Mode workflow only. Route: …/workflow/statistics/average-app-interactions."""
        rows = await self._statistic(endpoints.WORKFLOW_AVERAGE_INTERACTIONS, app_id, start, end)
        # The one route that does not sort [1.9.1 to 1.15.0].
        return sorted(rows, key=_by_date)

    async def statistics(
        self,
        app: App | str,
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "raise",
    ) -> AppStatistics:
        """All statistics that apply to the app's mode, at once.

        Args:
            app: An `App`, or its id for one request more.
            start: As above.
            end: As above.
            metrics: Only these, where they apply.
            on_error: "raise", or "collect" into `errors`; wrong arguments and a refused session are
                raised in both cases.
        """
        found = await self.statistics_many([app], start, end, metrics=metrics, on_error=on_error)
        return found[0]

    async def statistics_many(
        self,
        apps: Iterable[App | str],
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "collect",
    ) -> list[AppStatistics]:
        """The same for many apps at once, in the order given; no more than `max_concurrency` requests.

        With `on_error="collect"` an app that fails keeps its place, with its `errors`.
        """
        found: dict[int, AppStatistics] = {}
        run = await self._prepared(apps, start, end, metrics, on_error)
        await run(found.__setitem__)
        return [found[index] for index in sorted(found)]

    @asynccontextmanager
    async def stream_statistics(
        self,
        apps: Iterable[App | str],
        start: When | None = None,
        end: When | None = None,
        *,
        metrics: Iterable[Metric | str] | None = None,
        on_error: OnError = "collect",
    ) -> AsyncIterator[AsyncIterator[AppStatistics]]:
        """The same, each app as soon as it is complete.

        Use: `async with dify.stream_statistics(apps) as arriving: async for statistics in arriving:`.
        Leaving the block early ends what is under way.
        """
        run = await self._prepared(apps, start, end, metrics, on_error)
        async with arriving(run) as stream:
            yield stream

    async def _statistic(
        self, endpoint: Endpoint[Rows[RowT]], app_id: str, start: When | None, end: When | None
    ) -> list[RowT]:
        first, last = await self._range(start, end)
        rows = await self._pipeline.call(endpoint, (app_id,), (("start", first), ("end", last)))
        return rows.data

    async def _prepared(
        self,
        apps: Iterable[App | str],
        start: When | None,
        end: When | None,
        metrics: Iterable[Metric | str] | None,
        on_error: OnError,
    ) -> Run:
        """The fan-out, with its arguments checked and its range on one clock."""
        chosen = checked_apps(apps)
        first, last = await self._range(start, end)
        get_rows = partial(self._rows, first=first, last=last)
        return partial(self._fan_out(get_rows, metrics, on_error).run, chosen)

    def _fan_out(
        self, get_rows: GetRows, metrics: Iterable[Metric | str] | None, on_error: OnError
    ) -> FanOut:
        return FanOut(
            metrics=checked_metrics(metrics),
            on_error=on_error,
            workers=self._max_concurrency,
            get_app=lambda app_id: self._pipeline.call(APP, (app_id,)),
            get_rows=get_rows,
        )

    async def _rows(
        self, metric: Metric, app_id: str, first: When | None, last: When | None
    ) -> Sequence[Row]:
        rows: Sequence[Row] = await getattr(self, metric)(app_id, first, last)
        return rows


@asynccontextmanager
async def arriving(run: Run) -> AsyncIterator[AsyncIterator[AppStatistics]]:
    """The fan-out as a stream; leaving the block ends what is under way."""
    send, receive = anyio.create_memory_object_stream[AppStatistics](math.inf)

    async def feed() -> None:
        with send:
            await run(lambda _, statistics: send.send_nowait(statistics))

    # It takes what comes in until the group has ended: an answer may be there in the moment of leaving.
    with receive:
        async with task_group() as group:
            group.start_soon(feed)
            yield receive
            group.cancel_scope.cancel()
