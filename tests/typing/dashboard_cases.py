"""The dashboard, whole, as it comes and kept fresh."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

from dify_async import (
    App,
    AppDashboard,
    AppError,
    AsyncDifyServer,
    Change,
    Dashboard,
    DashboardFeed,
    DashboardUpdate,
    DashboardUpdates,
    DifyError,
    Metric,
    Period,
    Series,
    Snapshot,
)

START, END = date(2026, 10, 1), "2026-10-08 00:00"


async def got(dify: AsyncDifyServer, stack: AsyncExitStack, apps: list[App]) -> None:
    assert_type(await dify.dashboard(), Dashboard)
    assert_type(
        await dify.dashboard(
            START,
            END,
            days=7,
            apps=apps,
            mode="chat",
            name="a",
            metrics=["daily_messages", Metric.TOKEN_COSTS],
            compare=True,
            on_error="raise",
        ),
        Dashboard,
    )
    assert_type(
        await stack.enter_async_context(
            dify.stream_dashboard(
                START,
                END,
                days=7,
                apps=["id"],
                mode="chat",
                name="a",
                metrics=Metric,
                compare=True,
                on_error="collect",
            )
        ),
        DashboardUpdates,
    )


async def arriving(updates: DashboardUpdates, update: DashboardUpdate) -> None:
    assert_type(updates.period, Period)
    assert_type(updates.previous_period, Period | None)
    assert_type(updates.total, int)
    async for one in updates:
        assert_type(one, DashboardUpdate)
    assert_type(await updates.dashboard(), Dashboard)
    assert_type(await updates.rest(), Dashboard)
    assert_type(update.app, AppDashboard)
    assert_type(update.done, int)
    assert_type(update.total, int)


def held(dashboard: Dashboard, app: AppDashboard, error: AppError, period: Period) -> None:
    assert_type(dashboard.period, Period)
    assert_type(dashboard.previous_period, Period | None)
    assert_type(dashboard.apps, Sequence[AppDashboard])
    assert_type(dashboard.totals, Mapping[str, Series])
    assert_type(dashboard.errors, list[AppError])
    assert_type(dashboard.to_rows(), list[dict[str, object]])
    assert_type(dashboard.to_columns(), dict[str, list[object]])
    assert_type(dashboard.to_csv("file"), None)
    assert_type(dashboard.to_csv(path=Path("file")), None)
    assert_type(dashboard.to_json(), str)
    assert_type(dashboard.to_native("polars"), Any)
    assert_type(app.app_id, str)
    assert_type(app.app_name, str)
    assert_type(app.mode, str)
    assert_type(app.series, Mapping[str, Series])
    assert_type(app.errors, Mapping[Metric, DifyError])
    assert_type(error.app_id, str)
    assert_type(error.app_name, str)
    assert_type(error.metric, Metric)
    assert_type(error.error, DifyError)
    assert_type(period.start, datetime)
    assert_type(period.end, datetime)
    assert_type(period.zone, str)
    assert_type(period.days, tuple[date, ...])
    assert_type(period.bounds, tuple[str, str])


def numbers(series: Series, change: Change) -> None:
    assert_type(series.name, str)
    assert_type(series.unit, str)
    assert_type(series.values, tuple[int | float | Decimal | None, ...])
    assert_type(series.total, int | float | Decimal | None)
    assert_type(series.previous, Series | None)
    assert_type(series.change, Change | None)
    assert_type(change.absolute, int | float | Decimal | None)
    assert_type(change.relative, float | None)


async def fed(dify: AsyncDifyServer, feed: DashboardFeed, snapshot: Snapshot) -> None:
    async with DashboardFeed(
        dify, 60, days=7, apps=["id"], mode="chat", name="a", metrics=["token_costs"], compare=True
    ) as entered:
        assert_type(entered, DashboardFeed)
    assert_type(feed.latest, Snapshot | None)
    assert_type(await feed.get(), Snapshot)
    assert_type(await feed.refresh(all_days=True), Snapshot)
    assert_type(aiter(feed), AsyncIterator[Snapshot])
    async for one in feed:
        assert_type(one, Snapshot)
    assert_type(snapshot.dashboard, Dashboard)
    assert_type(snapshot.fetched_at, datetime)
    assert_type(snapshot.at, float)
    assert_type(snapshot.error, Exception | None)
    assert_type(snapshot.age, float)
