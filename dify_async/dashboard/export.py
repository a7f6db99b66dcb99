"""Export a dashboard as rows, columns, CSV, JSON or a data frame."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from dify_async import _checks
from dify_async.errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .models import Dashboard, Series
    from .period import Period

_COLUMNS: Final = ("app_id", "app_name", "mode", "metric", "date", "value")
Backend = Literal["pandas", "polars", "pyarrow"]
# Spreadsheets evaluate cells that begin with these, by OWASP's list; Excel accepts the wide forms too.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - intended


def rows(dashboard: Dashboard) -> Iterator[dict[str, object]]:
    """One dict per number."""
    for row in _tuples(dashboard):
        yield dict(zip(_COLUMNS, row, strict=True))


def columns(dashboard: Dashboard) -> dict[str, list[object]]:
    """One list per column."""
    table: dict[str, list[object]] = {column: [] for column in _COLUMNS}
    for row in _tuples(dashboard):
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
    return table


def write_csv(dashboard: Dashboard, path: Path) -> None:
    """Write the rows to a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for *texts, day, value in _tuples(dashboard):
            writer.writerow([*map(_no_formula, texts), day, _plain(value)])


def to_json(dashboard: Dashboard) -> str:
    """The whole dashboard as JSON."""
    before = dashboard.previous_period
    body = {
        "period": _period(dashboard.period),
        "previous_period": None if before is None else _period(before),
        "days": dashboard.period.days,
        "apps": [
            {
                "app_id": app.app_id,
                "app_name": app.app_name,
                "mode": app.mode,
                "series": _series(app.series),
                "errors": {metric: str(error) for metric, error in app.errors.items()},
            }
            for app in dashboard.apps
        ],
        "totals": _series(dashboard.totals),
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, default=_plain)


def to_native(dashboard: Dashboard, backend: Backend) -> Any:
    """A data frame of another library."""
    _checks.one_of("backend", backend, get_args(Backend))
    table = columns(dashboard)
    table["value"] = [None if value is None else float(value) for value in table["value"]]  # type: ignore[arg-type]  # they are numbers
    try:
        import narwhals as nw  # noqa: PLC0415 - an optional dependency

        text = dict.fromkeys(_COLUMNS[:4], nw.String())
        schema = {**text, "date": nw.Datetime() if backend == "pandas" else nw.Date(), "value": nw.Float64()}
        return nw.from_dict(table, schema, backend=backend).to_native()
    except ImportError as error:
        raise DifyConfigError(
            f"to_native() needs more packages: {error}. Install dify-async[dataframes] and {backend}"
        ) from None


def _tuples(dashboard: Dashboard) -> Iterator[tuple[object, ...]]:
    for app in dashboard.apps:
        for name, series in app.series.items():
            for day, value in zip(dashboard.period.days, series.values, strict=True):
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
