"""The cases beside this file leave out no public method, none of its parameters, and no attribute."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest

import dify_async
from dify_async import models, testing
from dify_async.client._options import Options
from dify_async.testing import FakeApp
from dify_async.testing._models import AppFields

# The fields of what the server answers are read by type checkers as they stand; generic ones are not.
PLAIN = {*models.__all__} - {"Page", "Cursor"}


def public_classes() -> list[type]:
    public = (getattr(module, name) for module in (dify_async, testing) for name in module.__all__)
    return [one for one in public if inspect.isclass(one)]


def members(kind: type) -> dict[str, object]:
    """What a class has of this package: methods, properties and fields."""
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("dify_async"):
            found |= {**dict.fromkeys(base.__annotations__), **vars(base)}
    return {name: value for name, value in found.items() if name[0] != "_" and not isinstance(value, Enum)}


def asserted() -> dict[str, set[str | int]]:
    """What has a case, as "Class.member", and the arguments given there: their names, or their places."""
    found: dict[str, set[str | int]] = defaultdict(set)
    for path in Path(__file__).parent.glob("*_cases.py"):
        for function in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                # A member belongs to the class that annotates the parameter it is got from.
                kinds = {one.arg: ast.unparse(one.annotation) for one in function.args.args if one.annotation}
                for case in calls(function, "assert_type"):
                    for owner, name, arguments in used(case.args[0]):
                        kind = kinds.get(owner, owner).partition("[")[0]
                        found[f"{kind}.{name}"] |= arguments
    return found


def used(value: ast.expr) -> Iterator[tuple[str, str, set[str | int]]]:
    """Each `owner.name` in an expression, with the arguments if it is called."""
    for node in ast.walk(value):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            arguments: set[str | int] = set()
            for call in calls(value, ast.unparse(node)):
                arguments |= {one.arg or "**" for one in call.keywords} | {*range(len(call.args))}
            yield node.value.id, node.attr, arguments


def calls(within: ast.AST, of: str) -> Iterator[ast.Call]:
    """The calls of a function by its name, as "assert_type" or "dify.apps"."""
    nodes = (node for node in ast.walk(within) if isinstance(node, ast.Call))
    return (node for node in nodes if ast.unparse(node.func) == of)


CASES = asserted()
MEMBERS = {
    (kind, name): member
    for kind in public_classes()
    for name, member in members(kind).items()
    if inspect.isroutine(member) or isinstance(member, property) or kind.__name__ not in PLAIN
}


@pytest.mark.parametrize(("kind", "name"), MEMBERS, ids=lambda one: getattr(one, "__name__", one))
def test_each_member_has_a_case(kind: type, name: str) -> None:
    cases = [CASES[key] for base in kind.__mro__ if (key := f"{base.__name__}.{name}") in CASES]
    assert cases, "add an assert_type to one of tests/typing/*_cases.py"
    member = MEMBERS[kind, name]
    if inspect.isfunction(member):
        given = {argument for case in cases for argument in case}
        parameters = list(inspect.signature(member).parameters.values())[1:]
        named = [one.name for one in parameters if one.kind is not one.VAR_KEYWORD]
        left_out = [one for place, one in enumerate(named) if given.isdisjoint({one, place})]
        assert left_out == [], "give these in one of its cases"


def test_members_are_found() -> None:
    found = {f"{kind.__name__}.{name}" for kind, name in MEMBERS}
    assert {"AsyncDifyServer.iter_apps", "DashboardFeed.latest", "Page.data", "RequestStarted.call"} <= found
    assert len(CASES["AsyncDifyServer.workflow_runs"]) == 5


def test_keywords_are_those_of_what_they_are_passed_to() -> None:
    client = inspect.signature(dify_async.AsyncDifyServer).parameters
    app = inspect.signature(FakeApp).parameters
    assert Options.__annotations__.keys() == client.keys()
    assert [*AppFields.__annotations__] == [name for name in app if name not in ("name", "mode")]
