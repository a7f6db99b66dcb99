"""Argument checks. Each returns the checked value, or raises a `DifyConfigError` with a one-line message."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from functools import cache, partial
from types import MethodType
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, get_args

import msgspec
from msgspec import Meta

from .errors import DifyConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

T = TypeVar("T")

_Cached: Final = type(cache(len))
_LONE_SURROGATE: Final = r"[\ud800-\udfff]"


def each(check: Callable[[str, object], object], **values: object) -> None:
    """Apply one check to several arguments, each passed under its own name."""
    for name, value in values.items():
        check(name, value)


def integer(name: str, value: object, *, minimum: int = 1, maximum: int | None = None) -> int:
    """An integer within the bounds; a bool, a float or a string is rejected."""
    try:
        converted: int = msgspec.convert(value, Annotated[int, Meta(ge=minimum, le=maximum)])
    except msgspec.ValidationError:
        rule = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise refused(name, f"an integer {rule}", value) from None
    return converted


def number(name: str, value: object, *, minimum: float = 0.0, maximum: float | None = None) -> float:
    """A finite number within the bounds; a bool or a string is rejected."""
    bounds = Meta(ge=minimum, le=sys.float_info.max if maximum is None else maximum)
    return _number(
        name,
        value,
        bounds,
        f"of at least {minimum:g}" if maximum is None else f"from {minimum:g} to {maximum:g}",
    )


def positive(name: str, value: object) -> float:
    """A finite number greater than 0; a bool or a string is rejected."""
    return _number(name, value, Meta(gt=0, le=sys.float_info.max), "greater than 0")


def boolean(name: str, value: object) -> bool:
    """True or False; strings are rejected, because servers treat any string as true, even "false"."""
    if isinstance(value, bool):
        return value
    raise refused(name, "True or False", value)


def optional_boolean(name: str, value: object) -> bool | None:
    """True or False; None if not given."""
    return None if value is None else boolean(name, value)


def text(name: str, value: object) -> str:
    """A string that is not empty. Errors never show the value, because it may be a password or a code."""
    if isinstance(value, str) and value:
        return _encodable(name, value)
    if value == "":
        raise DifyConfigError(f"{name} must not be empty")
    raise DifyConfigError(f"{name} must be a string, got {described(value)}")


def optional_text(name: str, value: object) -> str | None:
    """Text, or None if not given; errors never show the value."""
    if isinstance(value, str | None):
        return value and _encodable(name, value)
    raise DifyConfigError(f"{name} must be a string or None, got {described(value)}")


def header_text(name: str, value: object) -> str:
    """Text that is allowed in an HTTP header; errors never show the value."""
    value = text(name, value)
    if value.isascii() and value.isprintable():
        return value
    raise DifyConfigError(f"{name} must be a string of printable ASCII characters, got other characters")


def texts(name: str, values: object) -> list[str]:
    """A list of the strings in an iterable; a single string is rejected, since it would be split up."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise refused(name, "a list of strings", values)
    items: list[Any] = list(values)
    for value in items:
        if not isinstance(value, str):
            raise DifyConfigError(f"{name} must be a list of strings, got a list with {described(value)}")
    return items


def one_of(name: str, value: object, choices: Collection[str]) -> str:
    """One of the choices; the error suggests the closest choice."""
    if isinstance(value, str) and value in choices:
        return value
    raise refused(name, f"one of {', '.join(choices)}", value, hint=suggestion(value, choices))


def optional_choice(name: str, value: object, literal: object) -> None:
    """Check that the value is one of the texts of a `Literal`, or None."""
    choices = get_args(literal)
    if value == "all" and value not in choices:  # as in Dify's own API
        raise refused(name, f"one of {', '.join(choices)}", value, hint="leave it out for all of them")
    if value is not None:
        one_of(name, value, choices)


def instance(name: str, value: object, kind: type[T], description: str) -> T:
    """An instance of a class; errors show the description, such as "a RetryPolicy"."""
    if isinstance(value, kind):
        return value
    raise DifyConfigError(f"{name} must be {description}, got {described(value)}")


def methods(name: str, value: object, names: Iterable[str], description: str) -> None:
    """Check that the value has these methods."""
    if not all(callable(getattr(value, method, None)) for method in names):
        raise DifyConfigError(f"{name} must be {description}, got {described(value)}")


def callback(name: str, value: T) -> T:
    """A function, or None. Coroutine functions are rejected, because they would never be awaited."""
    if value is None:
        return value
    if not callable(value):
        raise DifyConfigError(f"{name} must be a function, got {described(value)}")
    function = _unwrapped(value)
    for candidate in (function, type(function).__call__):
        if inspect.iscoroutinefunction(candidate) or inspect.isasyncgenfunction(candidate):
            raise DifyConfigError(
                f"{name} must be a plain function, got a coroutine function, which is never awaited;"
                " let a plain function start a task or put its arguments in a queue"
            )
    return value


def _unwrapped(function: Any) -> Any:
    # Not the __wrapped__ of other decorators: a plain wrapper may run the coroutine function in a task.
    while isinstance(function, partial | MethodType | _Cached):
        if isinstance(function, partial):
            function = function.func
        else:
            function = function.__func__ if isinstance(function, MethodType) else function.__wrapped__
    return function


def suggestion(value: object, choices: Iterable[str]) -> str:
    """The question "did you mean …?" with the closest choice; "" if none is close."""
    import difflib  # noqa: PLC0415 - only for errors

    close = difflib.get_close_matches(value, list(choices), n=1) if isinstance(value, str) else []
    return f"did you mean {str(close[0])!r}?" if close else ""  # it may be a StrEnum


def refused(name: str, rule: str, value: object, *, hint: str = "") -> DifyConfigError:
    """The error for a value that violates a rule; its message shows the value, shortened."""
    return DifyConfigError(f"{name} must be {rule}, got {shown(value)}{f'; {hint}' if hint else ''}")


def shown(value: object) -> str:
    """The repr of the value for error messages: one line, shortened to 60 characters."""
    try:
        line = repr(value)
    except Exception:  # noqa: BLE001 - any object may be passed, even one whose repr fails
        return described(value)
    return line if len(line) <= 60 else f"{line[:59]}…"


def _number(name: str, value: object, bounds: Meta, rule: str) -> float:
    try:
        converted: float = msgspec.convert(value, Annotated[float, bounds])
    except msgspec.ValidationError:
        raise refused(name, f"a number {rule}", value) from None
    return converted


def _encodable(name: str, value: str) -> str:
    # If an environment variable is not valid UTF-8, Python decodes its invalid bytes to lone surrogates.
    if re.search(_LONE_SURROGATE, value):
        raise DifyConfigError(f"{name} must be valid Unicode, got bytes of another encoding")
    return value


def described(value: object) -> str:
    """The type of a value that must not be shown, or "None"."""
    if value is None:
        return "None"
    # Masked text has its own class.
    return f"a value of type {'str' if isinstance(value, str) else type(value).__name__}"
