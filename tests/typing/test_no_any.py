"""Public types contain Any only where no better type exists; all exceptions are listed here."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, get_args, get_overloads

from .test_complete import members, public_classes

ALLOWED = {
    "AsyncDifyServer.request -> return": "JSON of a route that is not known here",
    "DifyServer.request -> return": "JSON of a route that is not known here",
    "Paginator.throw -> error": "the overloads of coroutines",
    "Dashboard.to_native -> return": "a data frame of a library that need not be installed",
    "Usage.to_native -> return": "a data frame of a library that need not be installed",
}


@cache
def namespace(module: str) -> dict[str, Any]:
    """What the annotations of a module are read with: also what type checkers alone import."""
    loaded = sys.modules[module]
    names = dict(vars(loaded))
    for statement in ast.parse(inspect.getsource(loaded)).body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            for one in statement.body:
                if not isinstance(one, ast.ImportFrom):
                    exec(ast.unparse(one), names)
                    continue
                for alias in one.names:
                    # Names for type checkers only; if a public signature uses one, the test fails below.
                    with suppress(ImportError):
                        exec(f"from {'.' * one.level}{one.module} import {ast.unparse(alias)}", names)
    return names


def types_in(one: type | Callable[..., object]) -> dict[str, object]:
    return inspect.get_annotations(one, globals=namespace(one.__module__), eval_str=True)


def functions(member: object) -> list[Callable[..., object]]:
    """The functions of a method, a property or an overloaded method."""
    function = getattr(member, "fget", None) or getattr(member, "__func__", member)
    if not inspect.isfunction(function):
        return []
    return [inspect.unwrap(function), *get_overloads(function)]


def public_types() -> Iterator[tuple[str, object]]:
    """What is annotated, as "Class.field" or "Class.method -> parameter", and its type."""
    for kind in public_classes():
        for base in (one for one in kind.__mro__ if one.__module__.startswith("dify_async")):
            for field, annotation in types_in(base).items():
                yield f"{kind.__name__}.{field}", annotation
            for name, member in {"__init__": vars(base).get("__init__"), **members(base)}.items():
                for function in functions(member):
                    for parameter, annotation in types_in(function).items():
                        yield f"{kind.__name__}.{name} -> {parameter}", annotation


def holds_any(annotation: object) -> bool:
    parts = annotation if isinstance(annotation, list) else get_args(annotation)  # a list: of a Callable
    return annotation is Any or any(map(holds_any, parts))


def test_any_is_where_it_is_allowed() -> None:
    found = dict(public_types())
    assert len(found) > 1000
    assert "AsyncDifyServer.__init__ -> retry" in found
    assert {place for place, annotation in public_types() if holds_any(annotation)} == ALLOWED.keys()
