"""Print a report of all apps: totals with changes, and a sparkline and the errors of each app.

    python examples/terminal_report.py --last 7d
    python examples/terminal_report.py --watch 60 --csv report.csv
    python examples/terminal_report.py --json | jq .totals.tokens.total

Without DIFY_BASE_URL in the environment it runs against a fake console and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Literal

from rich.box import SIMPLE
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from dify_async import (
    AsyncDifyServer,
    Dashboard,
    DashboardFeed,
    DifyConfigError,
    DifyError,
    Series,
)
from dify_async.testing import FakeDifyServer

BARS = "▁▂▃▄▅▆▇█"
MAX_NAME_LENGTH = 60
# Narrower terminals show fewer columns, so that the names of the apps stay readable.
WIDE = 80
WIDE_COLUMNS = {"mode", "by day"}
# The series in the first table, with their labels.
TOTALS = {
    "daily_messages": "messages",
    "daily_conversations": "conversations",
    "workflow_daily_runs": "workflow runs",
    "tokens": "tokens",
    "rate_percent": "liked messages",
    "average_response_time": "response time (completion)",
}
# For other series, more is better.
LESS_IS_BETTER = {"average_response_time"}

OK, SOME_FAILED, USAGE_ERROR, NO_DATA = range(4)
EXIT_CODES = "exit codes: 0 success, 1 some apps failed, 2 usage error, 3 no data"

Value = int | float | Decimal | None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], epilog=EXIT_CODES)
    parser.add_argument(
        "--last", type=days, default=30, metavar="DAYS", help='such as "7d" or "4w"; default: 30d'
    )
    parser.add_argument("--mode", help='only apps of this mode, such as "chat"')
    parser.add_argument("--watch", type=seconds, metavar="SECONDS", help="refresh every SECONDS seconds")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write all numbers to a CSV file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def days(text: str) -> int:
    match = re.fullmatch(r"([1-9]\d{0,3})([dw]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f'must be a number of days such as "7d" or "4w", got {text!r}')
    return int(match[1]) * (7 if match[2] == "w" else 1)


def seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of seconds greater than 0, got {text!r}")
    return number


def sparkline(values: Sequence[Value], max_bars: int) -> str:
    """One bar per day, or per several days if there are too many; blank without a value."""
    size = -(-len(values) // max_bars)
    # Bars are averages, since the first one may have fewer days.
    ends = range(len(values), 0, -size) if values else ()
    chunks = [[float(one) for one in values[max(0, end - size) : end] if one is not None] for end in ends]
    means = [sum(chunk) / len(chunk) if chunk else None for chunk in reversed(chunks)]
    top = max((mean for mean in means if mean is not None), default=0) or 1
    return "".join(" " if mean is None else BARS[round(mean / top * (len(BARS) - 1))] for mean in means)


def number(value: Value, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.4f} {unit}"
    return f"{value:,.1f} {unit}" if isinstance(value, float) else f"{value:,}"


def change(series: Series | None, *, less_is_better: bool = False) -> Text:
    if series is None or series.change is None or series.change.relative is None:
        return Text("")
    share = series.change.relative
    gain = -share if less_is_better else share
    return Text(f"{share:+.0%}", style="green" if gain > 0 else "red" if gain < 0 else "")


def shown(name: str) -> str:
    """The name without control characters, and shortened: it must not change the terminal."""
    plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
    return plain if len(plain) <= MAX_NAME_LENGTH else plain[: MAX_NAME_LENGTH - 1] + "…"


def totals_table(dashboard: Dashboard) -> Table:
    period = dashboard.period
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.title = f"{period.days[0]} to {period.days[-1]}, {period.zone}"
    if period.is_open:
        table.caption = "Today is not over; changes are those of complete days."
    table.add_column("all apps")
    table.add_column("total", justify="right")
    table.add_column("change", justify="right")
    table.add_column("by day")
    rows = [
        (heading, series, name in LESS_IS_BETTER)
        for name, heading in TOTALS.items()
        if (series := dashboard.totals.get(name)) is not None
    ]
    rows += [(f"cost in {currency}", series, True) for currency, series in dashboard.costs.items()]
    for heading, series, less_is_better in rows:
        bars = sparkline(series.values, 15)
        shares = change(series, less_is_better=less_is_better)
        table.add_row(heading, number(series.total, series.unit), shares, bars)
    return table


def apps_table(dashboard: Dashboard, *, is_wide: bool) -> Table:
    currencies = dashboard.costs.keys()
    cost = " ".join(["cost", *currencies]) if len(currencies) == 1 else "cost"
    headings = ("app", "mode", "uses", "change", "by day", "tokens", cost)
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("app", overflow="fold", ratio=1)  # wraps
    shown_headings = [one for one in headings if is_wide or one not in WIDE_COLUMNS]
    for heading in shown_headings[1:]:
        justify: Literal["left", "right"] = "left" if heading in WIDE_COLUMNS else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for app in sorted(dashboard.apps, key=lambda app: app.app_name.casefold()):
        # The messages of an advanced-chat app are also runs, and are shown once.
        used = app.series.get("daily_messages") or app.series.get("workflow_daily_runs")
        tokens = app.series.get("tokens")
        costs = [one for one in app.costs.values() if one.total]
        units = [one.unit if len(currencies) > 1 else "" for one in costs]
        name = Text(shown(app.app_name) or app.app_id)
        if app.errors:
            name.append(" !", style="bold red")
        cells: tuple[str | Text, ...] = (
            name,
            app.mode,
            number(used.total, "") if used else "",
            change(used),
            sparkline(used.values, 8) if used else "",
            number(tokens.total, "") if tokens else "",
            "\n".join(number(one.total, unit).rstrip() for one, unit in zip(costs, units, strict=True)),
        )
        row = dict(zip(headings, cells, strict=True))
        table.add_row(*(row[heading] for heading in shown_headings))
    return table


def errors_text(dashboard: Dashboard) -> Text:
    lines = [f"! {shown(one.app_name) or one.app_id}, {one.metric}: {one.error}" for one in dashboard.errors]
    return Text("\n".join(lines), style="red")


async def show(dashboard: Dashboard, options: argparse.Namespace, console: Console) -> int:
    if options.csv is not None:
        await asyncio.to_thread(dashboard.to_csv, options.csv)
    if options.json:
        print(dashboard.to_json(), flush=True)
    else:
        apps = apps_table(dashboard, is_wide=console.width >= WIDE)
        console.print(Group(totals_table(dashboard), apps, errors_text(dashboard)))
    return SOME_FAILED if dashboard.errors else OK


async def report(dify: AsyncDifyServer, options: argparse.Namespace, console: Console) -> int:
    err = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        async with dify.stream_dashboard(days=options.last, mode=options.mode, compare=True) as updates:
            task = progress.add_task("apps", total=updates.total)
            async for update in updates:
                progress.update(task, completed=update.done)
            dashboard = await updates.dashboard()
    return await show(dashboard, options, console)


async def watch(dify: AsyncDifyServer, options: argparse.Namespace, console: Console) -> int:
    async with DashboardFeed(dify, options.watch, days=options.last, mode=options.mode, compare=True) as feed:
        async for snapshot in feed:
            if console.is_terminal and not options.json:
                console.clear()
            await show(snapshot.dashboard, options, console)
            if snapshot.error is not None:
                note = f"{snapshot.age:,.0f} s old: {snapshot.error}"
                Console(stderr=True).print(note, style="red", markup=False)
    return OK


async def main(options: argparse.Namespace) -> int:
    console, err = Console(), Console(stderr=True)
    async with AsyncExitStack() as stack:
        try:
            if os.environ.get("DIFY_BASE_URL"):
                dify = AsyncDifyServer.from_env()
            else:
                fake = await stack.enter_async_context(FakeDifyServer(latency=0.02))
                err.print(f"DIFY_BASE_URL is not set: using a fake console at {fake.base_url}")
                dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
            run = watch if options.watch else report
            return await run(await stack.enter_async_context(dify), options, console)
        except (DifyError, OSError) as failure:
            err.print(f"{type(failure).__name__}: {failure}", style="red", markup=False)
            # An OSError is from the file of --csv.
            is_usage_error = isinstance(failure, DifyConfigError) or not isinstance(failure, DifyError)
            return USAGE_ERROR if is_usage_error else NO_DATA


if __name__ == "__main__":
    given = arguments()
    try:
        sys.exit(asyncio.run(main(given)))
    except KeyboardInterrupt:
        # Ctrl-C is how to stop watching.
        sys.exit(OK if given.watch else 130)
