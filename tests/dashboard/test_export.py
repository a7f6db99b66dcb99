"""Export of a dashboard as rows, columns, CSV, JSON and data frames."""

from __future__ import annotations

import asyncio
import builtins
import csv
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockingError

from dify_async import AsyncDifyServer, Dashboard, DifyConfigError
from dify_async.testing import FakeDifyServer
from tests.support import JSON, an_app

from .conftest import END, START
from .numbers import answer
from .test_partial import NAMES

COLUMNS = ["app_id", "app_name", "mode", "metric", "date", "value", "unit"]


@pytest.fixture
async def dashboard(fake: FakeDifyServer, dify: AsyncDifyServer) -> Dashboard:
    costs = answer(
        {"date": "2026-10-01", "token_count": 10**20, "total_price": "0E-7", "currency": "USD"},
        {"date": "2026-10-02", "token_count": 5, "total_price": "0.0000012", "currency": "USD"},
    )
    fake.inject(f"/apps/{an_app(fake)}/statistics/token-costs", body=costs, headers=JSON)
    fake.inject(f"/apps/{an_app(fake)}/statistics/daily-messages", status=500)
    for name in NAMES:
        fake.add_app(name, "chat", messages_per_day=1)
    return await dify.dashboard(START, END, compare=True)


async def test_rows_and_columns_are_tidy(dashboard: Dashboard) -> None:
    rows, columns = dashboard.to_rows(), dashboard.to_columns()
    assert len(rows) == sum(30 * len(app.series) for app in dashboard.apps)
    assert list(columns) == COLUMNS
    assert [list(row) for row in rows[:3]] == [COLUMNS] * 3
    assert {name: [row[name] for row in rows] for name in COLUMNS} == columns
    values = {(row["app_id"], row["metric"], row["date"]): row["value"] for row in rows}
    assert len(values) == len(rows)
    for app in dashboard.apps:
        for name, series in app.series.items():
            for day, value in zip(dashboard.period.days, series.values, strict=True):
                assert values[app.app_id, name, day] == value
    units = {(row["metric"], row["unit"]) for row in rows}
    assert units == {(name, series.unit) for name, series in dashboard.totals.items()}
    assert {("token_costs", "tokens"), ("token_costs_USD", "USD")} <= units


async def test_csv_reads_back(dashboard: Dashboard, tmp_path: Path) -> None:
    path = tmp_path / "dashboard.csv"
    await asyncio.to_thread(dashboard.to_csv, path)
    with path.open(encoding="utf-8", newline="") as file:
        heading, *lines = csv.reader(file)
    assert heading == COLUMNS
    rows = dashboard.to_rows()
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert line[0] == row["app_id"]
        assert line[1].removeprefix("'") == row["app_name"]
        assert date.fromisoformat(line[4]) == row["date"]
        value = row["value"]
        assert line[5] == "" if value is None else Decimal(line[5]) == Decimal(str(value))
        assert "E" not in line[5] or isinstance(value, float)
    await asyncio.to_thread(dashboard.to_csv, str(path))


@pytest.mark.parametrize(
    ("options", "start"), [({}, b"app_id"), ({"encoding": "utf-8-sig"}, b"\xef\xbb\xbfapp_id")]
)
async def test_csv_for_excel(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path, options: dict[str, Any], start: bytes
) -> None:
    """Without a byte order mark, Excel reads Chinese names in the encoding of the system.

    sqlpage#528, MyExpenses#1432, django-import-export PR 1515, ihatemoney PR 1288.
    """
    app = fake.add_app("\u5ba2\u670d\u673a\u5668\u4eba", "chat", messages_per_day=1)
    dashboard = await dify.dashboard(START, END, apps=[app.id], metrics=["daily_messages"])
    await asyncio.to_thread(dashboard.to_csv, tmp_path / "x.csv", **options)
    written = (tmp_path / "x.csv").read_bytes()
    assert written.startswith(start)
    assert app.name in written.decode(**options)


@pytest.mark.parametrize("encoding", ["utf8-excel", "base64", None])
async def test_unknown_encodings(dashboard: Dashboard, tmp_path: Path, encoding: Any) -> None:
    (tmp_path / "x.csv").write_text("old")
    with pytest.raises(DifyConfigError, match="encoding must be a text encoding"):
        dashboard.to_csv(tmp_path / "x.csv", encoding)
    assert (tmp_path / "x.csv").read_text() == "old"


async def test_writing_csv_blocks(dashboard: Dashboard, tmp_path: Path) -> None:
    """The blocking-call check of the tests detects it."""
    with pytest.raises(BlockingError):
        dashboard.to_csv(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("'quoted'", "'quoted'"),
        ("", ""),
    ],
)
async def test_csv_has_no_formulas(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path, name: str, written: str
) -> None:
    """OWASP, CSV injection: anyone may name an app."""
    app = fake.add_app(name, "chat", messages_per_day=1)
    dashboard = await dify.dashboard(START, END, apps=[app.id], metrics=["daily_messages"])
    await asyncio.to_thread(dashboard.to_csv, tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        assert {line["app_name"] for line in csv.DictReader(file)} == {written}
    assert {row["app_name"] for row in dashboard.to_rows()} == {name}


async def test_json_is_complete(dashboard: Dashboard) -> None:
    body = json.loads(dashboard.to_json())
    assert body["period"] == {
        "start": "2026-10-01T00:00:00-04:00",
        "end": "2026-10-31T00:00:00-04:00",
        "zone": "America/New_York",
        "today": dashboard.period.today.isoformat(),
        "is_open": dashboard.period.is_open,
    }
    assert datetime.fromisoformat(body["previous_period"]["end"]) == dashboard.period.start
    assert body["days"] == [day.isoformat() for day in dashboard.period.days]
    assert [app["app_name"] for app in body["apps"]] == [app.app_name for app in dashboard.apps]
    failed = next(app for app in body["apps"] if app["errors"])
    assert list(failed["errors"]) == ["daily_messages"]
    assert "500" in failed["errors"]["daily_messages"]
    # Money is exact text; a count of 21 digits is a JSON number.
    assert failed["series"]["token_costs_USD"]["values"][:2] == ["0.0000000", "0.0000012"]
    assert failed["series"]["token_costs"]["values"][0] == 10**20
    for name, series in dashboard.totals.items():
        found = body["totals"][name]
        assert found["unit"] == series.unit
        total = Decimal(found["total"]) if isinstance(series.total, Decimal) else found["total"]
        assert total == series.total
        assert len(found["previous"]["values"]) == 30
        assert series.change is not None
        assert found["change"]["relative"] == series.change.relative
    assert body["costs"] == {"USD": body["totals"]["token_costs_USD"]}
    assert failed["costs"] == {"USD": failed["series"]["token_costs_USD"]}
    assert body == dashboard.to_dict()


async def test_costs_by_currency(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    costs = answer(
        {"date": "2026-10-01", "token_count": 7, "total_price": "0.5", "currency": "EUR"},
        {"date": "2026-10-02", "token_count": 5, "total_price": "0.2", "currency": None},
    )
    fake.inject(f"/apps/{an_app(fake)}/statistics/token-costs", body=costs, headers=JSON)
    dashboard = await dify.dashboard(START, END, metrics=["token_costs", "workflow_daily_runs"])
    assert list(dashboard.costs) == ["EUR", "USD", "XXX"]
    for currency, series in dashboard.costs.items():
        assert series is dashboard.totals[f"token_costs_{currency}"]
        assert series.unit == currency
    assert dashboard.costs["EUR"].total == Decimal("0.5")
    by_id = {app.app_id: app for app in dashboard.apps}
    assert {currency: one.total for currency, one in by_id[an_app(fake)].costs.items()} == {
        "EUR": Decimal("0.5"),
        "XXX": Decimal("0.2"),
    }
    assert by_id[an_app(fake, "workflow")].costs == {}
    # "token_costs" has the tokens.
    assert by_id[an_app(fake)].series["token_costs"].total == 12


async def test_names_of_series_are_plain_strings(dashboard: Dashboard) -> None:
    names = [*dashboard.totals, *(row["metric"] for row in dashboard.to_rows())]
    names += [
        name for app in dashboard.apps for key, series in app.series.items() for name in (key, series.name)
    ]
    assert {type(name) for name in names} == {str}


async def test_unknown_series_have_a_suggestion(dashboard: Dashboard) -> None:
    app = dashboard.apps[0]
    for series, name, hint in (
        (dashboard.totals, "token_cost", "did you mean 'token_costs'?"),
        (app.series, "daily_message", "did you mean 'daily_messages'?"),
        (dashboard.costs, "EUR", "there are: USD"),
        (app.costs, "usd", "there are: USD"),
    ):
        with pytest.raises(KeyError) as unknown:
            series[name]
        assert unknown.value.args == (f"no series {name!r}; {hint}",)
        assert series.get(name) is None
        assert name not in series


async def test_reprs_are_one_short_line(dashboard: Dashboard) -> None:
    app = next(app for app in dashboard.apps if app.errors)
    assert repr(dashboard) == (
        "Dashboard(period=Period(start='2026-10-01 00:00', end='2026-10-31 00:00', zone='America/New_York',"
        f" is_open={dashboard.period.is_open}), apps={len(dashboard.apps)}, totals={len(dashboard.totals)},"
        " errors=1)"
    )
    assert repr(app) == (
        f"AppDashboard(app_name={app.app_name!r}, app_id={app.app_id!r}, mode='chat',"
        f" series={len(app.series)}, errors=1)"
    )


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
async def test_data_frames(dashboard: Dashboard, backend: Any) -> None:
    nw = pytest.importorskip("narwhals")
    library = pytest.importorskip(backend)
    native = dashboard.to_native(backend)
    assert type(native).__module__.partition(".")[0] in {backend, library.__name__}
    frame = nw.from_native(native)
    assert frame.columns == COLUMNS
    rows = dashboard.to_rows()
    assert frame.shape == (len(rows), 7)
    for name in (*COLUMNS[:4], "unit"):
        assert frame[name].to_list() == [row[name] for row in rows]
    days = [day.date() if isinstance(day, datetime) else day for day in frame["date"].to_list()]
    assert days == [row["date"] for row in rows]
    for found, row in zip(frame["value"].to_list(), rows, strict=True):
        missing = found is None or found != found  # noqa: PLR0124 - pandas says nan
        assert missing if row["value"] is None else found == float(row["value"])  # type: ignore[arg-type]


async def test_an_empty_data_frame(dashboard: Dashboard) -> None:
    pytest.importorskip("polars")
    empty = Dashboard(period=dashboard.period, previous_period=None, apps=[], totals={})
    assert empty.to_native("polars").columns == COLUMNS
    assert empty.to_rows() == []


async def test_missing_libraries(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DifyConfigError, match="pandas, polars, pyarrow"):
        dashboard.to_native("excel")  # type: ignore[arg-type]
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "narwhals":
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DifyConfigError, match=r"dify-async\[dataframes\]"):
        dashboard.to_native("polars")
