"""A usage report, and its export as rows, columns, CSV, JSON or a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dify_async._tables import Backend, columns_of, data_frame, write_csv
from dify_async.dashboard.period import Period
from dify_async.models.base import DifyModel

from .mark import UsageMark
from .models import FIELDS_OF, UsageDimension, UsageError, UsageRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dify_async._tables import ColumnType

_NUMBERS: Final = ("messages", "conversations", "runs", "input_tokens", "output_tokens", "total_tokens")
_CURRENCY: Final = "USD"  # of Dify's own statistics, so that files of months without costs have the column


class Usage(DifyModel, frozen=True, kw_only=True):
    """Who used what in a range of days.

    Attributes:
        period: The range, and the account's time zone.
        by: What the rows are grouped by.
        rows: One row per group, sorted by group in the order of `by`.
        unexplained: Per app and day, the server's statistics minus the rows: what no readable message
            explains (messages of deleted conversations, tokens of completion apps), or negative numbers
            for messages that the statistics leave out (debugging in the console, from Dify 1.9). Empty if
            all agree, and with `since`.
        errors: The apps that failed. They have no rows, unless `has_rows` is true: then only the
            statistics failed, and nothing is known about what is unexplained.
        mark: Pass it as `since` to read only what is new.
    """

    period: Period
    by: tuple[UsageDimension, ...]
    rows: Sequence[UsageRow]
    unexplained: Sequence[UsageRow]
    errors: Sequence[UsageError]
    mark: UsageMark

    def to_rows(self) -> list[dict[str, object]]:
        """One dict per row: what it is grouped by, the numbers, and one `cost_<currency>` per currency."""
        columns = self._columns()
        return [dict(zip(columns, row, strict=True)) for row in self._rows()]

    def to_columns(self) -> dict[str, list[object]]:
        """One list per column: what it is grouped by, the numbers, and one `cost_<currency>` per currency."""
        return columns_of(self._columns(), self._rows())

    def to_csv(self, path: str | Path, encoding: str = "utf-8") -> None:
        """Write a CSV file with the columns of `to_columns()`.

        Money is exact, days are ISO dates, and None is empty. Text that a spreadsheet would evaluate as a
        formula gets an apostrophe in front, since end users choose their names; the other exports do not
        change it. The call blocks: use `asyncio.to_thread` in a service.

        Args:
            path: The file, which is overwritten.
            encoding: "utf-8-sig" for Excel, which reads UTF-8 only if the file begins with a byte order mark.

        Raises:
            DifyConfigError: The encoding is invalid.
        """
        write_csv(path, encoding, self._columns(), self._rows())

    def to_native(self, backend: Backend) -> Any:
        """A data frame with the columns of `to_columns()`.

        All numbers are floats, including money; `to_rows` and `to_csv` have exact money.

        Args:
            backend: "pandas", "polars" or "pyarrow".

        Raises:
            DifyConfigError: The backend is invalid; or it, or `dify-async[dataframes]`, is not installed.
        """
        return data_frame(backend, self._columns(), self._rows())

    @property
    def _groups(self) -> list[str]:
        return [name for dimension in self.by for name in FIELDS_OF[dimension]]

    @property
    def _currencies(self) -> list[str]:
        return sorted({_CURRENCY}.union(*(row.cost for row in self.rows)))

    def _columns(self) -> dict[str, ColumnType]:
        columns: dict[str, ColumnType] = {name: "date" if name == "day" else "text" for name in self._groups}
        columns |= dict.fromkeys(_NUMBERS, "number")
        return columns | {f"cost_{currency}": "number" for currency in self._currencies}

    def _rows(self) -> Iterator[tuple[object, ...]]:
        names = (*self._groups, *_NUMBERS)
        currencies = self._currencies
        for row in self.rows:
            values = (getattr(row, name) for name in names)
            yield *values, *(row.cost.get(currency) for currency in currencies)
