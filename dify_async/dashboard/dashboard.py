"""A dashboard: the numbers of all apps, and their export as rows, columns, CSV, JSON or a data frame."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from msgspec import Struct

from dify_async import _checks
from dify_async.errors import DifyConfigError

from .models import AppDashboard, AppError, Series
from .period import Period

if TYPE_CHECKING:
    from collections.abc import Iterator

Backend = Literal["pandas", "polars", "pyarrow"]
_COLUMNS: Final = ("app_id", "app_name", "mode", "metric", "date", "value")
# Spreadsheets evaluate cells that begin with these, by OWASP's list; Excel accepts the wide forms too.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - intended


class Dashboard(Struct, frozen=True, kw_only=True):
    """The numbers of all apps for a range of days.

    Attributes:
        period: The requested range, and the account's time zone.
        previous_period: The range to compare with; None without `compare=True`.
        apps: In the order of the list, including apps that failed.
        totals: All apps together, by the names of `AppDashboard.series`; averages are weighted as in
            `Series.total`. Apps that failed are excluded. A user of two apps counts as an end user of
            each.
    """

    period: Period
    previous_period: Period | None
    apps: Sequence[AppDashboard]
    totals: Mapping[str, Series]

    @property
    def errors(self) -> list[AppError]:
        """The metrics that failed, app by app."""
        return [
            AppError(app_id=app.app_id, app_name=app.app_name, metric=metric, error=error)
            for app in self.apps
            for metric, error in app.errors.items()
        ]

    def to_rows(self) -> list[dict[str, object]]:
        """One dict per app, series and day: app_id, app_name, mode, metric, date, value."""
        return [dict(zip(_COLUMNS, row, strict=True)) for row in self._rows()]

    def to_columns(self) -> dict[str, list[object]]:
        """One list per column: app_id, app_name, mode, metric, date, value."""
        table: dict[str, list[object]] = {column: [] for column in _COLUMNS}
        for row in self._rows():
            for column, value in zip(table.values(), row, strict=True):
                column.append(value)
        return table

    def to_csv(self, path: str | Path) -> None:
        """Write a CSV file in UTF-8 with the columns app_id, app_name, mode, metric, date, value.

        Money is exact, days are ISO dates, and None is empty. Text that a spreadsheet would evaluate as a
        formula gets an apostrophe in front, since anyone may name an app; the other exports do not
        change it. The call blocks: use `asyncio.to_thread` in a service.
        """
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for *texts, day, value in self._rows():
                writer.writerow([*map(_no_formula, texts), day, _plain(value)])

    def to_json(self) -> str:
        """The whole dashboard as JSON: money as text without an exponent, dates and times in ISO 8601.

        Keys: period, previous_period, days, apps (app_id, app_name, mode, series, errors) and totals.
        Each series has unit, values and total, and with `compare=True` also previous and change.
        """
        body = {
            "period": _period(self.period),
            "previous_period": None if self.previous_period is None else _period(self.previous_period),
            "days": self.period.days,
            "apps": [
                {
                    "app_id": app.app_id,
                    "app_name": app.app_name,
                    "mode": app.mode,
                    "series": _series(app.series),
                    "errors": {metric: str(error) for metric, error in app.errors.items()},
                }
                for app in self.apps
            ],
            "totals": _series(self.totals),
        }
        return json.dumps(body, ensure_ascii=False, allow_nan=False, default=_plain)

    def to_native(self, backend: Backend) -> Any:
        """A data frame with the columns app_id, app_name, mode, metric, date, value.

        All values are floats, including money; `to_rows` and `to_csv` have exact money.

        Args:
            backend: "pandas", "polars" or "pyarrow".

        Raises:
            DifyConfigError: The backend is invalid; or it, or `dify-async[dataframes]`, is not installed.
        """
        _checks.one_of("backend", backend, get_args(Backend))
        table = self.to_columns()
        table["value"] = [None if value is None else float(value) for value in table["value"]]  # type: ignore[arg-type]  # they are numbers
        try:
            import narwhals as nw  # noqa: PLC0415 - an optional dependency

            text = dict.fromkeys(_COLUMNS[:4], nw.String())
            schema = {
                **text,
                "date": nw.Datetime() if backend == "pandas" else nw.Date(),
                "value": nw.Float64(),
            }
            return nw.from_dict(table, schema, backend=backend).to_native()
        except ImportError as error:
            raise DifyConfigError(
                f"to_native() needs more packages: {error}. Install dify-async[dataframes] and {backend}"
            ) from None

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for app in self.apps:
            for name, series in app.series.items():
                for day, value in zip(self.period.days, series.values, strict=True):
                    yield app.app_id, app.app_name, app.mode, name, day, value


def _no_formula(text: object) -> object:
    return f"'{text}" if str(text).lstrip(" ").startswith(_FORMULA) else text


def _plain(value: object) -> object:
    """The value, or its text if JSON and CSV have no type for it; Decimal("0E-7") is 0.0000000."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def _period(period: Period) -> dict[str, object]:
    return {"start": period.start, "end": period.end, "zone": period.zone}


def _series(series: Mapping[str, Series]) -> dict[str, object]:
    return {name: _one(one) for name, one in series.items()}


def _one(series: Series) -> dict[str, object]:
    body: dict[str, object] = {"unit": series.unit, "values": series.values, "total": series.total}
    if series.previous is not None and series.change is not None:
        body["previous"] = _one(series.previous)
        body["change"] = {"absolute": series.change.absolute, "relative": series.change.relative}
    return body
