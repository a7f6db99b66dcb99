"""The numbers of one app."""

from __future__ import annotations

from collections.abc import Mapping

from dify_async import _checks
from dify_async.errors import DifyError
from dify_async.models.base import DifyModel, ShortRepr
from dify_async.models.serialization import plain
from dify_async.statistics.metrics import Metric, Value, measure_of_money


class Change(DifyModel, frozen=True):
    """The change of a total over complete days since the previous period.

    Attributes:
        absolute: The new total minus the old one; None if either is not known.
        relative: The change divided by the old total, 0.25 for +25 %; None if the old total is zero.
    """

    absolute: Value
    relative: float | None


class Series(DifyModel, frozen=True, kw_only=True):
    """One number for each day of the period.

    Attributes:
        name: The key in `AppDashboard.series`.
        unit: What is counted, such as "messages"; for money, the currency, such as "USD".
        values: One value per day of `Period.days`. On a day without traffic, counts and money are zero,
            and averages and rates None. Money is None on a day without a known price.
        total: The total over all days. Counts and money are exact sums; a conversation counts on each day on
            which it has messages. Averages are weighted: response time and satisfaction by messages, runs
            per user by users, and tokens per second by the model's time. They are as exact as the server's
            rounding of each day. Satisfaction over several days or apps is an estimate if a message was
            liked by its user and by an administrator, since Dify counts that message twice.
            None if there is no traffic, if the weight of an average was not requested or failed, or if the
            server does not report what the total needs. The server reports too little for messages per
            conversation, for users over several days, and for tokens per second, unless all apps are
            completion apps and the model's time is known for each day.
        previous: The series of the previous period, with `compare=True`.
        change: The change since the previous period, over complete days. It leaves out today, later days
            and their counterparts in the previous period, while `total` includes them. None if no day of
            the period is complete, or without `compare=True`.
    """

    name: str
    unit: str
    values: tuple[Value, ...]
    total: Value
    previous: Series | None = None
    change: Change | None = None

    def to_dict(self) -> dict[str, object]:
        """The unit, the values and the total, and with `compare=True` also `previous` and `change`."""
        # The name is left out, because it is the key of this dict in that of a dashboard.
        body: dict[str, object] = {
            "unit": self.unit,
            "values": plain(self.values),
            "total": plain(self.total),
        }
        if self.previous is not None:
            body["previous"] = self.previous.to_dict()
            body["change"] = plain(self.change)
        return body


class SeriesByKey(dict[str, Series]):
    """Series by name, or costs by currency; a wrong key gets a suggestion."""

    def __missing__(self, key: str) -> Series:
        hint = _checks.suggestion(key, self) or f"there are: {', '.join(self) or 'none'}"
        raise KeyError(f"no series {_checks.shown(key)}; {hint}")


def costs_of(series: Mapping[str, Series]) -> SeriesByKey:
    """The series of money, by currency."""
    return SeriesByKey({one.unit: one for name, one in series.items() if measure_of_money(name)})


class AppError(DifyModel, frozen=True, kw_only=True):
    """The error of one metric of an app.

    Attributes:
        metric: The metric that failed.
        error: Why it failed.
    """

    app_id: str
    app_name: str
    metric: Metric
    error: DifyError


class AppDashboard(ShortRepr, DifyModel, frozen=True, kw_only=True):
    """The numbers of one app.

    Attributes:
        app_id: The app's id.
        app_name: The app's name; "" if the app could not be fetched.
        mode: The app's mode; "" if the app could not be fetched.
        series: By name: the metrics that apply to the mode ("daily_messages", …; "token_costs" has the
            tokens), "rate_percent" (the satisfaction rate in percent; the server reports likes per 1000
            messages), "tokens", and `costs` ("token_costs_USD", one per currency). Each use of an
            advanced-chat app counts as a message and as a run, so the two are never added: "tokens" are
            those of the runs for mode workflow, and those of the messages for all other modes.
        errors: The error of each metric that failed, which has no series.
    """

    app_id: str
    app_name: str
    mode: str
    series: Mapping[str, Series]
    errors: Mapping[Metric, DifyError]

    @property
    def costs(self) -> Mapping[str, Series]:
        """The series of money by currency, such as `costs["USD"]`; empty if the app has no token costs."""
        return costs_of(self.series)

    def to_dict(self) -> dict[str, object]:
        """The fields and `costs` as plain Python values; errors are their texts."""
        fields = super().to_dict()
        return {**fields, "costs": plain(self.costs)}

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [
            ("app_name", self.app_name),
            ("app_id", self.app_id),
            ("mode", self.mode),
            ("series", len(self.series)),
            ("errors", len(self.errors)),
        ]
