"""OpenTelemetry spans and metrics from events. Requires the extra `dify-async[otel]`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from . import __version__
from .events import RequestAnswered, RequestFailed, RequestRetried, SessionRefreshed, StoreDown

try:
    from opentelemetry.metrics import get_meter
    from opentelemetry.trace import SpanKind, StatusCode, get_tracer, set_span_in_context
except ImportError as _error:
    raise ImportError("dify_async.otel requires opentelemetry-api: pip install dify-async[otel]") from _error

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from .events import Event, RequestEvent

# The first version with everything that is used here; later versions keep it.
_CONVENTIONS: Final = "https://opentelemetry.io/schemas/1.26.0"
# The buckets that the conventions recommend for http.client.request.duration, in seconds.
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class OpenTelemetryEvents:
    """One span per request attempt, and metrics. Pass an instance to a client as `on_event`.

    Each span is a child of the span that is current when the call is made. A login or a refresh is
    shared by all waiting calls; its spans are children of the call that started it. Names and
    attributes follow the semantic conventions for HTTP clients, with the route below /console/api as
    `url.template`. `url.full` is not set, because it would contain ids and query strings.

    Metrics: `http.client.request.duration`, and the counters `dify_async.retries`, `dify_async.logins`,
    `dify_async.token.refreshes` and `dify_async.token_store.outages`.

    One instance can serve any number of clients. No trace context is sent to the server.

    Args:
        tracer_provider: The provider of the tracer; by default the global one.
        meter_provider: The provider of the meter; by default the global one.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = get_tracer("dify_async", __version__, tracer_provider, _CONVENTIONS)
        meter = get_meter("dify_async", __version__, meter_provider, _CONVENTIONS)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._retries = meter.create_counter(
            "dify_async.retries", "{retry}", "Requests that are retried after a failure."
        )
        self._logins = meter.create_counter(
            "dify_async.logins", "{login}", "Logins that the server accepted."
        )
        self._refreshes = meter.create_counter(
            "dify_async.token.refreshes", "{refresh}", "Sessions refreshed with a refresh token."
        )
        self._outages = meter.create_counter(
            "dify_async.token_store.outages", "{outage}", "Outages of the token store."
        )

    def __call__(self, event: Event) -> None:
        """Record an event."""
        match event:
            case RequestAnswered() | RequestFailed():
                self._ended(event)
            case RequestRetried():
                self._retries.add(1, _attributes(event))
            case SessionRefreshed(method="refresh_token"):
                self._refreshes.add(1)
            case SessionRefreshed():
                self._logins.add(1, {"dify_async.login.method": event.method})
            case StoreDown():
                self._outages.add(1, {"error.type": event.error})

    def _ended(self, event: RequestAnswered | RequestFailed) -> None:
        """Create the span when the request is over: no span stays open, and samplers see every attribute."""
        end = time.time_ns()
        attributes = _attributes(event)
        if isinstance(event, RequestFailed):
            attributes["error.type"] = event.error
        else:
            attributes["http.response.status_code"] = event.status
            if event.status >= 400:
                attributes["error.type"] = str(event.status)
        resends = event.attempt - 1
        span = self._tracer.start_span(
            f"{event.method} {event.route}",
            kind=SpanKind.CLIENT,
            attributes={**attributes, "http.request.resend_count": resends} if resends else attributes,
            start_time=end - round(event.seconds * 1e9),
        )
        if "error.type" in attributes:
            span.set_status(StatusCode.ERROR)
        span.end(end)
        # In the context of the span, for exemplars.
        self._duration.record(event.seconds, attributes, set_span_in_context(span))


def _attributes(event: RequestEvent) -> dict[str, str | int]:
    return {
        "http.request.method": event.method,
        "url.template": event.route,
        "server.address": event.host,
        "server.port": event.port,
    }
