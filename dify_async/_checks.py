"""Argument checks. Each returns the value with its type, or raises a `DifyConfigError` of one line."""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Iterable
from functools import cache, partial
from types import MethodType
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from .errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

T = TypeVar("T")

_Cached: Final = type(cache(len))
_HALF_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


def each(check: Callable[[str, object], object], **values: object) -> None:
    """Apply one check to several arguments, by their names."""
    for name, value in values.items():
        check(name, value)


def integer(name: str, value: object, *, minimum: int = 1, maximum: int | None = None) -> int:
    """An integer within the bounds; not a bool, a float or text."""
    try:
        found: int = msgspec.convert(value, Annotated[int, Meta(ge=minimum, le=maximum)])
    except msgspec.ValidationError:
        rule = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise refused(name, f"an integer {rule}", value) from None
    return found


def number(name: str, value: object, *, minimum: float = 0.0, maximum: float | None = None) -> float:
    """A finite number within the bounds; not a bool or text."""
    bounds = Meta(ge=minimum, le=sys.float_info.max if maximum is None else maximum)
    return _number(
        name,
        value,
        bounds,
        f"of at least {minimum:g}" if maximum is None else f"from {minimum:g} to {maximum:g}",
    )


def positive(name: str, value: object) -> float:
    """A finite number greater than 0; not a bool or text."""
    return _number(name, value, Meta(gt=0, le=sys.float_info.max), "greater than 0")


def boolean(name: str, value: object) -> bool:
    """True or False: servers take any text for true, even "false"."""
    if isinstance(value, bool):
        return value
    raise refused(name, "True or False", value)


def optional_boolean(name: str, value: object) -> bool | None:
    """True, False, or None if it was not given."""
    return None if value is None else boolean(name, value)


def text(name: str, value: object) -> str:
    """Text that is not empty. The value is never shown: it may be a password or a code."""
    if isinstance(value, str) and value:
        return _encodable(name, value)
    raise DifyConfigError(f"{name} must be text, got {'empty text' if value == '' else _kind(value)}")


def optional_text(name: str, value: object) -> str | None:
    """Text, or None if it was not given; the value is never shown."""
    if isinstance(value, str | None):
        return value and _encodable(name, value)
    raise DifyConfigError(f"{name} must be text or None, got {_kind(value)}")


def header_text(name: str, value: object) -> str:
    """Text that an HTTP header can hold; the value is never shown."""
    value = text(name, value)
    if value.isascii() and value.isprintable():
        return value
    raise DifyConfigError(f"{name} must be printable ASCII text, got other characters")


def texts(name: str, values: object) -> list[str]:
    """The texts of an iterable; a single text is refused, since it would be read letter by letter."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise refused(name, "a list of texts", values)
    found: list[Any] = list(values)
    for value in found:
        if not isinstance(value, str):
            raise DifyConfigError(f"{name} must be a list of texts, got one with {_kind(value)}")
    return found


def optional_texts(name: str, values: object) -> list[str]:
    """The texts of an iterable, or [] if it was not given."""
    return [] if values is None else texts(name, values)


def one_of(name: str, value: object, choices: Collection[str]) -> str:
    """One of the choices; the error suggests the closest one."""
    if isinstance(value, str) and value in choices:
        return value
    raise refused(name, f"one of {', '.join(choices)}", value, hint=suggestion(value, choices))


def instance(name: str, value: object, kind: type[T], description: str) -> T:
    """An instance of a class, described as "a RetryPolicy"."""
    if isinstance(value, kind):
        return value
    raise DifyConfigError(f"{name} must be {description}, got {_kind(value)}")


def methods(name: str, value: object, names: Iterable[str], description: str) -> None:
    """An object with these methods."""
    if not all(callable(getattr(value, method, None)) for method in names):
        raise DifyConfigError(f"{name} must be {description}, got {_kind(value)}")


def callback(name: str, value: T) -> T:
    """A function, or None. Coroutine functions are refused, since nothing would await them."""
    if value is None:
        return value
    if not callable(value):
        raise DifyConfigError(f"{name} must be a function, got {_kind(value)}")
    function = _unwrapped(value)
    for one in (function, type(function).__call__):
        if inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one):
            raise DifyConfigError(
                f"{name} must be a plain function, got a coroutine function, which is never awaited;"
                " let a plain function start a task or put its arguments in a queue"
            )
    return value


def _unwrapped(function: Any) -> Any:
    # Not __wrapped__ of other decorators: a plain function may start a task that runs the wrapped one.
    while isinstance(function, partial | MethodType | _Cached):
        if isinstance(function, partial):
            function = function.func
        else:
            function = function.__func__ if isinstance(function, MethodType) else function.__wrapped__
    return function


def suggestion(value: object, choices: Iterable[str]) -> str:
    """The words "did you mean …?", or "" if no choice is close."""
    close = difflib.get_close_matches(value, list(choices), n=1) if isinstance(value, str) else []
    return f"did you mean {close[0]!r}?" if close else ""


def refused(name: str, rule: str, value: object, *, hint: str = "") -> DifyConfigError:
    """The error for a value that breaks a rule, with the value, shortened."""
    return DifyConfigError(f"{name} must be {rule}, got {shown(value)}{f'; {hint}' if hint else ''}")


def shown(value: object) -> str:
    """The value as error messages show it: one line of at most 60 characters."""
    try:
        line = repr(value)
    except Exception:  # noqa: BLE001 - any object may be passed, even one whose repr fails
        return _kind(value)
    return line if len(line) <= 60 else f"{line[:59]}…"


def _number(name: str, value: object, bounds: Meta, rule: str) -> float:
    try:
        found: float = msgspec.convert(value, Annotated[float, bounds])
    except msgspec.ValidationError:
        raise refused(name, f"a number {rule}", value) from None
    return found


def _encodable(name: str, value: str) -> str:
    # Python decodes bytes of another encoding in the environment to halves of surrogate pairs.
    if _HALF_SURROGATE.search(value):
        raise DifyConfigError(f"{name} must be valid Unicode, got bytes of another encoding")
    return value


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
