"""Models have all keys that servers send, and no other fields."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec
import pytest
from msgspec import Struct

from dify_async import models
from tests.captures import VERSIONS, of_our_routes


@pytest.fixture(scope="module")
def sent() -> dict[str, set[str]]:
    """The keys that servers sent, by model."""
    keys: dict[str, set[str]] = defaultdict(set)
    for version in VERSIONS:
        for capture, endpoint in of_our_routes(version):
            if 200 <= capture.status < 300:
                value = endpoint.decoder()(capture.reply.body)
                if isinstance(value, Struct):
                    collect(value, msgspec.json.decode(capture.body), keys)
    return keys


def collect(value: object, raw: Any, keys: dict[str, set[str]]) -> None:
    if isinstance(value, Struct):
        keys[type(value).__name__] |= raw.keys()
        for name in value.__struct_fields__:
            collect(getattr(value, name), raw.get(name), keys)
    elif isinstance(value, list):
        for one, other in zip(value, raw, strict=True):
            collect(one, other, keys)


def test_every_key_is_modelled(sent: dict[str, set[str]]) -> None:
    for name, keys in sent.items():
        if name == "UsageNode":  # usage() decodes only what it needs
            continue
        unknown = keys - fields(name)
        assert not unknown, f"{name}: servers send {sorted(unknown)}, which it lacks"


def test_every_field_was_sent_by_some_version(sent: dict[str, set[str]]) -> None:
    """A renamed field would silently decode to its default."""
    for name, keys in sent.items():
        assert fields(name) <= keys, f"{name}: no server sends {sorted(fields(name) - keys)}"


def fields(name: str) -> set[str]:
    return set(MODELS[name].__struct_fields__)


def models_of(kind: Any, found: dict[str, type[Struct]]) -> None:
    for part in get_args(kind):
        models_of(part, found)
    origin = get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, Struct) and origin.__name__ not in found:
        found[origin.__name__] = origin
        for hint in get_type_hints(origin).values():
            models_of(hint, found)


def all_models() -> dict[str, type[Struct]]:
    found: dict[str, type[Struct]] = {}
    for module in pkgutil.iter_modules(models.__path__, f"{models.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            models_of(value, found)
    return found


MODELS: Final = all_models()
