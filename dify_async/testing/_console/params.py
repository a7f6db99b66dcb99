"""Reads the values in a query or a JSON body; errors are worded as in each release."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from dify_async.testing._console import errors
from dify_async.testing._console.http import Call, HTTPError
from dify_async.testing._console.rules import Rules

_TRUE = {"true", "1"}
_FALSE = {"false", "0", ""}
_PYDANTIC_TRUE = {"true", "1", "yes", "y", "on", "t"}
_NULLABLE = {"PublishWorkflowPayload", "ModelConfigPayload"}  # null and [] count as {}
_PYDANTIC_FALSE = {"false", "0", "no", "n", "off", "f"}


class Params:
    """Reads values and collects problems with them, for which `check()` raises an error."""

    def __init__(
        self, rules: Rules, model: str, values: Mapping[str, Any], *, where: str = "query string"
    ) -> None:
        self.values = values
        self._rules, self._model, self._where = rules, model, where
        self._problems: list[errors.Problem] = []

    def reject(self, name: str, plain: str, kind: str, detail: str, value: object = None) -> None:
        """Record a problem with a value; the answer shows the value, or `value` instead."""
        shown = self.values.get(name) if value is None else value
        self._problems.append(errors.Problem(name, plain, kind, detail, shown))

    def check(self) -> None:
        """Raise the error for the recorded problems, if any."""
        if self._problems:
            raise errors.invalid(self._rules, self._model, self._problems)

    def required(self, name: str) -> Any:
        """A required value."""
        if name not in self.values:
            plain = f"Missing required parameter in the {self._where}"
            self.reject(name, plain, "missing", "Field required", dict(self.values))
        return self.values.get(name)

    def integer(self, name: str, default: int, *, high: int) -> int:
        """An integer from 1 to `high`."""
        text = self.values.get(name)
        if text is None:
            return default
        # pydantic accepts "20.0" too.
        whole = text.strip().removesuffix(".0") if self._rules.pydantic else text
        try:
            number = int(whole)
        except ValueError:
            detail = "Input should be a valid integer, unable to parse string as an integer"
            self.reject(name, f"{text} is not a valid integer", "int_parsing", detail)
            return default
        plain = f"Invalid argument: {number}. argument must be within the range 1 - {high}"
        if number < 1:
            self.reject(name, plain, "greater_than_equal", "Input should be greater than or equal to 1")
        elif number > high:
            self.reject(name, plain, "less_than_equal", f"Input should be less than or equal to {high}")
        return number

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """One of these strings."""
        text: str = self.values.get(name, default)
        if text not in choices:
            plain = f"The value '{text}' is not a valid choice for '{name}'."
            if not self._rules.errors_mapping:
                plain = f"{text} is not a valid choice"
            *others, last = map(repr, choices)
            detail = f"Input should be {', '.join(others)} or {last}"
            self.reject(name, plain, "literal_error", detail)
        return text

    def member(self, name: str, choices: Sequence[str]) -> str | None:
        """A member of an enum; None if it is absent and, up to 1.10.1, if it is empty."""
        text = self.values.get(name)
        if text is None or text in choices or not (text or self._rules.pydantic):
            return text or None
        plain = f"The value '{text}' is not a valid choice for '{name}'."
        *others, last = map(repr, choices)
        self.reject(name, plain, "enum", f"Input should be {', '.join(others)} or {last}")
        return None

    def flag(self, name: str) -> bool:
        """A boolean; False if it is absent."""
        text = self.values.get(name)
        if text is None or isinstance(text, bool):
            return bool(text)
        yes, no = (_PYDANTIC_TRUE, _PYDANTIC_FALSE) if self._rules.pydantic else (_TRUE, _FALSE)
        if str(text).lower() not in yes | no:
            detail = "Input should be a valid boolean, unable to interpret input"
            self.reject(name, f"Invalid literal for boolean(): {text}", "bool_parsing", detail)
        return str(text).lower() in yes


def is_uuid(text: object) -> bool:
    """Whether this is the text of a UUID."""
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


def body_params(rules: Rules, call: Call, model: str) -> Params:
    """The parameters in a JSON body."""
    return Params(rules, model, json_body(rules, call, model), where="JSON body")


def json_body(rules: Rules, call: Call, model: str) -> dict[str, Any]:
    """The JSON object in the body; some releases read anything else as an empty one."""
    try:
        return _json_object(rules, call, model)
    except HTTPError:
        if rules.lenient_json:
            return {}
        raise


def _json_object(rules: Rules, call: Call, model: str) -> dict[str, Any]:
    if errors.is_unprocessable(rules, model):
        content = _decode_or_none(call) or {}
    elif model in _NULLABLE:
        content = _decode(call) or {}
    else:
        content = _decode(call)
    if isinstance(content, dict):
        return content
    detail = f"Input should be a valid dictionary or instance of {model}"
    raise errors.invalid(rules, model, [errors.Problem("", "", "model_type", detail, content)])


def _decode_or_none(call: Call) -> object:
    """The JSON in the body; None if it is not JSON."""
    try:
        return _decode(call)
    except HTTPError:
        return None


def _decode(call: Call) -> object:
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise errors.not_json()
    try:
        return msgspec.json.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise errors.bad_request() from None
