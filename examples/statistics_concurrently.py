"""Print a table of all apps' statistics for the last 30 days, with totals; requests are concurrent.

Without DIFY_BASE_URL in the environment it runs against a fake server and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD.
"""

import asyncio
import os
import sys
from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from dify_async import AppStatistics, AsyncDifyServer, DifyError
from dify_async.testing import FakeDifyServer

DAYS = 30
# Conversations and workflow runs are not added: an advanced-chat app has both.
COLUMNS = {"conversations": "conv.", "messages": "messages", "runs": "runs", "tokens": "tokens"}


def totals(app: AppStatistics) -> tuple[Counter[str], Counter[str]]:
    """Counts, and money by currency. End users cannot be added: the same users come again."""
    tokens = app.token_costs if app.token_costs is not None else app.workflow_token_costs
    counts = Counter(
        conversations=sum(row.conversation_count for row in app.daily_conversations or ()),
        messages=sum(row.message_count for row in app.daily_messages or ()),
        runs=sum(row.runs for row in app.workflow_daily_runs or ()),
        tokens=sum(row.token_count for row in tokens or ()),
    )
    money: Counter[str] = Counter()
    for row in app.token_costs or ():
        if row.total_price is not None and row.currency is not None:
            money[row.currency] += row.total_price  # type: ignore[assignment]  # a Counter can add Decimals
    return counts, money


def format_money(money: Counter[str]) -> str:
    return "  ".join(f"{Decimal(amount):,.4f} {currency}" for currency, amount in sorted(money.items()))


async def fetch(dify: AsyncDifyServer, console: Console) -> list[AppStatistics]:
    """Fetch the statistics of all apps, with a progress bar."""
    account = await dify.profile()
    today = datetime.now(ZoneInfo(account.timezone or "UTC")).date()
    apps = await dify.apps()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("apps", total=len(apps))
        # The end is exclusive: tomorrow's midnight includes all of today.
        end = today + timedelta(days=1)
        async with dify.stream_statistics(apps, end - timedelta(days=DAYS), end) as stream:
            found: list[AppStatistics] = []
            async for app in stream:
                found.append(app)
                progress.advance(task)
    return found


def make_table(found: list[AppStatistics]) -> Table:
    table = Table(title=f"The last {DAYS} days", box=SIMPLE, show_footer=True, padding=(0, 1, 0, 0))
    rows = [(app, *totals(app)) for app in sorted(found, key=lambda app: app.app_name.casefold())]
    all_counts: Counter[str] = sum((counts for _, counts, _ in rows), Counter[str]())
    all_money: Counter[str] = sum((money for *_, money in rows), Counter[str]())
    table.add_column("app", footer="total", overflow="fold")  # wraps on narrow screens
    table.add_column("mode", no_wrap=True)
    for column, heading in COLUMNS.items():
        table.add_column(heading, footer=f"{all_counts[column]:,}", justify="right", no_wrap=True)
    table.add_column("cost", footer=format_money(all_money), justify="right", no_wrap=True)
    for app, counts, money in rows:
        shown = [f"{counts[column]:,}" if counts[column] else "" for column in COLUMNS]
        table.add_row(Text(app.app_name), app.mode, *shown, format_money(money))
    return table


async def main() -> int:
    console = Console()
    async with AsyncExitStack() as stack:
        try:
            if os.environ.get("DIFY_BASE_URL"):
                dify = AsyncDifyServer.from_env()
            else:
                fake = await stack.enter_async_context(FakeDifyServer(latency=0.02))
                console.print(f"DIFY_BASE_URL is not set: using a fake server at {fake.base_url}")
                dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
            found = await fetch(await stack.enter_async_context(dify), console)
        except DifyError as failure:
            console.print(f"[red]{type(failure).__name__}[/]: ", end="")
            console.print(str(failure), markup=False)
            return 1
    console.print(make_table(found))
    for app in found:
        for metric, error in app.errors.items():
            console.print(f"{app.app_name}, {metric}: {error}", style="red", markup=False)
    return 1 if any(app.errors for app in found) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
