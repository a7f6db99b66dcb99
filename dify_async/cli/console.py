"""What the commands print: results to stdout, everything else to stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Final, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from dify_async._tables import ColumnType, write_table
from dify_async.models.serialization import plain

OK, SOME_FAILED, USAGE_ERROR, NO_DATA = range(4)
"""The exit codes."""

Format = Literal["table", "csv", "json"]
AsCsv = Annotated[
    bool, Parameter(name="--csv", help="Print CSV: the default if the output is piped.", show_default=False)
]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON.", show_default=False)]

_MAX_NAME_LENGTH: Final = 60


class UsageError(Exception):
    """The command was used wrongly: its message is one line."""


def fail(message: object, code: int) -> int:
    """Print an error as one line, and return the exit code."""
    note(f"error: {message}")
    return code


def note(message: object) -> None:
    """Print one line to stderr."""
    sys.stderr.write(f"dify-async: {' '.join(printable(str(message)).split())}\n")
    sys.stderr.flush()


def chosen_format(console: Console, *, as_csv: bool, as_json: bool) -> Format:
    """The format of the result: a table at a terminal, and CSV in a pipe or file, unless told otherwise."""
    if as_csv and as_json:
        raise UsageError("--csv and --json cannot be combined")
    return "json" if as_json else "csv" if as_csv or not console.is_terminal else "table"


def print_rows(kind: Format, columns: Mapping[str, ColumnType], rows: Iterable[tuple[object, ...]]) -> None:
    """Print rows as CSV, or as a JSON list with one object per row."""
    if kind == "json":
        print_json([dict(zip(columns, map(plain, row), strict=True)) for row in rows])
    else:
        write_table(csv.writer(sys.stdout, lineterminator="\n"), columns, rows)
        sys.stdout.flush()


def print_json(value: object) -> None:
    """Print a JSON value on one line, unless it is text already."""
    sys.stdout.write(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    sys.stdout.write("\n")
    sys.stdout.flush()


def printable(text: str) -> str:
    """The text without control characters, which could change the terminal."""
    return "".join(
        letter if letter.isprintable() or letter.isspace() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def short(name: str) -> str:
    """An app's name on one line, shortened."""
    plain_name = " ".join(printable(name).split())
    return plain_name if len(plain_name) <= _MAX_NAME_LENGTH else plain_name[: _MAX_NAME_LENGTH - 1] + "…"


@contextmanager
def progress(what: str) -> Iterator[Counter]:
    """A progress bar on stderr, if that is a terminal."""
    err = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        yield Counter(bar, what)


class Counter:
    """Shows how much is done."""

    def __init__(self, bar: Progress, what: str) -> None:
        self._bar = bar
        self._task = bar.add_task(what, total=None)

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        self._bar.update(self._task, completed=done, total=total)
