"""The numbers of one app."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Final

from msgspec import Struct

from dify_async.errors import DifyError
from dify_async.statistics.metrics import Metric, Value

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
