"""The cases in this folder cover every public overload, context manager and generic class."""

from __future__ import annotations

import inspect
import re
from enum import Enum
from pathlib import Path
from typing import get_overloads

import pytest

import dify_async
from dify_async import AsyncDifyServer, sync, testing
from dify_async.client.options import Options, SyncOptions
from dify_async.sync import DifyServer
from dify_async.testing import FakeApp
from dify_async.testing._console.models import AppFields

FOLDER = Path(__file__).parent


def public_classes() -> list[type]:
    modules = (dify_async, testing, sync)
    public = (getattr(module, name) for module in modules for name in module.__all__)
    return [one for one in public if inspect.isclass(one)]


def members(kind: type) -> dict[str, object]:
    """What a class has of this package: methods, properties and fields."""
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("dify_async"):
            found |= {**dict.fromkeys(base.__annotations__), **vars(base)}
    return {name: value for name, value in found.items() if name[0] != "_" and not isinstance(value, Enum)}


def is_inferred(member: object) -> bool:
    """Whether a type checker has to choose an overload or to unwrap what a context manager yields."""
    if not inspect.isfunction(member):
        return False
    returns = str(inspect.signature(member).return_annotation)
    return bool(get_overloads(member)) or hasattr(member, "__wrapped__") or "ContextManager[" in returns


@pytest.mark.parametrize(
    ("client", "cases"), [(AsyncDifyServer, "client_cases.py"), (DifyServer, "sync_cases.py")]
)
def test_each_overload_and_context_manager_of_a_client_has_a_case(client: type, cases: str) -> None:
    needed = {name for name, member in members(client).items() if is_inferred(member)}
    assert needed >= {"request", "stream_dashboard"}
    text = (FOLDER / cases).read_text(encoding="utf-8")
    assert {name for name in needed if f".{name}(" not in text} == set()


def test_each_generic_class_has_a_case() -> None:
    generic = {one.__name__ for one in public_classes() if getattr(one, "__parameters__", ())}
    assert "Page" in generic
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*_cases.py"))
    assert {name for name in generic if not re.search(rf"\b{name}\[", text)} == set()


def test_keywords_are_those_of_what_they_are_passed_to() -> None:
    client = inspect.signature(AsyncDifyServer).parameters
    sync_client = inspect.signature(DifyServer).parameters
    app = inspect.signature(FakeApp).parameters
    assert Options.__annotations__.keys() == client.keys()
    assert SyncOptions.__annotations__.keys() == sync_client.keys()
    assert [*AppFields.__annotations__] == [name for name in app if name not in ("name", "mode")]
