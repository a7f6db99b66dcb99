"""Ids, as callers give them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from . import _checks
from .errors import DifyConfigError
from .models import App

Id = str | UUID
"""An id, as a string or a `uuid.UUID`."""

AppOrId = App | str | UUID
"""An app: an `App`, or its id as a string or a `uuid.UUID`."""

# The only form that all routes accept: for another one, the server answers 404 with a web page
# [1.11.2/04_app_detail_uuid_without_dashes].
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Also masked keys, such as "app-A...wxyz".
_API_KEY: Final = r"(?:app|dataset|ds)-(?:[A-Za-z0-9]{16,}|[A-Za-z0-9]*\.{3}[A-Za-z0-9]*)"
_MAX_NAME_LENGTH: Final = 255


def id_of(app: AppOrId) -> str:
    """The id of an app.

    Raises:
        DifyConfigError: It is neither an `App` nor a UUID; if it may be a name, the error names `find_app`.
    """
    if isinstance(app, App):
        return app.id
    identifier = _uuid_text(app)
    if identifier is not None:
        return identifier
    rule = "an app must be an App or the id of one, which is a UUID, "
    if isinstance(app, str) and is_api_key(app):
        raise DifyConfigError(f"{rule}got an API key; pass app.id")
    may_be_name = isinstance(app, str) and app.isprintable() and 0 < len(app) <= _MAX_NAME_LENGTH
    hint = f"; find_app({_checks.shown(app)}) gets an app by its name" if may_be_name else ""
    raise DifyConfigError(f"{rule}got {_checks.shown(app)}{hint}")


def checked_apps(apps: Iterable[AppOrId]) -> list[AppOrId]:
    """The apps as a list, after checking them."""
    if isinstance(apps, str | App | UUID) or not isinstance(apps, Iterable):
        given = "one app" if isinstance(apps, str | App | UUID) else _checks.shown(apps)
        raise DifyConfigError(f"apps must be a list of apps or app ids, got {given}")
    found = list(apps)
    for app in found:
        id_of(app)
    return found


def unique_apps(apps: Iterable[AppOrId]) -> dict[str, AppOrId]:
    """The apps by id, without duplicates. Case is ignored, because the server ignores the case of ids."""
    found: dict[str, AppOrId] = {}
    for app in apps:
        found.setdefault(id_of(app).lower(), app)
    return {id_of(app): app for app in found.values()}


def checked_id(name: str, value: Id) -> str:
    """An id of anything but an app, as a string; `name` is the argument."""
    identifier = _uuid_text(value)
    if identifier is not None:
        return identifier
    if isinstance(value, str) and is_api_key(value):
        raise DifyConfigError(f"{name} must be an id, which is a UUID, got an API key; pass key.id")
    raise _checks.refused(name, "an id, which is a UUID", value)


def is_api_key(text: str) -> bool:
    """Whether the text has the form of an API key, which must not be sent or shown."""
    return re.fullmatch(_API_KEY, text) is not None


def optional_id(name: str, value: Id | None) -> str | None:
    """An id as a string; None if not given."""
    return None if value is None else checked_id(name, value)


def checked_ids(name: str, values: Iterable[Id] | None) -> list[str]:
    """Ids as strings; [] if not given. A single string is rejected, since it would be split into letters."""
    if values is None:
        return []
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise _checks.refused(name, "a list of ids", values)
    return [checked_id(f"each of {name}", value) for value in values]


def _uuid_text(value: object) -> str | None:
    if isinstance(value, UUID):
        return str(value)
    return value if isinstance(value, str) and _UUID.fullmatch(value) else None
