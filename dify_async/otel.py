"""Spans and metrics of OpenTelemetry, from events. The only importer of opentelemetry, an extra."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from . import __version__
from .events import (
    RequestAnswered,
    RequestFailed,
    RequestRetried,
    SessionRenewed,
    StoreDown,
)

try:
    from opentelemetry.metrics import get_meter
    from opentelemetry.trace import SpanKind, StatusCode, get_tracer, set_span_in_context
except ImportError as _error:
    raise ImportError(
        "dify_async.otel needs the package opentelemetry-api: pip install dify-async[otel]"
    ) from _error

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from .events import Event, RequestEvent

# The first with all that is used here; later ones have kept it.
_CONVENTIONS: Final = "https://opentelemetry.io/schemas/1.26.0"
# As the conventions advise for http.client.request.duration, in seconds.
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class OpenTelemetryEvents:
    """A span for each attempt of a request, and metrics; pass it to a client as `on_event`.

    A span is a child of the one that is current where the call is made; those of a sign-in or a
    renewal, which one call does for all, are children of that call's. Names and attributes are those
    of the conventions for HTTP clients, with the route below /console/api as `url.template`. There is
    no `url.full`, which would hold ids and queries.

    Metrics: `http.client.request.duration`, and the counters `dify_async.retries`, `dify_async.sign_ins`,
    `dify_async.token.renewals` and `dify_async.token_store.outages`.

    One object serves any number of clients. Nothing of the trace is sent along to the server.

    Args:
        tracer_provider: Who makes the spans; by default the global provider.
        meter_provider: Who counts; by default the global provider.
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
            "dify_async.retries", "{retry}", "Requests that are sent again after a failure."
        )
        self._sign_ins = meter.create_counter(
            "dify_async.sign_ins", "{sign_in}", "Sign-ins that the server accepted."
        )
        self._renewals = meter.create_counter(
            "dify_async.token.renewals", "{renewal}", "Renewals of a session by its refresh token."
        )
        self._outages = meter.create_counter(
            "dify_async.token_store.outages", "{outage}", "Outages of the token store."
        )

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case RequestAnswered() | RequestFailed():
                self._ended(event)
            case RequestRetried():
                self._retries.add(1, _attributes(event))
            case SessionRenewed(by="refresh token"):
                self._renewals.add(1)
            case SessionRenewed():
                self._sign_ins.add(1, {"dify_async.sign_in.by": event.by})
            case StoreDown():
                self._outages.add(1, {"error.type": event.error})

    def _ended(self, event: RequestAnswered | RequestFailed) -> None:
        """Make the span once all of it is known: none can be left open, and samplers see all."""
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
        # Within the span, for exemplars.
        self._duration.record(event.seconds, attributes, set_span_in_context(span))


def _attributes(event: RequestEvent) -> dict[str, str | int]:
    return {
        "http.request.method": event.method,
        "url.template": event.route,
        "server.address": event.host,
        "server.port": event.port,
    }
