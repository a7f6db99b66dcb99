"""A dashboard: the numbers of all apps, and their export as rows, columns, CSV, JSON or a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dify_async._tables import Backend, columns_of, data_frame, write_csv
from dify_async.models.base import DifyModel, ShortRepr
from dify_async.models.serialization import plain
from dify_async.statistics.results import COLUMNS

from .models import AppDashboard, AppError, Series, costs_of
from .period import Period

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Dashboard(ShortRepr, DifyModel, frozen=True, kw_only=True):
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
    def costs(self) -> Mapping[str, Series]:
        """The money of all apps together by currency, such as `costs["USD"]`; empty without token costs."""
        return costs_of(self.totals)

    @property
    def errors(self) -> list[AppError]:
        """The metrics that failed, app by app."""
        return [
            AppError(app_id=app.app_id, app_name=app.app_name, metric=metric, error=error)
            for app in self.apps
            for metric, error in app.errors.items()
        ]

    def to_rows(self) -> list[dict[str, object]]:
        """One dict per app, series and day: app_id, app_name, mode, metric, date, value, unit.

        The unit of money is its currency.
        """
        return [dict(zip(COLUMNS, row, strict=True)) for row in self._rows()]

    def to_columns(self) -> dict[str, list[object]]:
        """One list per column: app_id, app_name, mode, metric, date, value, unit."""
        return columns_of(COLUMNS, self._rows())

    def to_csv(self, path: str | Path, encoding: str = "utf-8") -> None:
        """Write a CSV file with the columns app_id, app_name, mode, metric, date, value, unit.

        Money is exact, days are ISO dates, and None is empty. Text that a spreadsheet would evaluate as a
        formula gets an apostrophe in front, since anyone may name an app; the other exports do not
        change it. The call blocks: use `asyncio.to_thread` in a service.

        Args:
            path: The file, which is overwritten.
            encoding: "utf-8-sig" for Excel, which reads UTF-8 only if the file begins with a byte order mark.

        Raises:
            DifyConfigError: The encoding is invalid.
        """
        write_csv(path, encoding, COLUMNS, self._rows())

    def to_dict(self) -> dict[str, object]:
        """The whole dashboard as plain Python values, ready for a FastAPI route or `json.dumps`.

        Dates and times are ISO 8601 strings, and money is a string without an exponent, such as "0.0000012".

        Keys: period and previous_period (start, end, zone, today, is_open), days, apps (app_id, app_name,
        mode, series, errors, costs), totals, and costs by currency. Each series has unit, values and
        total, and with `compare=True` also previous and change.
        """
        period = self.period.to_dict()
        days = period.pop("days")
        previous = None
        if self.previous_period is not None:
            previous = self.previous_period.to_dict()
            del previous["days"]
        return {
            "period": period,
            "previous_period": previous,
            "days": days,
            "apps": plain(self.apps),
            "totals": plain(self.totals),
            "costs": plain(self.costs),
        }

    def to_native(self, backend: Backend) -> Any:
        """A data frame with the columns app_id, app_name, mode, metric, date, value, unit.

        All values are floats, including money; `to_rows` and `to_csv` have exact money.

        Args:
            backend: "pandas", "polars" or "pyarrow".

        Raises:
            DifyConfigError: The backend is invalid; or it, or `dify-async[dataframes]`, is not installed.
        """
        return data_frame(backend, COLUMNS, self._rows())

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [
            ("period", self.period),
            ("apps", len(self.apps)),
            ("totals", len(self.totals)),
            ("errors", sum(len(app.errors) for app in self.apps)),
        ]

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for app in self.apps:
            for name, series in app.series.items():
                for day, value in zip(self.period.days, series.values, strict=True):
                    yield app.app_id, app.app_name, app.mode, name, day, value, series.unit
