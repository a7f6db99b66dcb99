"""OpenTelemetry spans and metrics from the on_event hook."""

from __future__ import annotations

import importlib
import logging
import re
import sys
import time
from collections.abc import Iterator

import anyio
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode, get_current_span

from dify_async import AsyncDifyServer, DifyConnectionError, DifyNotFoundError, DifyTimeoutError
from dify_async.otel import OpenTelemetryEvents
from dify_async.testing import FakeDifyServer
from tests.client.telemetry import Telemetry, attributes_of, is_child, seconds_of
from tests.client.test_events import FailingStore
from tests.client.test_secrets import secrets_in
from tests.support import EACH_ERA, ONCE, UNKNOWN, an_app, client


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry()
    yield made
    made.shutdown()


def port_of(fake: FakeDifyServer) -> int:
    return int(fake.base_url.rpartition(":")[2])


async def test_a_call(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with client(fake, on_event=telemetry.hook) as dify:
        await dify.app(an_app(fake))
    features, login, span = telemetry.spans()
    assert (features.name, login.name, span.name) == ("GET /system-features", "POST /login", "GET /apps/{}")
    attributes = {
        "http.request.method": "GET",
        "url.template": "/apps/{}",
        "server.address": "127.0.0.1",
        "server.port": port_of(fake),
        "http.response.status_code": 200,
    }
    assert attributes_of(span) == attributes
    assert (span.kind, span.status.status_code, span.parent) == (SpanKind.CLIENT, StatusCode.UNSET, None)
    (duration,) = telemetry.durations("/apps/{}")
    assert duration.attributes == attributes
    assert duration.count == 1
    assert duration.sum == pytest.approx(seconds_of(span), abs=1e-6)
    assert (duration.explicit_bounds[0], duration.explicit_bounds[-1]) == (0.005, 10.0)


async def test_a_span_has_the_times_of_its_request(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with client(fake, on_event=telemetry.hook) as dify:
        await dify.login()
        fake.inject("/account/*", delay=0.2)
        before = time.time_ns()
        await dify.profile()
        after = time.time_ns()
    (span,) = telemetry.spans("GET /account/profile")
    assert span.start_time is not None
    assert span.end_time is not None
    assert before - 1_000_000 <= span.start_time < span.end_time <= after
    assert seconds_of(span) >= 0.2


async def test_an_error_status(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with client(fake, on_event=telemetry.hook) as dify:
        with pytest.raises(DifyNotFoundError):
            await dify.app(UNKNOWN)
    (span,) = telemetry.spans("GET /apps/{}")
    assert span.status.status_code is StatusCode.ERROR
    (duration,) = telemetry.durations("/apps/{}")
    for attributes in (attributes_of(span), duration.attributes or {}):
        assert attributes["http.response.status_code"] == 404
        assert attributes["error.type"] == "404"


async def test_each_attempt_has_a_span(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with client(fake, on_event=telemetry.hook) as dify:
        await dify.login()
        fake.inject("/account/*", status=503, times=1)
        fake.inject("/account/*", cut="before", times=1)
        with telemetry.tracer.start_as_current_span("caller"):
            await dify.profile()
    spans = telemetry.spans("GET /account/profile")
    kinds = ("error.type", "http.response.status_code", "http.request.resend_count")
    assert [tuple(attributes_of(span).get(kind) for kind in kinds) for span in spans] == [
        ("503", 503, None),
        ("DifyConnectionError", None, 1),
        (None, 200, 2),
    ]
    assert all(is_child(span, telemetry.the_callers_span()) for span in spans)
    times = [when for span in spans for when in (span.start_time or 0, span.end_time or 0)]
    assert times == sorted(times)
    ((count, attributes),) = telemetry.counts("dify_async.retries")
    assert count == 2
    assert attributes == {
        "http.request.method": "GET",
        "url.template": "/account/profile",
        "server.address": "127.0.0.1",
        "server.port": port_of(fake),
    }
    # One series per route and outcome, regardless of retries.
    assert not any(
        "http.request.resend_count" in (point.attributes or {})
        for point in telemetry.durations("/account/profile")
    )


@EACH_ERA
async def test_a_refresh_is_part_of_the_call_that_needs_it(
    fake: FakeDifyServer, telemetry: Telemetry
) -> None:
    """It runs in its own task, which outlives the call."""
    async with client(fake, on_event=telemetry.hook) as dify:
        await dify.login()
        fake.expire_access_tokens()
        with telemetry.tracer.start_as_current_span("caller"):
            await dify.profile()
    rejected, refresh, answered = telemetry.spans()[-3:]
    assert [span.name for span in (rejected, refresh, answered)] == [
        "GET /account/profile",
        "POST /refresh-token",
        "GET /account/profile",
    ]
    assert attributes_of(rejected)["error.type"] == "401"
    assert attributes_of(answered)["http.request.resend_count"] == 1
    assert all(is_child(span, telemetry.the_callers_span()) for span in (rejected, refresh, answered))
    assert telemetry.counts("dify_async.logins") == [(1, {"dify_async.login.method": "password"})]
    assert telemetry.counts("dify_async.token.refreshes") == [(1, {})]


async def test_a_cancelled_call(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with client(fake, on_event=telemetry.hook) as dify:
        await dify.login()
        fake.inject("/account/*", delay=5.0)
        with telemetry.tracer.start_as_current_span("caller"), anyio.move_on_after(0.1) as scope:
            await dify.profile()
        assert scope.cancelled_caught
    (span,) = telemetry.spans("GET /account/profile")
    assert attributes_of(span)["error.type"] == "CancelledError"
    assert span.status.status_code is StatusCode.ERROR
    assert is_child(span, telemetry.the_callers_span())
    assert 0 < seconds_of(span) < 5
    (duration,) = telemetry.durations("/account/profile")
    assert (duration.attributes or {})["error.type"] == "CancelledError"


async def test_a_call_that_times_out(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with client(fake, on_event=telemetry.hook, timeout=2.0, retry=ONCE) as dify:
        await dify.login()
        fake.inject("/account/*", delay=60.0)
        with pytest.raises(DifyTimeoutError):
            await dify.profile()
    (span,) = telemetry.spans("GET /account/profile")
    assert attributes_of(span)["error.type"] == "DifyTimeoutError"
    assert 1.99 <= seconds_of(span) < 30


async def test_a_refused_connection(telemetry: Telemetry) -> None:
    async with FakeDifyServer() as fake:
        pass
    async with client(fake, on_event=telemetry.hook, retry=ONCE, server_version="1.11.2") as dify:
        with pytest.raises(DifyConnectionError):
            await dify.profile()
    (span,) = telemetry.spans()
    assert attributes_of(span) == {
        "http.request.method": "POST",
        "url.template": "/login",
        "server.address": "127.0.0.1",
        "server.port": port_of(fake),
        "error.type": "DifyConnectionError",
    }
    assert span.status.status_code is StatusCode.ERROR
    assert telemetry.counts("dify_async.logins") == []


async def test_spans_are_children_of_the_span_of_their_own_task(
    fake: FakeDifyServer, telemetry: Telemetry
) -> None:
    parents: dict[str, ReadableSpan] = {}

    async def ask(dify: AsyncDifyServer, mode: str) -> None:
        with telemetry.tracer.start_as_current_span(mode) as span:
            assert isinstance(span, ReadableSpan)
            parents[mode] = span
            await dify.statistics_many([an_app(fake, mode)])
            assert get_current_span() is span

    async with client(fake, on_event=telemetry.hook, max_concurrency=2) as dify:
        await dify.login()
        async with anyio.create_task_group() as group:
            group.start_soon(ask, dify, "chat")
            group.start_soon(ask, dify, "workflow")
        assert get_current_span() is INVALID_SPAN
    asked = {
        mode: {span.name for span in telemetry.spans() if is_child(span, parent)}
        for mode, parent in parents.items()
    }
    assert "GET /apps/{}/statistics/daily-messages" in asked["chat"]
    assert "GET /apps/{}/workflow/statistics/daily-conversations" in asked["workflow"]
    assert not any("/workflow/" in name for name in asked["chat"])
    assert not any("/apps/{}/statistics/" in name for name in asked["workflow"])


async def test_one_hook_for_two_clients(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with (
        FakeDifyServer(version="1.9.1") as other,
        client(fake, on_event=telemetry.hook) as one,
        client(other, on_event=telemetry.hook) as two,
    ):
        ports = {port_of(fake), port_of(other)}
        async with anyio.create_task_group() as group:
            for dify in (one, two):
                group.start_soon(dify.profile)
        other.expire_access_tokens()
        await two.profile()
    profiles = telemetry.spans("GET /account/profile")
    assert [attributes_of(span)["server.port"] for span in profiles].count(port_of(fake)) == 1
    assert [attributes_of(span)["server.port"] for span in profiles].count(port_of(other)) == 3
    counted = {
        (point.attributes or {})["server.port"]: point.count
        for point in telemetry.durations("/account/profile")
        if (point.attributes or {})["http.response.status_code"] == 200
    }
    assert counted == {port_of(fake): 1, port_of(other): 2}
    assert {attributes_of(span)["server.port"] for span in telemetry.spans()} == ports
    assert telemetry.counts("dify_async.logins") == [(2, {"dify_async.login.method": "password"})]
    assert telemetry.counts("dify_async.token.refreshes") == [(1, {})]


async def test_an_outage_of_the_store(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with client(fake, token_store=FailingStore(), on_event=telemetry.hook) as dify:
        await dify.profile()
    assert telemetry.counts("dify_async.token_store.outages") == [(1, {"error.type": "ConnectionError"})]


@EACH_ERA
async def test_no_secret_no_query_and_no_id_is_exported(fake: FakeDifyServer, telemetry: Telemetry) -> None:
    async with client(fake, on_event=telemetry.hook, retry=ONCE) as dify:
        (key,) = await dify.init_app_api_key(an_app(fake))
        await dify.delete_app_api_key(an_app(fake), key.id)
        fake.expire_access_tokens()
        await dify.apps(name="who is asked for")
        with pytest.raises(DifyNotFoundError):
            await dify.request("GET", f"/apps/{an_app(fake)}/trace", params={"q": "what is asked for"})
        fake.inject("/apps*", cut="before")
        for call in (dify.apps(name="who is asked for"), dify.init_app_api_key(an_app(fake))):
            with pytest.raises(DifyConnectionError):
                await call
        await dify.logout()
    shown = telemetry.shown()
    assert "GET /apps/{}/trace" in shown
    assert "dify_async.token.refreshes" in shown
    assert secrets_in(shown, fake) == []
    for text in (key.id, an_app(fake), "asked", fake.email, "/apps/0", "?"):
        assert text not in shown


async def test_with_sampling_off_there_are_metrics_alone(fake: FakeDifyServer) -> None:
    telemetry = Telemetry(ALWAYS_OFF)
    async with client(fake, on_event=telemetry.hook) as dify:
        await dify.profile()
    assert telemetry.spans() == []
    (duration,) = telemetry.durations("/account/profile")
    assert duration.count == 1
    telemetry.shutdown()


async def test_without_an_sdk_it_does_nothing(fake: FakeDifyServer, caplog: pytest.LogCaptureFixture) -> None:
    async with client(fake, on_event=OpenTelemetryEvents()) as dify:
        await dify.profile()
        fake.expire_access_tokens()
        fake.inject("/account/*", status=503, times=1)
        await dify.profile()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dify_async.otel")
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ImportError, match=re.escape("pip install dify-async[otel]")):
        importlib.import_module("dify_async.otel")
