"""A dashboard as tables for a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from rich.box import SIMPLE
from rich.console import Group
from rich.table import Table
from rich.text import Text

from .console import days_of, printable, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dify_async.dashboard import AppDashboard, Dashboard, Series

    Value = int | float | Decimal | None

_BARS: Final = "▁▂▃▄▅▆▇█"
# Narrower terminals show fewer columns, so that the names of the apps stay readable.
_WIDE: Final = 80
_WIDE_COLUMNS: Final = {"mode", "by day"}
# The series in the first table, with their labels.
_TOTALS: Final = {
    "daily_messages": "messages",
    "daily_conversations": "conversations",
    "workflow_daily_runs": "workflow runs",
    "tokens": "tokens",
    "rate_percent": "liked messages",
    "average_response_time": "response time (completion)",
}
# For other series, more is better.
_LESS_IS_BETTER: Final = {"average_response_time"}


def report_tables(dashboard: Dashboard, apps: Sequence[AppDashboard], width: int) -> Group:
    """The totals, the apps in the order given, and the errors."""
    tables = [_totals_table(dashboard), _apps_table(dashboard, apps, is_wide=width >= _WIDE)]
    return Group(*tables, *([_errors(dashboard)] if dashboard.errors else []))


def uses_of(app: AppDashboard) -> Series | None:
    """The messages or workflow runs of an app; those of advanced-chat apps are both, and count once."""
    return app.series.get("daily_messages") or app.series.get("workflow_daily_runs")


def _sparkline(values: Sequence[Value], max_bars: int) -> str:
    """One bar per day, or per several days if there are too many; blank without a value."""
    size = -(-len(values) // max_bars)
    # Bars are averages, since the first one may have fewer days.
    ends = range(len(values), 0, -size) if values else ()
    chunks = [[float(one) for one in values[max(0, end - size) : end] if one is not None] for end in ends]
    means = [sum(chunk) / len(chunk) if chunk else None for chunk in reversed(chunks)]
    top = max((mean for mean in means if mean is not None), default=0) or 1
    return "".join(" " if mean is None else _BARS[round(mean / top * (len(_BARS) - 1))] for mean in means)


def _number(value: Value, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.4f} {unit}"
    return f"{value:,.1f} {unit}" if isinstance(value, float) else f"{value:,}"


def _change(series: Series | None, *, less_is_better: bool = False) -> Text:
    if series is None or series.change is None or series.change.relative is None:
        return Text("")
    percent = round(100 * series.change.relative)
    if not percent:
        return Text("0%")
    return Text(f"{percent:+d}%", style="green" if (percent > 0) != less_is_better else "red")


def _totals_table(dashboard: Dashboard) -> Table:
    period = dashboard.period
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.title = days_of(period)
    if period.is_open:
        table.caption = "Today is not over; changes are those of complete days."
    table.add_column("all apps")
    table.add_column("total", justify="right")
    table.add_column("change", justify="right")
    table.add_column("by day")
    rows = [
        (heading, series, name in _LESS_IS_BETTER)
        for name, heading in _TOTALS.items()
        if (series := dashboard.totals.get(name)) is not None
    ]
    rows += [("cost", series, True) for series in dashboard.costs.values()]
    for heading, series, less_is_better in rows:
        bars = _sparkline(series.values, 15)
        shares = _change(series, less_is_better=less_is_better)
        table.add_row(heading, _number(series.total, series.unit), shares, bars)
    return table


def _apps_table(dashboard: Dashboard, apps: Sequence[AppDashboard], *, is_wide: bool) -> Table:
    currencies = dashboard.costs.keys()
    cost = " ".join(["cost", *currencies]) if len(currencies) == 1 else "cost"
    headings = ("app", "mode", "uses", "change", "by day", "tokens", cost)
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("app", overflow="fold", ratio=1)  # wraps
    shown_headings = [one for one in headings if is_wide or one not in _WIDE_COLUMNS]
    for heading in shown_headings[1:]:
        justify: Literal["left", "right"] = "left" if heading in _WIDE_COLUMNS else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for app in apps:
        used = uses_of(app)
        tokens = app.series.get("tokens")
        costs = [one for one in app.costs.values() if one.total]
        units = [one.unit if len(currencies) > 1 else "" for one in costs]
        name = Text(short(app.app_name) or app.app_id)
        if app.errors:
            name.append(" !", style="bold red")
        cells: tuple[str | Text, ...] = (
            name,
            app.mode,
            _number(used.total, "") if used else "",
            _change(used),
            _sparkline(used.values, 8) if used else "",
            _number(tokens.total, "") if tokens else "",
            "\n".join(_number(one.total, unit).rstrip() for one, unit in zip(costs, units, strict=True)),
        )
        row = dict(zip(headings, cells, strict=True))
        table.add_row(*(row[heading] for heading in shown_headings))
    return table


def _errors(dashboard: Dashboard) -> Text:
    lines = [
        f"! {short(one.app_name) or one.app_id}, {one.metric}: {printable(str(one.error))}"
        for one in dashboard.errors
    ]
    return Text("\n".join(lines), style="red")
