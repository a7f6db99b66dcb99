"""Write the methods of `dify_async.sync.DifyServer` by those of AsyncDifyServer: `nox -s sync`."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
from itertools import groupby
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Final, get_overloads

import dify_async
from dify_async.client import AsyncDifyServer
from dify_async.client._calls import Calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TARGET: Final = Path(dify_async.__file__).parent / "sync/_generated.py"

_HEAD: Final = '''"""Made by `nox -s sync` from dify_async/client: change it there, or in tools/sync.py."""

from __future__ import annotations
'''
_ABOUT: Final = """Dify's console API, for one account or one admin API key, in code that is not asynchronous.

Use it as a context manager; it signs in at the first call. One object serves any number of threads:
they share one event loop, which runs on a thread of its own while the client is open. It may be left
and entered again. It does not work on both sides of a fork: make and enter one in each process.

What is called back (`on_event`, `progress`, `token_store`) is called on that thread, and must not call
this client. A `session` would have to be made in its event loop.

"""
_BODIES: Final = {
    "__init__": "super().__init__(AsyncDifyServer({arguments}))",
    "from_env": "return cls(**from_environment(overrides))",
}
# What stands in the generated code and not in the asynchronous one, or means something else there.
_OURS: Final = {
    "AbstractContextManager": "contextlib",
    "AsyncDifyServer": "dify_async.client",
    "Calls": "dify_async.sync._calls",
    "DashboardUpdates": "dify_async.sync._updates",
    "Generator": "collections.abc",
    "from_environment": "dify_async.client._client",
    "taken": "dify_async.sync._calls",
}

# A module, a name in it, and the name that it gets here; or "" where it is the module itself.
_Import = tuple[str, str, str]


def generated() -> str:
    """The text of the file, before ruff has formatted it."""
    sources = [base for base in reversed(AsyncDifyServer.__mro__) if base not in Calls.__mro__]
    classes = "\n\n".join(map(_class, sources))
    known: dict[str, _Import] = {"TYPE_CHECKING": ("typing", "TYPE_CHECKING", "TYPE_CHECKING")}
    for source in sources:
        known |= {found[2]: found for found in _known_in(source.__module__)}
    known |= {name: (module, name, name) for name, module in _OURS.items()}
    run, read = _names(ast.parse(classes))
    here = {source.__name__ for source in sources} - _OURS.keys()
    run = (run & known.keys() | {"TYPE_CHECKING"}) - here
    at_run = _imports(known[name] for name in run)
    for_types = _imports(known[name] for name in read & known.keys() - run - here)
    return f"{_HEAD}\n{at_run}\n\nif TYPE_CHECKING:\n{indent(for_types, '    ')}\n\n{classes}"


def _class(source: type) -> str:
    name = source.__name__.removeprefix("Async")
    bases = ", ".join(base.__name__ for base in source.__bases__)
    about = inspect.getdoc(source) or ""
    if source is AsyncDifyServer:
        about = _ABOUT + about[about.index("Args:") :]
    (tree,) = ast.parse(inspect.getsource(source)).body
    methods = [
        _method(node, source)
        for node in ast.iter_child_nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.name == "__init__" or not node.name.startswith("_"))
    ]
    parts = [_docstring(about), *methods]
    return f"class {name}({bases}):\n" + indent("\n\n".join(parts), "    ")


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef, source: type) -> str:
    """The same method, which waits for its answer."""
    for defaults in (node.args.defaults, node.args.kw_defaults):
        for place, default in enumerate(defaults):
            if isinstance(default, ast.Name) and default.id.startswith("_"):
                defaults[place] = ast.Constant(getattr(sys.modules[source.__module__], default.id))
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    returns = ast.unparse(node.returns) if node.returns else ""
    arguments = ", ".join(_arguments(node.args))
    asked = f"self._dify.{node.name}"
    if "overload" in decorators:
        body = "..."
    elif node.name in _BODIES:
        body = _BODIES[node.name].format(arguments=arguments)
    elif "asynccontextmanager" in decorators:
        returns = _inside(returns)
        how = "_updates" if returns == "DashboardUpdates" else "_stream"
        returns = f"AbstractContextManager[{_generator(returns)}]"
        body = f"return self.{how}({asked}({arguments}))"
    elif returns.startswith("AsyncIterator["):
        returns = _generator(returns)
        body = f"return self._rows({asked}({arguments}))"
    else:
        keyword = "" if returns == "None" else "return "
        body = f"{keyword}self._call({', '.join(filter(None, [asked, arguments]))})"
        if get_overloads(getattr(source, node.name)):
            body += "  # type: ignore[arg-type]  # mypy tries the first overload alone"
    about = ast.get_docstring(node)
    lines = [
        *(f"@{decorator}" for decorator in decorators & {"classmethod", "overload"}),
        f"def {node.name}({ast.unparse(node.args)}) -> {returns}:",
        *([indent(_docstring(about), "    ")] if about else []),
        f"    {body}",
    ]
    return "\n".join(lines)


def _arguments(parameters: ast.arguments) -> Iterator[str]:
    """What the method is given, as it is passed on."""
    for one in parameters.args[1:] + parameters.kwonlyargs:
        iterable = one.annotation and ast.unparse(one.annotation).startswith("Iterable[")
        value = f"taken({one.arg})" if iterable else one.arg
        yield f"{one.arg}={value}" if one in parameters.kwonlyargs else value


def _inside(annotation: str) -> str:
    return annotation.removeprefix("AsyncIterator[").removesuffix("]")


def _generator(annotation: str) -> str:
    inside = _inside(annotation)
    return annotation if inside == annotation else f"Generator[{inside}, None, None]"


def _docstring(about: str) -> str:
    about = re.sub(r"\basync (?=with|for)|\bawait ", "", about)
    return f'"""{about}\n"""' if "\n" in about else f'"""{about}"""'


def _known_in(name: str) -> Iterator[_Import]:
    """What a module imports and defines."""
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            module = importlib.util.resolve_name(relative, sys.modules[name].__package__)
            yield from ((module, one.name, one.asname or one.name) for one in node.names)
        elif isinstance(node, ast.Import):
            yield from ((one.name, "", one.asname or one.name) for one in node.names)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield name, node.name, node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield name, node.targets[0].id, node.targets[0].id


def _names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The names that are used at run time, and those in annotations."""
    read = set()
    for node in ast.walk(tree):
        annotations = [node.annotation] if isinstance(node, ast.arg) else []
        annotations += [node.returns] if isinstance(node, ast.FunctionDef) else []
        for annotation in filter(None, annotations):
            read |= {id(one) for one in ast.walk(annotation)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return {one.id for one in names if id(one) not in read}, {one.id for one in names if id(one) in read}


def _imports(wanted: Iterable[_Import]) -> str:
    """Import statements, sorted as by ruff."""

    # The modules of a section come before names from modules.
    def place(found: _Import) -> tuple[int, bool, str]:
        top = found[0].partition(".")[0]
        section = 0 if top in sys.stdlib_module_names else 2 if top == "dify_async" else 1
        return section, found[1] != "", found[0]

    lines: list[str] = []
    before = 0
    for (section, _, module), members in groupby(sorted(wanted, key=place), place):
        names = [(name, here) for _, name, here in members]
        lines += [""] if section != before and lines else []
        before = section
        if names[0][0]:
            lines.append(f"from {module} import {', '.join(sorted((name for name, _ in names), key=_rank))}")
        else:
            lines += [
                f"import {module}" if here == module else f"import {module} as {here}" for _, here in names
            ]
    return "\n".join(lines)


def _rank(name: str) -> tuple[int, str]:
    """Constants first, then classes, then the rest."""
    constant = name.isupper() and len(name) > 1
    return 0 if constant else 1 if name[0].isupper() else 2, name


if __name__ == "__main__":
    TARGET.write_text(generated(), encoding="utf-8")
