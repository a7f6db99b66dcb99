"""Export the numbers of every app, of today and of the last 30 days, to Prometheus at /metrics.

    python examples/prometheus_exporter.py --port 9877 --interval 60

The console is queried every `--interval` seconds, however often Prometheus scrapes. All metrics are gauges:
daily counts restart at midnight in the account's time zone, and the 30 days are a sliding window.
`prometheus_grafana.json` in this folder is a Grafana dashboard for them.

Without DIFY_BASE_URL in the environment it runs against a fake console and needs no account. To use a real
one, set DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD. It listens on loopback only: app names and costs are
confidential. For scrapes from other machines, use a proxy with authentication, and pass the proxy's host
name: --name metrics.example.com
"""

import argparse
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dify_async import AsyncDifyServer, DashboardFeed, DifyConfigError, Series
from dify_async.testing import FakeDifyServer

MAX_NAME_LENGTH = 100


class Gauge(NamedTuple):
    """How a series is exported: in base units, by the conventions of Prometheus."""

    name: str
    help: str
    factor: float = 1


GAUGES = {
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
COST = Gauge("cost", "Price of the tokens, in the currency of the label")
SPANS = {"today": "of today", "month": "of the last 30 days"}


class DashboardCollector(Collector):
    """Collects metrics from the latest dashboard of a feed."""

    def __init__(self, feed: DashboardFeed) -> None:
        self._feed = feed

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metric families; only dify_up until the first dashboard has been fetched."""
        snapshot = self._feed.latest
        is_up = snapshot is not None and snapshot.error is None
        yield GaugeMetricFamily("dify_up", "Whether the last refresh succeeded", is_up)
        if snapshot is None:
            return
        yield GaugeMetricFamily("dify_data_age_seconds", "Time since the dashboard was fetched", snapshot.age)
        info = GaugeMetricFamily("dify_app_info", "The apps", labels=("app_id", "app_name", "mode"))
        errors = GaugeMetricFamily("dify_app_errors", "Statistics of the app that failed", labels=("app_id",))
        families = make_families()
        for app in snapshot.dashboard.apps:
            info.add_metric((app.app_id, app.app_name[:MAX_NAME_LENGTH], app.mode), 1)
            errors.add_metric((app.app_id,), len(app.errors))
            for name, gauge in GAUGES.items():
                if name in app.series:
                    add(families, gauge, (app.app_id,), app.series[name])
            for currency, series in app.costs.items():
                add(families, COST, (app.app_id, currency), series)
        yield from (info, errors, *families.values())


def make_families() -> dict[str, GaugeMetricFamily]:
    """A family for each metric by its name, exported even without samples."""
    return {
        name: GaugeMetricFamily(
            name, f"{gauge.help}, {words}", labels=("app_id", *(["currency"] if gauge is COST else []))
        )
        for span, words in SPANS.items()
        for gauge in (*GAUGES.values(), COST)
        for name in [f"dify_app_{span}_{gauge.name}"]
    }


def add(families: dict[str, GaugeMetricFamily], gauge: Gauge, labels: Sequence[str], series: Series) -> None:
    for span, value in zip(SPANS, (series.values[-1], series.total), strict=True):
        # Without traffic, an average has no value: 0 would be wrong.
        if value is not None:
            families[f"dify_app_{span}_{gauge.name}"].add_metric(labels, float(value) * gauge.factor)


def make_app(interval: float, names: Iterable[str] = ()) -> web.Application:
    """The exporter, for requests to loopback names and to `names`; it opens the client and the feed."""
    registry = CollectorRegistry(auto_describe=False)

    async def lifespan(_: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if os.environ.get("DIFY_BASE_URL"):
                dify = AsyncDifyServer.from_env()
            else:
                fake = await stack.enter_async_context(FakeDifyServer())
                print(f"DIFY_BASE_URL is not set: using a fake console at {fake.base_url}", flush=True)
                dify = AsyncDifyServer(fake.base_url, fake.email, fake.password)
            await stack.enter_async_context(dify)
            feed = await stack.enter_async_context(DashboardFeed(dify, interval))
            registry.register(DashboardCollector(feed))
            yield

    @web.middleware
    async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Reject other host names: protects against DNS rebinding."""
        if request.url.host not in {"localhost", "127.0.0.1", "::1", *names}:
            raise web.HTTPForbidden(text="Unknown host name; see --name.")
        return await handler(request)

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    app = web.Application(middlewares=[check_host])
    app.cleanup_ctx.append(lifespan)
    app.router.add_get("/metrics", metrics)
    return app


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9877, help="0 for a free port")
    parser.add_argument("--name", action="append", default=[], help="the host name of a proxy; repeatable")
    parser.add_argument("--interval", type=float, default=60.0, help="seconds between refreshes")
    options = parser.parse_args()
    try:
        with socket.create_server((options.host, options.port)) as listener:
            # After SIGTERM, requests have half a second to finish, and another half after cancellation.
            web.run_app(make_app(options.interval, options.name), sock=listener, shutdown_timeout=0.5)
    except (DifyConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
