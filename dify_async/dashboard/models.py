"""The numbers of a dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from dify_async.errors import DifyError
from dify_async.statistics.metrics import Metric, Value

from . import export
from .period import Period

if TYPE_CHECKING:
    from .export import Backend

# Sums of money are exact, whatever the decimal context of the thread.
EXACT: Final = Context(prec=200)


class Change(Struct, frozen=True):
    """The change of a total since the previous period.

    Attributes:
        absolute: The new total minus the old one; None if either is not known.
        relative: The change divided by the old total, 0.25 for +25 %; None if the old total is zero.
    """

    absolute: Value
    relative: float | None


class Series(Struct, frozen=True, kw_only=True):
    """One number for each day of the period.

    Attributes:
        name: The key in `AppDashboard.series`.
        unit: What is counted, such as "messages"; for money, the currency, such as "USD".
        values: One value per day of `Period.days`. On a day without traffic, counts and money are zero,
            and averages and rates None. Money is None on a day without a known price.
        total: Over all days. Counts and money are exact sums; a conversation counts on each day with
            messages. Averages are weighted, and as exact as the server's rounding of each day: response
            time by messages, runs per user by users, tokens per second by the model's time. The
            satisfaction rate is weighted by messages. It is not exact over several days or apps if a
            message was liked twice (by its user and by an administrator): Dify counts that message twice,
            and does not report how many there are.
            None if there is no traffic, or if the server does not report what the total needs: messages
            per conversation (conversations begun per day), tokens per second of modes other than
            completion (the model's time), tokens per second with a day on which that time is 0 (Dify
            reports 0 for any number of tokens), users of several days (the same users come again), and
            any average whose weight was not requested or failed.
        previous: The series of the previous period, with `compare=True`.
    """

    name: str
    unit: str
    values: tuple[Value, ...]
    total: Value
    previous: Series | None = None

    @property
    def change(self) -> Change | None:
        """The change of the total since the previous period; None without `compare=True`."""
        if self.previous is None:
            return None
        new, old = self.total, self.previous.total
        if new is None or old is None:
            return Change(None, None)
        # Both are counts, money of one currency, or averages.
        if isinstance(new, Decimal):
            exact = EXACT.subtract(new, Decimal(old))
            return Change(exact, float(exact) / float(old) if old else None)
        absolute = new - float(old) if isinstance(new, float) else new - int(old)
        return Change(absolute, absolute / float(old) if old else None)


class AppError(Struct, frozen=True, kw_only=True):
    """A metric that failed, with its app and its error."""

    app_id: str
    app_name: str
    metric: Metric
    error: DifyError


class AppDashboard(Struct, frozen=True, kw_only=True):
    """The numbers of one app.

    Attributes:
        app_id: The app's id.
        app_name: The app's name; "" if the app could not be fetched.
        mode: The app's mode; "" if the app could not be fetched.
        series: By name: the metrics that apply to the mode ("daily_messages", …; "token_costs" has the
            tokens), money by currency ("token_costs_USD"), "rate_percent" (the satisfaction rate in
            percent; the server reports likes per 1000 messages), and "tokens". Each use of an
            advanced-chat app counts as a message and as a run, so the two are never added: "tokens" are
            those of the runs for mode workflow, and those of the messages for all other modes.
        errors: The error of each metric that failed, which has no series.
    """

    app_id: str
    app_name: str
    mode: str
    series: Mapping[str, Series]
    errors: Mapping[Metric, DifyError]


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
        return list(export.rows(self))

    def to_columns(self) -> dict[str, list[object]]:
        """One list per column: app_id, app_name, mode, metric, date, value."""
        return export.columns(self)

    def to_csv(self, path: str | Path) -> None:
        """Write a CSV file in UTF-8 with the columns app_id, app_name, mode, metric, date, value.

        Money is exact, days are ISO dates, and None is empty. Text that a spreadsheet would evaluate as a
        formula gets an apostrophe in front, since anyone may name an app; the other exports do not
        change it. The call blocks: use `asyncio.to_thread` in a service.
        """
        export.write_csv(self, Path(path))

    def to_json(self) -> str:
        """The whole dashboard as JSON: money as text without an exponent, dates and times in ISO 8601.

        Keys: period, previous_period, days, apps (app_id, app_name, mode, series, errors) and totals.
        Each series has unit, values and total, and with `compare=True` also previous and change.
        """
        return export.to_json(self)

    def to_native(self, backend: Backend) -> Any:
        """A data frame with the columns app_id, app_name, mode, metric, date, value.

        All values are floats, including money; `to_rows` and `to_csv` have exact money.

        Args:
            backend: "pandas", "polars" or "pyarrow".

        Raises:
            DifyConfigError: The backend is invalid; or it, or `dify-async[dataframes]`, is not installed.
        """
        return export.to_native(self, backend)
