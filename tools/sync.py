"""Write the methods of `dify_async.sync.DifyServer` by those of AsyncDifyServer: `nox -s sync`."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Final, get_overloads

import dify_async
from dify_async.client import AsyncDifyServer
from dify_async.client._calls import Calls

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET: Final = Path(dify_async.__file__).parent / "sync/_generated.py"
_RUFF_OPTIONS: Final = (
    f"--config={Path(__file__).parent.parent / 'pyproject.toml'}",
    # ruff cannot see this itself if the package is installed and its source is elsewhere.
    "--config=lint.isort.known-first-party = ['dify_async']",
    # A list of imports that was long before ruff removed some of them goes back to one line.
    "--config=lint.isort.split-on-trailing-comma = false",
    "--config=format.skip-magic-trailing-comma = true",
)

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
# Names that only the generated code uses, or that mean something else there, and their modules.
_OWN_NAMES: Final = {
    "AbstractContextManager": "contextlib",
    "AsyncDifyServer": "dify_async.client",
    "Calls": "dify_async.sync._calls",
    "DashboardUpdates": "dify_async.sync._updates",
    "Generator": "collections.abc",
    "from_environment": "dify_async.client._client",
    "taken": "dify_async.sync._calls",
}


def generated() -> str:
    """The text of the file."""
    sources = [base for base in reversed(AsyncDifyServer.__mro__) if base not in Calls.__mro__]
    imports: dict[str, str] = {}
    for source in sources:
        imports |= _imports(source.__module__)
    for source in sources:
        imports.pop(source.__name__, None)
    imports |= {name: f"from {module} import {name}" for name, module in _OWN_NAMES.items()}
    text = "\n\n".join([_HEAD, *imports.values(), *map(_class, sources)])
    # These are all imports that a method may need: ruff removes those that none needs, and sorts the rest.
    return _ruff("format", _ruff("check --select=F401,I,TC --fix-only --unsafe-fixes", text))


def _ruff(command: str, text: str) -> str:
    arguments = ["ruff", *command.split(), *_RUFF_OPTIONS, f"--stdin-filename={TARGET}", "-"]
    return subprocess.run(  # noqa: S603 - what runs is named here
        [sys.executable, "-m", *arguments], input=text, capture_output=True, encoding="utf-8", check=True
    ).stdout


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
        and "property" not in map(ast.unparse, node.decorator_list)  # for the package itself
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


def _imports(name: str) -> dict[str, str]:
    """A statement for each name that a module imports or defines, by that name."""
    found: dict[str, str] = {}
    module = sys.modules[name]
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            prefix = ""
            if isinstance(node, ast.ImportFrom):
                relative = "." * node.level + (node.module or "")
                prefix = f"from {importlib.util.resolve_name(relative, module.__package__)} "
            found |= {one.asname or one.name: f"{prefix}import {ast.unparse(one)}" for one in node.names}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = f"from {name} import {node.name}"
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = f"from {name} import {node.targets[0].id}"
    return found


if __name__ == "__main__":
    TARGET.write_text(generated(), encoding="utf-8")
