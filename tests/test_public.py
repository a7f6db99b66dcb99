"""The public names, and what importing the package imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import dify_async
from dify_async import testing
from dify_async._api import endpoints as _endpoints
from dify_async._api.endpoints import Endpoint
from dify_async._http.retry import IDEMPOTENT, SAFE
from dify_async.client import AsyncDifyServer
from dify_async.statistics.metrics import Metric


def test_all_lists_the_public_names() -> None:
    public = {name for name in dir(dify_async) if name[0].isupper()} - {"TYPE_CHECKING"}
    assert public == set(dify_async.__all__) - {"__version__"}
    assert all(getattr(dify_async, name) is not None for name in dify_async.__all__)
    assert len(dify_async.__all__) == len(set(dify_async.__all__))
    assert all(hasattr(testing, name) for name in testing.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(dify_async, "NoSuchName")


@pytest.mark.parametrize("variable", ["", "DIFY_REDIS_URL", "REDIS_URL"])
def test_importing_the_package_does_not_import_optional_packages(variable: str) -> None:
    optional = {
        "redis",
        "rich",
        "cyclopts",
        "prometheus_client",
        "yaml",
        "cryptography",
        "pydantic",
        "narwhals",
    }
    optional |= {"opentelemetry"}
    script = f"import sys, dify_async; print(sorted({optional} & set(sys.modules)))"
    assert _output(script, variable) == "[]"


@pytest.mark.parametrize("variable", ["DIFY_REDIS_URL", "REDIS_URL"])
def test_redis_is_imported_when_a_client_is_entered_in_another_thread(variable: str) -> None:
    """The import takes some 100 ms, which would block the event loop."""
    script = """
import asyncio, sys, threading, dify_async

importers = set()

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "redis":
            importers.add(threading.current_thread())

async def main():
    dify = dify_async.AsyncDifyServer("http://127.0.0.1:1", "a@example.com", "x")
    created = set(importers)
    async with dify:
        print(created == set() != importers, threading.current_thread() in importers)

sys.meta_path.insert(0, Finder)
asyncio.run(main())
"""
    assert _output(script, variable) == "True False"


def _output(script: str, variable: str) -> str:
    environment = {**os.environ, variable: "redis://127.0.0.1"} if variable else None
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, env=environment, text=True, check=True).stdout.strip()


def test_each_metric_is_a_method() -> None:
    assert all(callable(getattr(AsyncDifyServer, metric)) for metric in Metric)


def test_the_version_is_a_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", dify_async.__version__)


def test_each_route_is_in_the_table_once() -> None:
    endpoints = [value for value in vars(_endpoints).values() if isinstance(value, Endpoint)]
    endpoints += _endpoints.STATISTICS.values()
    routes = [(endpoint.method, endpoint.path) for endpoint in endpoints]
    assert len(routes) == len(set(routes))
    reads = [endpoint for endpoint in endpoints if endpoint.safety is SAFE]
    assert all(endpoint.method == "GET" or endpoint is _endpoints.CURRENT_WORKSPACE for endpoint in reads)
    assert all(endpoint.method != "GET" for endpoint in endpoints if endpoint.safety.changes)
    assert {endpoint.method for endpoint in endpoints if endpoint.safety is IDEMPOTENT} == {"DELETE"}
