"""Tables of numbers as columns, CSV files and data frames."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from . import _checks
from .errors import DifyConfigError
from .models.serialization import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    Row = tuple[object, ...]

    class CsvWriter(Protocol):
        """What `csv.writer` returns."""

        def writerow(self, row: Iterable[object], /) -> object:
            """Write one row."""


Backend = Literal["pandas", "polars", "pyarrow"]
ColumnType = Literal["text", "date", "number"]
"""The type of a column in data frames."""

# Spreadsheets evaluate cells that begin with these, by OWASP's list; Excel accepts the wide forms too.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - intended


def columns_of(names: Iterable[str], rows: Iterable[Row]) -> dict[str, list[object]]:
    """One list per column."""
    table: dict[str, list[object]] = {name: [] for name in names}
    for row in rows:
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
    return table


def write_csv(
    path: str | Path, encoding: str, columns: Mapping[str, ColumnType], rows: Iterable[Row]
) -> None:
    """Write a CSV file in which no text is a formula."""
    try:
        "".encode(encoding)
    except (LookupError, TypeError):
        raise _checks.refused(
            "encoding", 'a text encoding such as "utf-8" or "utf-8-sig"', encoding
        ) from None
    with Path(path).open("w", encoding=encoding, newline="") as file:
        write_table(csv.writer(file), columns, rows)


def write_table(writer: CsvWriter, columns: Mapping[str, ColumnType], rows: Iterable[Row]) -> None:
    """Write the names of the columns, and rows in which no text is a formula."""
    texts = [kind == "text" for kind in columns.values()]
    writer.writerow(columns)
    for row in rows:
        cells = zip(row, texts, strict=True)
        writer.writerow([_no_formula(value) if is_text else plain(value) for value, is_text in cells])


def data_frame(backend: Backend, columns: Mapping[str, ColumnType], rows: Iterable[Row]) -> Any:
    """A data frame with typed columns; numbers are floats."""
    _checks.one_of("backend", backend, get_args(Backend))
    table = columns_of(columns, rows)
    for name, kind in columns.items():
        if kind == "number":
            table[name] = [None if value is None else float(value) for value in table[name]]  # type: ignore[arg-type]  # they are numbers
    try:
        import narwhals as nw  # noqa: PLC0415 - an optional dependency

        types = {
            "text": nw.String(),
            "date": nw.Datetime() if backend == "pandas" else nw.Date(),
            "number": nw.Float64(),
        }
        schema = {name: types[kind] for name, kind in columns.items()}
        return nw.from_dict(table, schema, backend=backend).to_native()
    except ImportError as error:
        raise DifyConfigError(
            f"to_native() needs more packages: {error}. Install dify-async[dataframes] and {backend}"
        ) from None


def _no_formula(text: object) -> object:
    return f"'{text}" if str(text).lstrip(" ").startswith(_FORMULA) else text
