"""The generated methods match those of the asynchronous client."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_overloads

import pytest

from dify_async import AsyncDifyServer, DashboardUpdates
from dify_async.sync import DashboardUpdates as SyncUpdates
from dify_async.sync import DifyServer
from tools.sync import TARGET, generated


def public(of: type) -> dict[str, Callable[..., Any]]:
    return {name: member for name, member in inspect.getmembers(of, callable) if not name.startswith("_")}


def waiting(returns: str) -> str:
    """The return type of the synchronous version of a method."""
    if returns == "AsyncIterator[DashboardUpdates]":
        return "AbstractContextManager[DashboardUpdates]"
    if inside := re.fullmatch(r"AsyncIterator\[AsyncIterator\[(\w+)\]\]", returns):
        return f"AbstractContextManager[Generator[{inside[1]}, None, None]]"
    if inside := re.fullmatch(r"Paginator\[\w+, (.+)\]", returns):
        return inside[1]
    return re.sub(r"AsyncIterator\[(\w+)\]", r"Generator[\1, None, None]", returns)


def sync_name(name: str) -> str:
    """The name of the synchronous version of a method."""
    return "close" if name == "aclose" else name


def lists() -> dict[str, str]:
    """The methods that return a paginator, with the types of their rows."""
    found = {}
    for name, method in public(AsyncDifyServer).items():
        returns = inspect.signature(method).return_annotation
        if inside := re.fullmatch(r"Paginator\[(\w+), .+\]", returns):
            found[name] = inside[1]
    return found


def test_the_generated_file_is_up_to_date() -> None:
    """If it is not, run `nox -s sync`."""
    committed = TARGET.read_text(encoding="utf-8")
    # Compare syntax trees, since another version of ruff may format the code differently.
    assert ast.dump(ast.parse(committed)) == ast.dump(ast.parse(generated()))


def test_the_methods_are_the_same() -> None:
    """`aclose` is `close`, as in httpx."""
    iterations = {f"iter_{name}" for name in lists()}
    assert public(DifyServer).keys() == {sync_name(name) for name in public(AsyncDifyServer)} | iterations
    assert public(SyncUpdates).keys() == public(DashboardUpdates).keys()


@pytest.mark.parametrize("name", ["__init__", *public(AsyncDifyServer)])
def test_a_method_has_the_same_signature(name: str) -> None:
    theirs, ours = getattr(AsyncDifyServer, name), getattr(DifyServer, sync_name(name))
    assert not inspect.iscoroutinefunction(ours)
    for before, after in zip([theirs, *get_overloads(theirs)], [ours, *get_overloads(ours)], strict=True):
        asynchronous, plain = inspect.signature(before), inspect.signature(after)
        assert plain.parameters == asynchronous.parameters
        assert plain.return_annotation == waiting(asynchronous.return_annotation)
    about = inspect.getdoc(ours) or ""
    assert bool(about) == bool(theirs.__doc__) or name == "__init__"
    assert "await " not in about
    assert "async " not in about


@pytest.mark.parametrize(("name", "row"), lists().items())
def test_each_list_has_an_iteration(name: str, row: str) -> None:
    listed, iterated = getattr(DifyServer, name), getattr(DifyServer, f"iter_{name}")
    signature = inspect.signature(iterated)
    assert signature.return_annotation == f"Generator[{row}, None, None]"
    if not hasattr(AsyncDifyServer, f"iter_{name}"):
        assert signature.parameters == inspect.signature(listed).parameters
    assert f"iter_{name}()" in listed.__doc__
    assert "Route: GET" in iterated.__doc__


@pytest.mark.parametrize("name", public(DashboardUpdates))
def test_methods_of_updates_have_the_same_signature(name: str) -> None:
    theirs, ours = (inspect.signature(getattr(of, name)) for of in (DashboardUpdates, SyncUpdates))
    assert ours == theirs


def test_importing_the_package_does_not_import_the_sync_client() -> None:
    script = "import sys, dify_async; print('dify_async.sync' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
