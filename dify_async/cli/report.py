"""`dify-async report`: all apps with their totals, changes and errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Annotated, Final, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from dify_async import AppMode, PeriodName
from dify_async.client import AsyncDifyServer
from dify_async.dashboard import AppDashboard, Dashboard, DashboardFeed, Snapshot

from .connection import Connection
from .console import (
    OK,
    SOME_FAILED,
    AsCsv,
    AsJson,
    Format,
    UsageError,
    chosen_format,
    line_of,
    note,
    print_json,
    print_rows,
    progress,
    short,
)
from .report_tables import report_tables, uses_of

Sort = Literal["cost", "uses", "tokens", "change", "name"]
Seconds = Annotated[float, Parameter(validator=Number(gt=0, lt=math.inf))]


def report(
    *,
    period: PeriodName = "last_30_days",
    mode: AppMode | None = None,
    sort: Sort = "cost",
    watch: Seconds | None = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    connection: Connection = Connection(),
) -> int:
    """Show all apps with their totals, changes and errors.

    Changes compare the complete days of the period with the same number of days before. CSV has one row per
    app; JSON has every number of every day. In a narrow terminal, the table has fewer columns.

    Args:
        period: The days to add up, in the account's time zone.
        mode: Only apps of this mode.
        sort: The order of the apps, largest first.
        watch: Refresh every so many seconds, until Ctrl-C. With --json, one line per refresh.
        as_csv: Print CSV.
        as_json: Print JSON.
        connection: The server.
    """
    console = Console()
    show = Report(console, chosen_format(console, as_csv=as_csv, as_json=as_json), sort)
    if watch is not None and show.format == "csv":
        raise UsageError("--watch needs a terminal, or --json")

    async def once(dify: AsyncDifyServer) -> Dashboard:
        with progress("apps") as count:
            async with dify.stream_dashboard(period=period, mode=mode, compare=True) as updates:
                async for update in updates:
                    count(update.done, updates.total)
                return await updates.dashboard()

    async def until_interrupted(dify: AsyncDifyServer) -> int:
        async with DashboardFeed(dify, watch or 0, period=period, mode=mode, compare=True) as feed:
            async for snapshot in feed:
                show.snapshot(snapshot)
        return OK

    with connection.client() as client:
        if watch is None:
            return show(client.run(once))
        try:
            return client.run(until_interrupted)
        except KeyboardInterrupt:
            return OK  # this is how to stop watching


class Report:
    """Shows dashboards in one format."""

    def __init__(self, console: Console, kind: Format, sort: Sort) -> None:
        self.format = kind
        self._console = console
        self._sort = sort

    def __call__(self, dashboard: Dashboard) -> int:
        """Show a dashboard, and return the exit code."""
        if self.format == "table":
            self._console.print(report_tables(dashboard, self._sorted(dashboard), self._console.width))
        elif self.format == "json":
            print_json(dashboard.to_json())
        else:
            print_rows("csv", _columns(dashboard), self._rows(dashboard))
        for one in dashboard.errors if self.format != "table" else ():
            note(f"{short(one.app_name) or one.app_id}, {one.metric}: {one.error}")
        return SOME_FAILED if dashboard.errors else OK

    def snapshot(self, snapshot: Snapshot) -> None:
        """Show the dashboard of a feed in place of the one before."""
        if self.format == "table":
            self._console.clear()
        self(snapshot.dashboard)
        if snapshot.error is not None:
            note(f"{snapshot.age:,.0f} s old: {line_of(snapshot.error)}")

    def _sorted(self, dashboard: Dashboard) -> list[AppDashboard]:
        by_name = sorted(dashboard.apps, key=lambda app: app.app_name.casefold())
        number = _NUMBERS.get(self._sort)
        return sorted(by_name, key=number, reverse=True) if number else by_name

    def _rows(self, dashboard: Dashboard) -> Iterator[tuple[object, ...]]:
        for app in self._sorted(dashboard):
            uses, tokens = uses_of(app), app.series.get("tokens")
            change = uses.change.relative if uses and uses.change else None
            costs = (app.costs[name].total if name in app.costs else None for name in dashboard.costs)
            errors = "; ".join(f"{metric}: {error}" for metric, error in app.errors.items())
            uses_total, tokens_total = uses and uses.total, tokens and tokens.total
            yield app.app_id, app.app_name, app.mode, uses_total, change, tokens_total, *costs, errors


def _columns(dashboard: Dashboard) -> dict[str, Literal["text", "number"]]:
    costs: dict[str, Literal["text", "number"]] = {f"cost_{name}": "number" for name in dashboard.costs}
    return {
        "app_id": "text",
        "app_name": "text",
        "mode": "text",
        "uses": "number",
        "change": "number",
        "tokens": "number",
        **costs,
        "errors": "text",
    }


def _cost(app: AppDashboard) -> float:
    return float(sum(series.total or 0 for series in app.costs.values()))


def _uses(app: AppDashboard) -> float:
    series = uses_of(app)
    return float(series.total or 0) if series else 0.0


def _tokens(app: AppDashboard) -> float:
    series = app.series.get("tokens")
    return float(series.total or 0) if series else 0.0


def _change(app: AppDashboard) -> float:
    series = uses_of(app)
    relative = series.change.relative if series and series.change else None
    return -math.inf if relative is None else float(relative)


_NUMBERS: Final[dict[Sort, Callable[[AppDashboard], float]]] = {
    "cost": _cost,
    "uses": _uses,
    "tokens": _tokens,
    "change": _change,
}
