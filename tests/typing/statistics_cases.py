"""Statistics of one app and of many."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime
from decimal import Decimal
from typing import assert_type

from dify_async import (
    App,
    AppStatistics,
    AsyncDifyServer,
    AverageResponseTime,
    AverageSessionInteractions,
    DailyConversations,
    DailyEndUsers,
    DailyMessages,
    DifyError,
    Metric,
    TokenCosts,
    TokensPerSecond,
    UserSatisfactionRate,
    When,
    WorkflowDailyRuns,
    WorkflowTokenCosts,
)
from dify_async.statistics import Row

START, END = datetime(2026, 10, 1), date(2026, 10, 8)


async def each(dify: AsyncDifyServer) -> None:
    assert_type(await dify.daily_conversations("id", START, END), list[DailyConversations])
    assert_type(await dify.daily_end_users("id", START, END), list[DailyEndUsers])
    assert_type(await dify.average_session_interactions("id", START, END), list[AverageSessionInteractions])
    assert_type(await dify.tokens_per_second("id", START, END), list[TokensPerSecond])
    assert_type(await dify.user_satisfaction_rate("id", START, END), list[UserSatisfactionRate])
    assert_type(await dify.token_costs("id", start="2026-10-01 00:00", end=END), list[TokenCosts])
    assert_type(await dify.daily_messages("id", START, END), list[DailyMessages])
    assert_type(await dify.average_response_time("id", START, END), list[AverageResponseTime])
    assert_type(await dify.workflow_daily_runs("id", START, END), list[WorkflowDailyRuns])
    assert_type(await dify.workflow_daily_end_users("id", START, END), list[DailyEndUsers])
    assert_type(await dify.workflow_token_costs("id", START, END), list[WorkflowTokenCosts])
    assert_type(await dify.workflow_average_interactions("id", START, END), list[AverageSessionInteractions])


async def all_of_them(dify: AsyncDifyServer, stack: AsyncExitStack, apps: list[App]) -> None:
    assert_type(
        await dify.statistics("id", START, END, metrics=["daily_messages"], on_error="collect"),
        AppStatistics,
    )
    assert_type(await dify.statistics(apps[0], metrics=Metric), AppStatistics)
    assert_type(
        await dify.statistics_many(apps, START, END, metrics={Metric.TOKEN_COSTS}, on_error="raise"),
        list[AppStatistics],
    )
    assert_type(await dify.statistics_many(app.id for app in apps), list[AppStatistics])
    assert_type(
        await stack.enter_async_context(
            dify.stream_statistics(apps, START, END, metrics=list(Metric), on_error="raise")
        ),
        AsyncIterator[AppStatistics],
    )
    async with dify.stream_statistics(apps) as arriving:
        async for statistics in arriving:
            assert_type(statistics, AppStatistics)


def app(app: AppStatistics, start: When) -> None:
    assert_type(app.app_id, str)
    assert_type(app.app_name, str)
    assert_type(app.mode, str)
    assert_type(app.daily_conversations, list[DailyConversations] | None)
    assert_type(app.daily_end_users, list[DailyEndUsers] | None)
    assert_type(app.average_session_interactions, list[AverageSessionInteractions] | None)
    assert_type(app.tokens_per_second, list[TokensPerSecond] | None)
    assert_type(app.user_satisfaction_rate, list[UserSatisfactionRate] | None)
    assert_type(app.token_costs, list[TokenCosts] | None)
    assert_type(app.daily_messages, list[DailyMessages] | None)
    assert_type(app.average_response_time, list[AverageResponseTime] | None)
    assert_type(app.workflow_daily_runs, list[WorkflowDailyRuns] | None)
    assert_type(app.workflow_daily_end_users, list[DailyEndUsers] | None)
    assert_type(app.workflow_token_costs, list[WorkflowTokenCosts] | None)
    assert_type(app.workflow_average_interactions, list[AverageSessionInteractions] | None)
    assert_type(app.errors, dict[Metric, DifyError])
    assert_type(app.rows(Metric.TOKEN_COSTS), Sequence[Row] | None)
    assert_type(app.filled(start, END), AppStatistics)
    assert_type(app.to_rows(), list[dict[str, object]])
    assert_type(app.to_columns(), dict[str, list[object]])
    for row in app.token_costs or ():
        assert_type(row.date, date)
        assert_type(row.total_price, Decimal | None)
    for any_row in app.rows(Metric.DAILY_MESSAGES) or ():
        assert_type(any_row.date, date)
