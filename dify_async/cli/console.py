"""What the commands print: results to stdout, everything else to stderr."""

from __future__ import annotations

import copy
import csv
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Final, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from dify_async import Period
from dify_async._tables import ColumnType, write_table
from dify_async.errors import DifyConfigError, DifyLoginError, DifyLoginLockedError
from dify_async.models.serialization import plain

OK, SOME_FAILED, USAGE_ERROR, NO_DATA = range(4)
"""The exit codes."""

Format = Literal["table", "csv", "json"]
AsCsv = Annotated[
    bool, Parameter(name="--csv", help="Print CSV: the default if the output is piped.", show_default=False)
]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON.", show_default=False)]
Yes = Annotated[bool, Parameter(name=("--yes", "-y"), show_default=False)]

_MAX_NAME_LENGTH: Final = 60
_LOGGER: Final = logging.getLogger("dify_async")
_LOGIN_ADVICE: Final = (
    "Check --email and DIFY_PASSWORD, or set DIFY_ADMIN_API_KEY instead; then run the command again."
)
_LOCKED_ADVICE: Final = "Check DIFY_PASSWORD before you run the command again."
_KEY_ADVICE: Final = "Set DIFY_ADMIN_API_KEY and DIFY_WORKSPACE_ID instead of an account."


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


def line_of(error: Exception) -> str:
    """The text of an error; for a login with options and variables instead of methods."""
    if not isinstance(error, DifyLoginError):
        return str(error)
    rest, _, last = str(error).rpartition(". ")
    names_methods = "()" in last
    text = f"{rest}." if names_methods else str(error)
    if isinstance(error, DifyLoginLockedError):
        return f"{text} {_LOCKED_ADVICE}"
    if error.path != "/login":  # no password was sent
        return f"{text} {_KEY_ADVICE}"
    # If the attempts are used up, the text names no method, and says what to do.
    return f"{text} {_LOGIN_ADVICE}" if names_methods else text


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Name the option or variable that an invalid value is from."""
    try:
        yield
    except DifyConfigError as error:
        raise UsageError(f"{source}: {error}") from None


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print warnings of the package as notes."""
    handler = _Notes(logging.WARNING)
    _LOGGER.addHandler(handler)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        args = record.args
        if isinstance(args, tuple):
            record = copy.copy(record)  # other handlers receive it too
            record.args = tuple(line_of(one) if isinstance(one, Exception) else one for one in args)
        note(self.format(record))


def confirm(question: str, *, otherwise: str) -> None:
    """Ask before a change, at a terminal; `otherwise` is the error if there is none."""
    if not sys.stdin.isatty():
        raise UsageError(f"{otherwise}: pass --yes, or run it at a terminal")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UsageError("nothing was changed")


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


def days_of(period: Period) -> str:
    """The days of a period and their time zone, as the title of a table."""
    first, last = period.days[0], period.days[-1]
    return f"{first}, {period.zone}" if first == last else f"{first} to {last}, {period.zone}"


@contextmanager
def progress(what: str, *, is_hidden: bool = False) -> Iterator[Counter]:
    """A progress bar on stderr, if that is a terminal. Hide it if lines are printed to the same place."""
    err = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=err, transient=True, disable=is_hidden or not err.is_terminal) as bar:
        yield Counter(bar, what)


class Counter:
    """Shows how much is done."""

    def __init__(self, bar: Progress, what: str) -> None:
        self._bar = bar
        self._task = bar.add_task(what, total=None)

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        self._bar.update(self._task, completed=done, total=total)
