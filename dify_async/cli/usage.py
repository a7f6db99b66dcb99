"""`dify-async usage`: who used what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Final, get_args

from cyclopts import Parameter
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from dify_async import PeriodName, Usage, UsageDimension, UsageRow
from dify_async._checks import suggestion
from dify_async._tables import ColumnType
from dify_async.client import AsyncDifyServer

from .connection import Connection
from .console import (
    OK,
    SOME_FAILED,
    AsCsv,
    AsJson,
    UsageError,
    chosen_format,
    days_of,
    note,
    print_json,
    print_rows,
    progress,
    short,
)

_DIMENSIONS: Final[tuple[UsageDimension, ...]] = get_args(UsageDimension)
_NUMBERS: Final = ("messages", "runs", "total_tokens")
_ALL_NUMBERS: Final = (*_NUMBERS, "conversations", "input_tokens", "output_tokens")


def usage(
    *,
    by: Annotated[str, Parameter(name="--by")] = "app",
    period: PeriodName = "last_30_days",
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    connection: Connection = Connection(),
) -> int:
    """Show who used what: messages, runs, tokens and costs.

    It reads every message of the period, at about one request per conversation, and marks none as read. The
    differences from Dify's own statistics, such as the messages of deleted conversations, are reported on
    stderr, and are in the JSON as "unexplained", per app and day.

    Args:
        by: What to group by, separated by commas: app, mode, day, user, account (of the console), source,
            model, provider.
        period: The days to read, in the account's time zone.
        as_csv: Print CSV.
        as_json: Print JSON.
        connection: The server.
    """
    console = Console()
    kind = chosen_format(console, as_csv=as_csv, as_json=as_json)
    groups = _dimensions(by)

    async def task(dify: AsyncDifyServer) -> Usage:
        with progress("conversations") as count:
            return await dify.usage(period=period, by=groups, progress=count)

    with connection.client() as client:
        found = client.run(task)
    if kind == "json":
        print_json(found.to_json())
    elif kind == "csv":
        rows = found.to_rows()
        columns = {name: _column_type(name) for name in found.to_columns()}
        print_rows("csv", columns, (tuple(row.values()) for row in rows))
    else:
        console.print(_table(found), markup=False)
    if missing := _difference(found.unexplained, 1):
        note(f"in Dify's statistics, but not in these rows: {missing}")
    if extra := _difference(found.unexplained, -1):
        note(f"in these rows, but not in Dify's statistics: {extra}")
    for failed in found.errors:
        note(f"{short(failed.app_name) or failed.app_id}: {failed.error}")
    return SOME_FAILED if found.errors else OK


def _dimensions(text: str) -> list[UsageDimension]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in _DIMENSIONS:
            hint = suggestion(name, _DIMENSIONS) or f"choose from {', '.join(_DIMENSIONS)}"
            raise UsageError(f"--by: {name!r} is not a group; {hint}")
    if not names:
        raise UsageError(f"--by: give at least one of {', '.join(_DIMENSIONS)}")
    return [one for one in _DIMENSIONS if one in names]


def _column_type(name: str) -> ColumnType:
    return "number" if name in _ALL_NUMBERS or name.startswith("cost_") else "text"


def _table(found: Usage) -> Table:
    """The rows, the most expensive first, and their sum."""
    groups = [name for name in found.to_columns() if _column_type(name) == "text" and name != "app_id"]
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), show_footer=True)
    table.title = days_of(found.period)
    for place, name in enumerate(groups):
        table.add_column(name.replace("_", " "), "all" if place == 0 else "", overflow="fold")
    for name in _NUMBERS:
        # A message or run that used several models is in the row of each: the sum would count it repeatedly.
        is_sum = name == "total_tokens" or not {"model", "provider"} & {*groups}
        total = f"{sum(getattr(row, name) for row in found.rows):,}" if is_sum else ""
        table.add_column(name.replace("total_", ""), total, justify="right", no_wrap=True)
    table.add_column("cost", _money(_costs(found.rows)), justify="right", no_wrap=True)
    for row in sorted(found.rows, key=lambda row: (-sum(row.cost.values()), -row.total_tokens)):
        texts = ["" if (value := getattr(row, name)) is None else short(str(value)) for name in groups]
        table.add_row(*texts, *(f"{getattr(row, name):,}" for name in _NUMBERS), _money(row.cost))
    return table


def _difference(unexplained: Iterable[UsageRow], sign: int) -> str:
    """The sums of the numbers with this sign; empty if there are none."""
    sums: dict[str, Decimal] = {}
    for row in unexplained:
        numbers = {name: Decimal(getattr(row, name)) for name in _NUMBERS}
        for name, number in {**numbers, **row.cost}.items():
            sums[name] = sums.get(name, Decimal(0)) + max(sign * number, Decimal(0))
    return ", ".join(
        f"{number:,} {name.removeprefix('total_')}" if name in _NUMBERS else f"{number:,.4f} {name}"
        for name, number in sums.items()
        if number
    )


def _costs(rows: Iterable[UsageRow]) -> dict[str, Decimal]:
    costs: dict[str, Decimal] = {}
    for row in rows:
        for currency, cost in row.cost.items():
            costs[currency] = costs.get(currency, Decimal(0)) + cost
    return costs


def _money(costs: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{cost:,.4f} {currency}" for currency, cost in costs.items())
