"""The public names, and what importing the package imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from types import ModuleType

import pytest

import dify_async
from dify_async import dashboard, models, testing, usage
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_importing_the_package_imports_only_what_every_client_needs() -> None:
    names = {
        "_auth.admin_key",
        "backup",
        "client.options",
        "dashboard",
        "statistics.fan_out",
        "statistics.results",
        "sync",
    }
    names |= {"testing", "usage", "web", *(f"models.{module}" for module in models._LAZY)}
    rest = {f"dify_async.{name}" for name in names}
    rest |= {"backoff", "csv", "dataclasses", "difflib", "html", "zoneinfo"}
    # The libraries may import some of them.
    script = f"import sys, aiohttp, anyio, msgspec; rest = {rest} - set(sys.modules)"
    assert _output(f"{script}; import dify_async; print(sorted(rest & set(sys.modules)))", "") == "[]"


@pytest.mark.slow
def test_importing_the_package_compiles_only_the_pattern_of_ids() -> None:
    """To compile a pattern takes as long as to import a small module, and most are for errors."""
    script = """
import re, aiohttp, anyio, msgspec
compiled = []
compile_pattern = re._compiler.compile
re._compiler.compile = lambda pattern, flags=0: compiled.append(pattern) or compile_pattern(pattern, flags)
import dify_async
from dify_async._ids import _UUID
print(compiled == [_UUID.pattern])
"""
    assert _output(script, "") == "True"


@pytest.mark.slow
def test_names_that_are_imported_when_first_used_are_names_of_the_package() -> None:
    script = """
import dify_async, pickle
for package in (dify_async, dify_async.models):
    assert set(package.__all__) <= set(dir(package)), package
period, mark = dify_async.Period, dify_async.usage.UsageMark
from dify_async import *
assert Period is period is dify_async.dashboard.Period and UsageMark is mark
assert pickle.loads(pickle.dumps(Dashboard)) is Dashboard
print(set(dify_async.__all__) - set(globals()))
"""
    assert _output(script, "") == "set()"


@pytest.mark.parametrize("module", [dashboard, models, usage])
def test_the_package_has_the_names_of_its_modules(module: ModuleType) -> None:
    assert set(module.__all__) <= set(dify_async.__all__)
    assert all(getattr(dify_async, name) is getattr(module, name) for name in module.__all__)


@pytest.mark.slow
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
