"""The documents and their Python code."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

# Programs import this before they start a loop, as they do pandas; blocks import them inside one.
import dify_async.redis_store  # noqa: F401
from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer

ROOT: Final = Path(__file__).parent.parent
DOCUMENTS: Final = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks/README.md"],
    key=lambda path: path.relative_to(ROOT).parts,
)
ADMIN_KEY: Final = "the-admin-key"
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A block of Python code, and its heading."""

    path: Path
    line: int
    heading: str
    code: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def is_test(self) -> bool:
        """Whether the block contains tests for pytest."""
        return re.search(r"^(async )?def test_", self.code, re.MULTILINE) is not None


def blocks() -> Iterator[Block]:
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for fence in _FENCE.finditer(text):
            if fence[1] == "python":
                before = text[: fence.start()]
                headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", before), re.MULTILINE)
                yield Block(path, before.count("\n") + 1, headings[-1], fence[2])


def block(name: str, heading: str) -> Block:
    """The only block under a heading."""
    (found,) = (one for one in blocks() if one.path == ROOT / name and one.heading == heading)
    return found


def execute(code: str, fake: FakeDifyServer) -> dict[str, Any]:
    """Run a block as a module, and return its names.

    A block with a top-level await runs with an open client `dify` and one of its apps, `app`.
    """
    if "pandas" in code:
        import pandas as pd  # type: ignore[import-untyped]  # noqa: F401
    module = types.ModuleType("a_block_of_the_documents")
    sys.modules[module.__name__] = module  # FastAPI and msgspec resolve annotations there
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compiled = compile(code, module.__name__, "exec", flags=flags, dont_inherit=True)
    if compiled.co_flags & inspect.CO_COROUTINE:
        asyncio.run(_awaited(compiled, vars(module), fake))
    else:
        exec(compiled, vars(module))
    return vars(module)


async def _awaited(code: types.CodeType, names: dict[str, Any], fake: FakeDifyServer) -> None:
    async with AsyncDifyServer(fake.base_url, fake.email, fake.password) as dify:
        names["dify"] = dify
        names["app"] = await dify.app(next(app.id for app in fake.apps if app.mode == "chat"))
        await eval(code, names)
