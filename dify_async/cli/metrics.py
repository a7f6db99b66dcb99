"""A dashboard as Prometheus metrics. All are gauges: days restart at midnight, and 30 days slide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dify_async.dashboard import Series, Snapshot

_MAX_NAME_LENGTH: Final = 100


class Gauge(NamedTuple):
    """How a series is exported: in base units, by the conventions of Prometheus."""

    name: str
    help: str
    factor: float = 1


_GAUGES: Final = {
    "daily_messages": Gauge("messages", "Messages"),
    "daily_conversations": Gauge("conversations", "Conversations with messages, counted on each day"),
    "daily_end_users": Gauge("end_users", "End users with messages"),
    "workflow_daily_runs": Gauge("workflow_runs", "Workflow runs"),
    "workflow_daily_end_users": Gauge("workflow_end_users", "Users with workflow runs"),
    "tokens": Gauge("tokens", "Tokens of messages; for workflow apps, of runs"),
    "user_satisfaction_rate": Gauge("satisfaction_ratio", "Likes per message", 1 / 1000),
    "average_session_interactions": Gauge("conversation_length", "Average messages per conversation"),
    "average_response_time": Gauge("response_seconds", "Average response time", 1 / 1000),
    "tokens_per_second": Gauge("answer_tokens_per_second", "Answer tokens per second of the model's time"),
}
_COST: Final = Gauge("cost", "Price of the tokens, in the currency of the label")
# Not "last_30_days": by the conventions of Prometheus, a name has no other unit than its base unit.
_SPANS: Final = {"today": "of today", "yesterday": "of yesterday", "month": "of the last 30 days"}


class DashboardCollector(Collector):
    """The metrics of a snapshot of the last 30 days; only dify_up before the first refresh.

    Args:
        snapshot: The latest snapshot.
        reason: Why the last refresh failed; "" if it succeeded.
    """

    def __init__(self, snapshot: Snapshot | None, reason: str) -> None:
        self._snapshot = snapshot
        self._reason = reason

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metric families."""
        up = GaugeMetricFamily(
            "dify_up", "Whether the last refresh succeeded; if not, `reason` is the error", labels=("reason",)
        )
        # To Prometheus, an empty label is the same as a missing one.
        up.add_metric((self._reason,), not self._reason)
        yield up
        snapshot = self._snapshot
        if snapshot is None:
            return
        yield GaugeMetricFamily("dify_data_age_seconds", "Time since the dashboard was fetched", snapshot.age)
        info = GaugeMetricFamily("dify_app_info", "The apps", labels=("app_id", "app_name", "mode"))
        errors = GaugeMetricFamily("dify_app_errors", "Statistics of the app that failed", labels=("app_id",))
        families = _families()
        for app in snapshot.dashboard.apps:
            info.add_metric((app.app_id, app.app_name[:_MAX_NAME_LENGTH], app.mode), 1)
            errors.add_metric((app.app_id,), len(app.errors))
            for name, gauge in _GAUGES.items():
                if name in app.series:
                    _add(families, gauge, (app.app_id,), app.series[name])
            for currency, series in app.costs.items():
                _add(families, _COST, (app.app_id, currency), series)
        yield from (info, errors, *families.values())


def _families() -> dict[str, GaugeMetricFamily]:
    """A family for each metric by its name, exported even without samples."""
    return {
        name: GaugeMetricFamily(
            name, f"{gauge.help}, {words}", labels=("app_id", *(["currency"] if gauge is _COST else []))
        )
        for span, words in _SPANS.items()
        for gauge in (*_GAUGES.values(), _COST)
        for name in [f"dify_app_{span}_{gauge.name}"]
    }


def _add(families: dict[str, GaugeMetricFamily], gauge: Gauge, labels: Sequence[str], series: Series) -> None:
    for span, value in zip(_SPANS, (series.values[-1], series.values[-2], series.total), strict=True):
        # Without traffic, an average has no value: 0 would be wrong.
        if value is not None:
            families[f"dify_app_{span}_{gauge.name}"].add_metric(labels, float(value) * gauge.factor)
