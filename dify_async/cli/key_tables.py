"""API keys as rows of CSV and JSON, and as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from dify_async._tables import ColumnType
from dify_async.client.rotation import is_whole
from dify_async.models import ApiKey, App

from .console import chosen_format, print_rows, short

Row = tuple[object, ...]

_COLUMNS: Final[dict[str, ColumnType]] = {
    "app_id": "text",
    "app_name": "text",
    "key_id": "text",
    "created_at": "text",
    "last_used_at": "text",
}
COLUMNS_WITH_KEYS: Final[dict[str, ColumnType]] = {**_COLUMNS, "key": "text"}

# Narrower terminals do not show the ids of keys, so that the names of the apps stay readable.
_WIDE: Final = 100


def row_of(app: App, key: ApiKey) -> Row:
    """The values of all columns; the last one is "" if the server masks its keys."""
    token = key.token if is_whole(key) else ""
    return app.id, app.name, key.id, _time(key.created_at), _time(key.last_used_at), token


def print_without_keys(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print all columns but the last, which is secret."""
    rows = [row[: len(_COLUMNS)] for row in rows]
    console = Console()
    kind = chosen_format(console, as_csv=False, as_json=as_json)
    if kind != "table":
        print_rows(kind, _COLUMNS, rows)
    elif not rows:
        console.print("no API keys")
    else:
        console.print(_table(rows, is_wide=console.width >= _WIDE), markup=False)


def _table(rows: Sequence[Row], *, is_wide: bool) -> Table:
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("app", overflow="fold")
    for heading in (*(["key id"] if is_wide else []), "created (UTC)", "last used (UTC)"):
        table.add_column(heading, no_wrap=True)
    for _, name, key_id, *times in rows:
        texts = (str(time or "").replace("T", " ")[:16] for time in times)
        table.add_row(short(str(name)), *([str(key_id)] if is_wide else []), *texts)
    return table


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
