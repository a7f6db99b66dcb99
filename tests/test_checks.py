"""Argument checks: accepted values, and the error for the others."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dify_async import DifyConfigError
from dify_async import _checks as checks
from dify_async._secrets import Secret


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("incomplete")


INVALID: list[tuple[str, object, str]] = [
    ("integer", True, "x must be an integer of at least 1, got True"),
    ("integer", 1.0, "x must be an integer of at least 1, got 1.0"),
    ("integer", "1", "x must be an integer of at least 1, got '1'"),
    ("integer", 0, "x must be an integer of at least 1, got 0"),
    ("integer", None, "x must be an integer of at least 1, got None"),
    ("integer", Unprintable(), "x must be an integer of at least 1, got a value of type Unprintable"),
    ("number", True, "x must be a number of at least 0, got True"),
    ("number", math.nan, "x must be a number of at least 0, got nan"),
    ("number", math.inf, "x must be a number of at least 0, got inf"),
    ("number", 10**400, f"x must be a number of at least 0, got 1{'0' * 58}…"),
    ("number", -0.1, "x must be a number of at least 0, got -0.1"),
    ("positive", 0, "x must be a number greater than 0, got 0"),
    ("positive", True, "x must be a number greater than 0, got True"),
    ("boolean", "false", "x must be True or False, got 'false'"),
    ("boolean", None, "x must be True or False, got None"),
    ("optional_boolean", 1, "x must be True or False, got 1"),
    ("text", "", "x must not be empty"),
    ("text", b"secret", "x must be a string, got a value of type bytes"),
    ("text", None, "x must be a string, got None"),
    ("text", "\udce9", "x must be valid Unicode, got bytes of another encoding"),
    ("optional_text", 7, "x must be a string or None, got a value of type int"),
    ("optional_text", "\udce9", "x must be valid Unicode, got bytes of another encoding"),
    ("header_text", "a\nb", "x must be a string of printable ASCII characters, got other characters"),
    ("header_text", "ä", "x must be a string of printable ASCII characters, got other characters"),
    ("header_text", None, "x must be a string, got None"),
    ("callback", Secret("secret"), "x must be a function, got a value of type str"),
    ("callback", 5, "x must be a function, got a value of type int"),
    ("texts", "id", "x must be a list of strings, got 'id'"),
    ("texts", 7, "x must be a list of strings, got 7"),
    ("texts", ["a", None], "x must be a list of strings, got a list with None"),
]


@pytest.mark.parametrize(("check", "value", "message"), INVALID)
def test_refused_values(check: str, value: object, message: str) -> None:
    with pytest.raises(DifyConfigError) as caught:
        getattr(checks, check)("x", value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("check", "value"),
    [
        ("integer", 2**70),
        ("number", 0),
        ("number", 1.5),
        ("positive", 1e-9),
        ("boolean", False),
        ("optional_boolean", None),
        ("text", "a"),
        ("optional_text", ""),
        ("optional_text", None),
        ("texts", ["a", "b"]),
        ("texts", []),
        ("header_text", "key"),
        ("callback", print),
        ("callback", None),
    ],
)
def test_accepted_values_are_returned(check: str, value: object) -> None:
    result: Any = getattr(checks, check)("x", value)
    assert result == value


def test_the_error_names_the_bounds() -> None:
    with pytest.raises(DifyConfigError, match=r"^page must be an integer from 1 to 99999, got 100000$"):
        checks.integer("page", 100_000, maximum=99_999)
    with pytest.raises(DifyConfigError, match=r"^lock_timeout must be a number from 1 to 60, got 61$"):
        checks.number("lock_timeout", 61, minimum=1, maximum=60)


def test_a_misspelt_choice_gets_a_suggestion() -> None:
    with pytest.raises(
        DifyConfigError, match=r"^mode must be one of chat, workflow, got 'chatt'; did you mean 'chat'\?$"
    ):
        checks.one_of("mode", "chatt", ("chat", "workflow"))
    with pytest.raises(DifyConfigError, match=r"^mode must be one of chat, workflow, got 7$"):
        checks.one_of("mode", 7, ("chat", "workflow"))


def test_values_of_another_class_are_not_shown() -> None:
    assert checks.instance("x", 1, int, "an int") == 1
    with pytest.raises(DifyConfigError, match=r"^retry must be a RetryPolicy, got a value of type str$"):
        checks.instance("retry", "secret", int, "a RetryPolicy")


def test_an_object_without_the_methods() -> None:
    checks.methods("x", {}, ("keys", "items"), "a mapping")
    with pytest.raises(DifyConfigError, match=r"^x must be a mapping, got a value of type str$"):
        checks.methods("x", "secret", ("keys", "items"), "a mapping")


def test_the_same_check_for_several_arguments() -> None:
    checks.each(checks.text, a="x", b="y")
    with pytest.raises(DifyConfigError, match=r"^b must not be empty$"):
        checks.each(checks.text, a="x", b="")
