"""Strings with a masked repr, and the removal of secrets from error messages. Performs no I/O."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

# Shorter strings are not replaced, because they also occur in ordinary words.
_MIN_SECRET_LENGTH: Final = 4
_PERCENT_ESCAPE: Final = "%[0-9A-F]{2}"


class Secret(str):
    """A string with a masked repr.

    Error trackers, debuggers and `pytest -l` show local variables with repr(), including values in dicts
    and in aiohttp's headers. msgspec does not encode subclasses of str, so pass `str(secret)` to msgspec.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class SecretBytes(bytes):
    """A request body that contains a secret; its repr is masked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


def masked(value: T) -> T | Any:
    """The value; strings, and those in a mapping, are converted to Secrets."""
    if isinstance(value, Mapping):
        return {name: masked(part) for name, part in value.items()}
    return Secret(value) if isinstance(value, str) else value


def secrets_of(headers: Mapping[str, str]) -> list[str]:
    """The secrets in the headers of a request, in every encoding that a server may echo."""
    found: list[str] = []
    for name, value in headers.items():
        if not isinstance(value, Secret):
            continue
        if name == "Cookie":
            found += [pair.partition("=")[2] for pair in value.split("; ")]
        else:
            token = value.partition(" ")[2] or value  # remove "Bearer" or "Basic"
            found += [token, value] if len(token) >= _MIN_SECRET_LENGTH else []
        if value.startswith("Basic "):
            found.append(_basic_password(value))
    encodings = {
        encoding for word in found if len(word) >= _MIN_SECRET_LENGTH for encoding in _encodings(word)
    }
    # Longest first, because one secret may contain another.
    return sorted(encodings, key=len, reverse=True)


def _basic_password(value: str) -> str:
    """The password in a header for basic auth; "" if the caller's header has none."""
    try:
        return base64.b64decode(value.removeprefix("Basic ")).decode().partition(":")[2]
    except ValueError:
        return ""


def _encodings(secret: str) -> Iterable[str]:
    import html  # noqa: PLC0415 - only for errors

    plain = html.escape(secret, quote=False)
    escaped = {secret, *_json_encodings(secret)}
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {
        *escaped,
        *(encoding for text in escaped for encoding in _json_encodings(text)),  # JSON inside a JSON string
        plain,
        html.escape(secret),
        plain.replace('"', "&#34;").replace("'", "&#39;"),  # Jinja's escapes
        *quoted,
        *(re.sub(_PERCENT_ESCAPE, lambda escape: escape[0].lower(), text) for text in quoted),
        encoded,
        encoded.replace("+", "-").replace("/", "_"),
    }


def _json_encodings(text: str) -> set[str]:
    encodings = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return encodings | {
        encoding.replace("/", "\\/") for encoding in encodings
    }  # some libraries escape slashes


def without_secrets(value: object, secrets: list[str]) -> object:
    """A copy of a decoded JSON value in which these secrets are replaced with "***"."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, list):
        return [without_secrets(item, secrets) for item in value]
    if isinstance(value, dict):
        return {without_secrets(key, secrets): without_secrets(item, secrets) for key, item in value.items()}
    return value
