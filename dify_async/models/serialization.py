"""Answers as plain Python values and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from msgspec import UNSET


class Serializable:
    """A struct with `to_dict()` and `to_json()`."""

    __slots__ = ()

    __struct_fields__: ClassVar[tuple[str, ...]]

    def to_dict(self) -> dict[str, object]:
        """The fields as plain Python values, ready for a FastAPI route or `json.dumps`.

        Dates and times are ISO 8601 strings, and decimals are strings without an exponent, such as
        "0.0000012"; timestamps are Unix seconds. Secrets, such as API keys, are not masked.
        """
        fields = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: plain(value) for name, value in fields if value is not UNSET}

    def to_json(self) -> str:
        """The result of `to_dict()` as JSON, in one line."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)


def plain(value: object) -> object:
    """The value with types of JSON only; types that JSON lacks become text."""
    if type(value) in _JSON_TYPES:
        return value
    if isinstance(value, Serializable):
        return value.to_dict()
    if isinstance(value, Decimal):
        return format(value, "f")  # Decimal("0E-7") is 0.0000000
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        # Most are numbers of a series: a call for each would take three times as long.
        return [one if type(one) in _JSON_TYPES else plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else str(value)


_JSON_TYPES: Final = frozenset({bool, float, int, str, type(None)})
