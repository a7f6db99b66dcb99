"""Pydantic's validation errors as one line, without the values that they echo. Pure."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Struct

_TITLE: Final = r"\s*(\d+) validation errors? for .*\n"
_ENTRY: Final = r"(?:(\S.*)\n)? {2}(\S.*?) \[type=.*\](?:\n {4}For further information visit .*)?(?:\n|\Z)"
# The reason may have several lines.
_FIRST_ENTRY: Final = r"(?:(\S.*)\n)? {2}(\S(?s:.*?)) \[type="
_LIST: Final = r"\s*\[\s*\{"
_ECHO: Final = r'input_value=|\\?"input\\?"\s*:'
_RULE: Final = "Input should be "
_UNREADABLE: Final = "the request failed validation"


class _InvalidField(Struct, frozen=True):
    """One entry of pydantic's list of errors. Its `input` may contain a password and is not read."""

    msg: str
    loc: object = None


def without_input(message: str | list[object]) -> str:
    """The message; pydantic's errors as "field: reason; field: reason".

    From 1.17 they are JSON as text [1.17-pre/08_app_put_missing_name], from 1.11 text of several lines
    [1.15.0/08_app_put_missing_name]. Both echo the request, so a message that cannot be parsed is replaced.
    """
    if isinstance(message, str) and (title := re.match(_TITLE, message)):
        entries = _entries_of_text(message[title.end() :], int(title[1]))
    elif isinstance(message, list) or re.match(_LIST, message):
        entries = _entries_of_list(message)
    elif not re.search(_ECHO, message):
        return message
    else:
        entries = []
    texts = (f"{name}: {_reworded(reason)}" if name else reason for name, reason in entries)
    return "; ".join(texts) or _UNREADABLE


def _reworded(reason: str) -> str:
    """The reason as it follows the name of a field: "must be one of 'a' or 'b'"."""
    if not reason.startswith(_RULE):
        return reason.removeprefix("Value error, ")
    rule = reason.removeprefix(_RULE)
    is_choice = rule.startswith("'") and " or " in rule
    return f"must be one of {rule}" if is_choice else f"must be {rule}"


def _entries_of_text(text: str, count: int) -> list[tuple[str, str]]:
    entries: list[tuple[str, str]] = re.findall(_ENTRY, text)
    if len(entries) == count and not re.sub(_ENTRY, "", text):
        return entries
    # An echoed value may look like an entry, but not before the first one.
    first = re.match(_FIRST_ENTRY, text)
    return [(first[1] or "", first[2])] if first else []


def _entries_of_list(value: str | list[object]) -> list[tuple[str, str]]:
    try:
        if isinstance(value, str):
            fields = msgspec.json.decode(value, type=list[_InvalidField])
        else:
            fields = msgspec.convert(value, list[_InvalidField])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return []
    return [(_name(field.loc), field.msg) for field in fields]


def _name(location: object) -> str:
    parts = location if isinstance(location, list) else [location]
    return ".".join(str(part) for part in parts if isinstance(part, str | int))
