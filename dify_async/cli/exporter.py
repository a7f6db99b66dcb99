"""`dify-async exporter`: the numbers of all apps as Prometheus metrics."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from importlib.resources import files
from typing import Annotated, Final, Literal

from aiohttp import web
from cyclopts import Parameter
from cyclopts.validators import Number
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from dify_async.client import AsyncDifyServer
from dify_async.dashboard import DashboardFeed
from dify_async.web.access import check_host

from .connection import Connection
from .console import OK
from .metrics import DashboardCollector
from .serving import Names, Port, checked, listen, serve, url_of

_FILES: Final = {"alerts": "alerts.yml", "grafana": "grafana.json"}


def exporter(
    *,
    port: Port = 9877,
    host: str = "127.0.0.1",
    name: Names = None,
    interval: Annotated[float, Parameter(validator=Number(gt=0, lt=86400))] = 60.0,
    printed: Annotated[Literal["alerts", "grafana"] | None, Parameter(name="--print")] = None,
    connection: Connection = Connection(),
) -> int:
    """Serve the numbers of all apps to Prometheus at /metrics.

    There are gauges of today, yesterday and the last 30 days for each app, in the account's time zone.
    dify_up is 1 if the last refresh succeeded; otherwise it is 0, and its label `reason` is the error. App
    names and costs are confidential and there is no login, so it listens on loopback by default.

    Args:
        port: The port; 0 for a free one.
        host: The address to listen on; 0.0.0.0 for all.
        name: A host name that requests may be addressed to, such as that of a proxy. Give it once per
            name. IP addresses and localhost always work.
        interval: Seconds between two refreshes, however often Prometheus scrapes.
        printed: Print the alert rules for Prometheus or the dashboard for Grafana, and exit.
        connection: The server.
    """
    if printed is not None:
        sys.stdout.write((files("dify_async.cli") / "data" / _FILES[printed]).read_text(encoding="utf-8"))
        return OK

    names = checked(name)

    async def task(dify: AsyncDifyServer) -> int:
        async with DashboardFeed(dify, interval) as feed:
            await serve(make_app(feed, names), listener, f"Metrics at {url_of(listener)}/metrics")
        return OK

    with connection.client() as client, listen(host, port) as listener:
        return client.run(task)


def make_app(feed: DashboardFeed, hosts: Iterable[str] = ()) -> web.Application:
    """The exporter of an open feed; it accepts requests to IP addresses, localhost and `hosts`."""

    async def metrics(request: web.Request) -> web.Response:
        registry = CollectorRegistry(auto_describe=False)
        reason = await _failure(feed)
        registry.register(DashboardCollector(feed.latest, reason))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    app = web.Application(middlewares=[check_host(hosts)])
    app.router.add_get("/metrics", metrics)
    return app


async def _failure(feed: DashboardFeed) -> str:
    """The class of the last refresh's error; "" without an error, and "starting" before the first end."""
    try:
        async with asyncio.timeout(0):
            error = (await feed.get()).error
    except TimeoutError:
        return "starting"
    except Exception as failure:  # noqa: BLE001 - no refresh has succeeded
        error = failure
    return "" if error is None else type(error).__name__
