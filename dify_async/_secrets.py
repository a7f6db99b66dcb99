"""Secrets: strings with a masked repr, and their removal from error messages. Pure."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")

# Shorter strings occur in ordinary words.
_MIN_SECRET: Final = 4
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")


class Secret(str):
    """A string with a masked repr.

    Error trackers, debuggers and `pytest -l` show local variables by repr(), also in dicts and in aiohttp's
    headers. msgspec does not encode subclasses of str: pass it `str(secret)`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class SecretBytes(bytes):
    """The body of a request with a secret; its repr is masked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


def masked(value: T) -> T | Secret:
    """The value, as a Secret if it is a string."""
    return Secret(value) if isinstance(value, str) else value


def secrets_of(headers: Mapping[str, str]) -> list[str]:
    """The secrets in the headers of a request, in every encoding in which a server may echo them."""
    words: list[str] = []
    for name, value in headers.items():
        if not isinstance(value, Secret):
            continue
        if name == "Cookie":
            words += [pair.partition("=")[2] for pair in value.split("; ")]
        else:
            token = value.partition(" ")[2] or value  # without "Bearer" or "Basic"
            words += [token, value] if len(token) >= _MIN_SECRET else []
        if value.startswith("Basic "):
            words.append(_basic_password(value))
    forms = {form for word in words if len(word) >= _MIN_SECRET for form in _forms(word)}
    # Longest first, since one may contain another.
    return sorted(forms, key=len, reverse=True)


def _basic_password(value: str) -> str:
    return base64.b64decode(value.removeprefix("Basic ")).decode().partition(":")[2]


def _forms(secret: str) -> Iterable[str]:
    plain = html.escape(secret, quote=False)
    once = {secret, *_json_forms(secret)}
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {
        *once,
        *(form for text in once for form in _json_forms(text)),  # JSON as text in JSON
        plain,
        html.escape(secret),
        plain.replace('"', "&#34;").replace("'", "&#39;"),  # Jinja's spelling
        *quoted,
        *(_ESCAPE.sub(lambda escape: escape[0].lower(), text) for text in quoted),
        encoded,
        encoded.replace("+", "-").replace("/", "_"),
    }


def _json_forms(text: str) -> set[str]:
    forms = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return forms | {form.replace("/", "\\/") for form in forms}  # as some libraries write it


def without_secrets(value: object, secrets: list[str]) -> object:
    """A decoded JSON value with these strings replaced."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, list):
        return [without_secrets(item, secrets) for item in value]
    if isinstance(value, dict):
        return {without_secrets(key, secrets): without_secrets(item, secrets) for key, item in value.items()}
    return value
