"""Checks of the numbers that a test sets."""

import math
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Final

_MAX_COUNT: Final = 2**63
_PRICE_UNIT: Final = Decimal("1E-7")  # of a price on the server, in USD


def count(name: str, value: object) -> int:
    """A count, such as a number of tokens."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_COUNT:
        raise ValueError(f"{name} must be an integer of at least 0, got {value!r}.")
    return value


def number(name: str, value: object) -> float:
    """A number that is not a count, such as a rate."""
    return float(decimal(name, value if isinstance(value, int | float | Decimal) else None))


def decimal(name: str, value: object) -> Decimal:
    """A price, which may also be text."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal(math.nan)
    if isinstance(value, bool) or not found.is_finite() or found < 0:
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}.")
    return found


def price(name: str, value: object) -> int:
    """A price in the units of `Message.price`."""
    units = decimal(name, value) / _PRICE_UNIT
    if units != int(units):
        raise ValueError(f"{name} must have at most 7 decimal places, as on a server, got {value!r}.")
    return int(units)


def one_of(what: str, value: object, known: Iterable[str]) -> None:
    """Raise an error with a suggestion if the value is not known."""
    names = list(known)
    if value not in names:
        close = get_close_matches(str(value), names, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Use one of {', '.join(names)}."
        raise ValueError(f"{value!r} is not {what}. {hint}")
