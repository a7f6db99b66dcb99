"""Public names of a package that are imported when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def importer(package: str, names_by_module: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """The package's `__getattr__`: it imports one of these modules, below the package, or a name of one."""

    def get(name: str) -> object:
        for module, names in names_by_module.items():
            if name == module or name in names:
                found = import_module(f".{module}", package)
                value = found if name == module else getattr(found, name)
                setattr(sys.modules[package], name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get
