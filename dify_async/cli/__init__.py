"""The command `dify-async`. It requires the extra `dify-async[cli]`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_INTERRUPTED: Final = 130  # as shells report a program that SIGINT ended
_EXTRA: Final = ("cyclopts", "prometheus_client", "rich", "yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default with the arguments of this process, and return its exit code."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    if not all(map(find_spec, _EXTRA)):
        sys.stderr.write(
            "dify-async: error: the commands need more packages; run: pip install 'dify-async[cli]'\n"
        )
        return 2
    from .app import run  # noqa: PLC0415 - it imports the packages of the extra

    return run(arguments)
