"""The statistics of one app."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, structs

from dify_async._tables import columns_of
from dify_async._times import When, begins_day, check_times, wall_clock
from dify_async.errors import DifyError
from dify_async.models import (
    AverageResponseTime,
    AverageSessionInteractions,
    DailyConversations,
    DailyEndUsers,
    DailyMessages,
    TokenCosts,
    TokensPerSecond,
    UserSatisfactionRate,
    WorkflowDailyRuns,
    WorkflowTokenCosts,
)
from dify_async.models.base import ShortRepr
from dify_async.models.serialization import Serializable

from .metrics import Metric, money_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dify_async._tables import ColumnType

    from .metrics import Row, Value

COLUMNS: Final[Mapping[str, ColumnType]] = {
    "app_id": "text",
    "app_name": "text",
    "mode": "text",
    "metric": "text",
    "date": "date",
    "value": "number",
    "unit": "text",
}
_ONE_DAY: Final = timedelta(days=1)


class AppStatistics(ShortRepr, Serializable, Struct, kw_only=True):
    """The statistics of one app. Each statistic is a list of rows, sorted by day.

    A statistic is None if it was not requested, does not apply to the app's mode, or failed. If it failed,
    `errors` contains the reason.

    Attributes:
        app_id: The app's id.
        app_name: The app's name; "" if the app could not be fetched.
        mode: The app's mode; "" if the app could not be fetched.
        errors: The errors by metric, for the metrics that failed.
    """

    app_id: str
    app_name: str = ""
    mode: str = ""
    daily_conversations: list[DailyConversations] | None = None
    daily_end_users: list[DailyEndUsers] | None = None
    average_session_interactions: list[AverageSessionInteractions] | None = None
    tokens_per_second: list[TokensPerSecond] | None = None
    user_satisfaction_rate: list[UserSatisfactionRate] | None = None
    token_costs: list[TokenCosts] | None = None
    daily_messages: list[DailyMessages] | None = None
    average_response_time: list[AverageResponseTime] | None = None
    workflow_daily_runs: list[WorkflowDailyRuns] | None = None
    workflow_daily_end_users: list[DailyEndUsers] | None = None
    workflow_token_costs: list[WorkflowTokenCosts] | None = None
    workflow_average_interactions: list[AverageSessionInteractions] | None = None
    errors: dict[Metric, DifyError] = {}

    def rows(self, metric: Metric) -> Sequence[Row] | None:
        """The rows of one statistic, or None."""
        rows: Sequence[Row] | None = getattr(self, metric)
        return rows

    def filled(self, start: When, end: When) -> AppStatistics:
        """Return a copy with one row per day in the range; days without traffic have zeros.

        Averages are also 0 on days without traffic.

        Args:
            start: The first day.
            end: The day after the last day. If `end` is a time within a day, that day is included.

        Raises:
            DifyConfigError: A bound is invalid or is an aware datetime.
        """
        check_times(start=start, end=end)
        days = list(days_of(start, end))
        currency = next((row.currency for row in self.token_costs or ()), None)
        filled: dict[str, list[Row]] = {}
        for metric in Metric:
            rows = self.rows(metric)
            if rows is not None:
                by_day = {row.date: row for row in rows}
                filled[metric] = [by_day.get(day) or _zero_row(metric, day, currency) for day in days]
        return structs.replace(self, **filled)

    def to_rows(self) -> list[dict[str, object]]:
        """One dict per number, with the keys app_id, app_name, mode, metric, date, value and unit.

        The metric "token_costs" contains the number of tokens. Their price is in a separate metric,
        `token_costs_<currency>`, with the currency as its unit.
        """
        return [dict(zip(COLUMNS, row, strict=True)) for row in self._rows()]

    def to_columns(self) -> dict[str, list[object]]:
        """One list per column, as for a data frame: app_id, app_name, mode, metric, date, value and unit."""
        return columns_of(COLUMNS, self._rows())

    def __rich_repr__(self) -> list[tuple[str, object]]:
        rows = [self.rows(metric) for metric in Metric]
        return [
            ("app_name", self.app_name),
            ("app_id", self.app_id),
            ("mode", self.mode),
            ("metrics", sum(one is not None for one in rows)),
            ("errors", len(self.errors)),
        ]

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for metric in Metric:
            for row in self.rows(metric) or ():
                for name, value, unit in _values_of(metric, row):
                    yield self.app_id, self.app_name, self.mode, name, row.date, value, unit


def days_of(start: When, end: When) -> Iterator[date]:
    """Every day in the range; `end` is exclusive."""
    first, last = wall_clock(start), wall_clock(end)
    day = first.date()
    while day < last.date() or (day == last.date() and not begins_day(last)):
        yield day
        day += _ONE_DAY


def money_of(row: TokenCosts) -> Sequence[tuple[str, Decimal | None]]:
    """The currency and the price; "XXX" (ISO 4217) if there is no currency."""
    if row.currency is None and row.total_price is None:
        return ()
    return ((row.currency or "XXX", row.total_price),)


def _zero_row(metric: Metric, day: date, currency: str | None) -> Row:
    if metric is Metric.TOKEN_COSTS:
        return TokenCosts(day, 0, Decimal(0), currency)
    row_type: Callable[..., Any] = metric.row_type
    row: Row = row_type(day, 0.0 if metric.measure.kind == "average" else 0)
    return row


def _values_of(metric: Metric, row: Row) -> Iterator[tuple[str, Value, str]]:
    """The numbers of a row, each with the name of its metric and its unit."""
    # The first field of every row is the date, the second is the number.
    yield str(metric), getattr(row, row.__struct_fields__[1]), metric.measure.unit
    if isinstance(row, TokenCosts):
        for currency, price in money_of(row):
            yield money_name(currency), price, currency
