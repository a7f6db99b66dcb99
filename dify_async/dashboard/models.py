"""What a dashboard holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from dify_async.errors import DifyError
from dify_async.statistics.results import Metric, Value

from . import export
from .period import Period

if TYPE_CHECKING:
    from .export import Backend

# Money of any size adds up exactly, whatever the context of the thread is.
EXACT: Final = Context(prec=200)


class Change(Struct, frozen=True):
    """How a total differs from that of the previous period.

    Attributes:
        absolute: New less old; None where one of them is not known.
        relative: The same as a share of the old one, 0.25 for 25 % more; None where that is zero.
    """

    absolute: Value
    relative: float | None


class Series(Struct, frozen=True, kw_only=True):
    """One number, for each day of the period.

    Attributes:
        name: As in `AppDashboard.series`.
        unit: What is counted, as "messages"; the currency, as "USD", for money.
        values: A value a day, as in `Period.days`. On a day without traffic counts and money are
            zero, and averages and rates None. Money is None on a day of which no price is known.
        total: Of all days. Counts and money are exact sums; a conversation counts on each day on
            which it has messages. Averages are weighted, and as exact as the server's rounding of
            each day: the response time by messages, the runs per user by users, the tokens per second
            by the model's time. The satisfaction is weighted by messages, and is not exact over
            several days or apps if a message was liked twice (by its user and by an administrator):
            Dify counts such a message twice, and does not report how many there are.
            None if there is no traffic, or if the server does not report what a total needs: messages
            per conversation (how many began on a day), tokens per second of modes other than
            completion (the model's time), tokens per second with a day on which that time is 0 (Dify
            reports 0 for it, however many tokens there were), users of several days (they come
            again), and any average whose weighing metric was not asked for or failed.
        previous: The same of the previous period, with `compare=True`.
    """

    name: str
    unit: str
    values: tuple[Value, ...]
    total: Value
    previous: Series | None = None

    @property
    def change(self) -> Change | None:
        """How the total differs from that of the previous period; None where it was not asked for."""
        if self.previous is None:
            return None
        new, old = self.total, self.previous.total
        if new is None or old is None:
            return Change(None, None)
        # Both are of one kind: counts, money of one currency, or averages.
        if isinstance(new, Decimal):
            exact = EXACT.subtract(new, Decimal(old))
            return Change(exact, float(exact) / float(old) if old else None)
        absolute = new - float(old) if isinstance(new, float) else new - int(old)
        return Change(absolute, absolute / float(old) if old else None)


class AppError(Struct, frozen=True, kw_only=True):
    """What failed, and for which app."""

    app_id: str
    app_name: str
    metric: Metric
    error: DifyError


class AppDashboard(Struct, frozen=True, kw_only=True):
    """The numbers of one app.

    Attributes:
        app_id: The app.
        app_name: Its name; "" where the app itself could not be got.
        mode: Its mode; "" likewise.
        series: By name: the metrics that apply to the mode ("daily_messages", …, "token_costs" being
            tokens), money by currency ("token_costs_USD"), "rate_percent" (the satisfaction, which
            the server gives per mille), and "tokens". What an advanced-chat app does stands both in
            its messages and in its runs, so that the two are never added: "tokens" are those of the
            messages, and of the runs for the mode workflow.
        errors: What failed, by metric; it has no series then.
    """

    app_id: str
    app_name: str
    mode: str
    series: Mapping[str, Series]
    errors: Mapping[Metric, DifyError]


class Dashboard(Struct, frozen=True, kw_only=True):
    """The numbers of all apps for a range of days.

    Attributes:
        period: The range that was asked for, and the account's time zone.
        previous_period: The range that it is compared with; None without `compare=True`.
        apps: In the order of the list; an app that failed keeps its place, with its `errors`.
        totals: All apps together, by the names of `AppDashboard.series`; averages by weight, as in
            `Series.total`. An app that failed is in none. Somebody who uses two apps is an end user
            of each.
    """

    period: Period
    previous_period: Period | None
    apps: Sequence[AppDashboard]
    totals: Mapping[str, Series]

    @property
    def errors(self) -> list[AppError]:
        """What failed, app by app."""
        return [
            AppError(app_id=app.app_id, app_name=app.app_name, metric=metric, error=error)
            for app in self.apps
            for metric, error in app.errors.items()
        ]

    def to_rows(self) -> list[dict[str, object]]:
        """One dict a number, for each app, series and day: app_id, app_name, mode, metric, date, value."""
        return list(export.rows(self))

    def to_columns(self) -> dict[str, list[object]]:
        """The same as `to_rows`, as one list a column."""
        return export.columns(self)

    def to_csv(self, path: str | Path) -> None:
        """Write the same as `to_rows` to a file in UTF-8, with a heading.

        Money is exact, days are ISO dates, and None is empty. A text that a spreadsheet would run as
        a formula has an apostrophe before it (an app's name is anybody's text); the other exports
        leave it as it is. It writes at once: a service calls it by `asyncio.to_thread`.
        """
        export.write_csv(self, Path(path))

    def to_json(self) -> str:
        """All of it as JSON: money as text without an exponent, days and moments in ISO 8601.

        Keys: period, previous_period, days, apps (app_id, app_name, mode, series, errors) and totals;
        a series has unit, values, total and, where it is compared, previous and change.
        """
        return export.to_json(self)

    def to_native(self, backend: Backend) -> Any:
        """The same as `to_rows`, as a data frame of `backend`: "pandas", "polars" or "pyarrow".

        Values are floats there, money too; `to_rows` and `to_csv` have them exact. It needs
        `dify-async[dataframes]` and the library named.

        Raises:
            DifyConfigError: narwhals or the library is not installed, or is none of the three.
        """
        return export.to_native(self, backend)
