"""What an OpenTelemetry hook has recorded."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from opentelemetry.trace import SpanKind

from dify_async.otel import OpenTelemetryEvents

Attributes = dict[str, Any]


class Telemetry:
    """The hook under test, and its spans and metrics."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self._tracers = TracerProvider(sampler=sampler)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._meters = MeterProvider([self._metrics])
        self.tracer = self._tracers.get_tracer("of the caller")
        self.hook = OpenTelemetryEvents(tracer_provider=self._tracers, meter_provider=self._meters)

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        """The client's spans, in the order in which they ended."""
        ended = self._spans.get_finished_spans()
        return [
            span
            for span in ended
            if span.instrumentation_scope is not None
            and span.instrumentation_scope.name == "dify_async"
            and name in {None, span.name}
        ]

    def the_callers_span(self) -> ReadableSpan:
        (span,) = (span for span in self._spans.get_finished_spans() if span.kind is SpanKind.INTERNAL)
        return span

    def points(self, name: str) -> list[NumberDataPoint | HistogramDataPoint]:
        """The data points of a metric, one per set of attributes."""
        data = self._metrics.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint | HistogramDataPoint)
        ]

    def counts(self, name: str) -> list[tuple[float, Attributes]]:
        """The values of a counter."""
        return [
            (point.value, dict(point.attributes or {}))
            for point in self.points(name)
            if isinstance(point, NumberDataPoint)
        ]

    def durations(self, template: str) -> list[HistogramDataPoint]:
        """The durations of a route's requests."""
        return [
            point
            for point in self.points("http.client.request.duration")
            if isinstance(point, HistogramDataPoint) and (point.attributes or {})["url.template"] == template
        ]

    def shown(self) -> str:
        """All exported metrics."""
        data = self._metrics.get_metrics_data()
        spans = [span.to_json() for span in self._spans.get_finished_spans()]
        return "\n".join([*spans, data.to_json() if data is not None else ""])

    def shutdown(self) -> None:
        self._tracers.shutdown()
        self._meters.shutdown()


def attributes_of(span: ReadableSpan) -> Attributes:
    return dict(span.attributes or {})


def seconds_of(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return span.parent is not None and span.parent == parent.context
