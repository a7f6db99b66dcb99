"""What can be imported is what is promised."""

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
from dify_async.statistics.results import Metric


def test_all_is_what_can_be_imported() -> None:
    public = {name for name in dir(dify_async) if name[0].isupper()} - {"TYPE_CHECKING"}
    assert public == set(dify_async.__all__) - {"__version__"}
    assert all(getattr(dify_async, name) is not None for name in dify_async.__all__)
    assert dify_async.__all__ == sorted(dify_async.__all__)
    assert all(hasattr(testing, name) for name in testing.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(dify_async, "NoSuchName")


def test_importing_the_package_does_not_import_what_is_optional() -> None:
    optional = {"redis", "rich", "cryptography", "pydantic", "narwhals", "opentelemetry"}
    script = f"import sys, dify_async; print(sorted({optional} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("variable", ["DIFY_REDIS_URL", "REDIS_URL"])
def test_redis_is_imported_before_there_is_a_loop_where_the_environment_names_it(variable: str) -> None:
    script = "import sys, dify_async; print('redis.asyncio' in sys.modules)"
    settings = {**os.environ, variable: "redis://127.0.0.1"}
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, env=settings, check=True)
    assert found.stdout.strip() == b"True"


def test_each_metric_is_a_method() -> None:
    assert all(callable(getattr(AsyncDifyServer, metric)) for metric in Metric)


def test_the_version_is_a_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", dify_async.__version__)


def test_the_table_has_each_route_once() -> None:
    endpoints = [value for value in vars(_endpoints).values() if isinstance(value, Endpoint)]
    routes = [(endpoint.method, endpoint.path) for endpoint in endpoints]
    assert len(routes) == len(set(routes))
    reads = [endpoint for endpoint in endpoints if endpoint.safety is SAFE]
    assert all(endpoint.method == "GET" or endpoint is _endpoints.CURRENT_WORKSPACE for endpoint in reads)
    assert all(endpoint.method != "GET" for endpoint in endpoints if endpoint.safety.changes)
    assert {endpoint.method for endpoint in endpoints if endpoint.safety is IDEMPOTENT} == {"DELETE"}
