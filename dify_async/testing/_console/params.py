"""Reading a query or a JSON body: what is missing or wrong is told as each release tells it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from dify_async.testing._console import errors
from dify_async.testing._console.http import Call, Refusal
from dify_async.testing._console.rules import Rules

_TRUE = {"true", "1"}
_FALSE = {"false", "0", ""}
_PYDANTIC_TRUE = {"true", "1", "yes", "y", "on", "t"}
_MAY_BE_EMPTY = {"PublishWorkflowPayload", "ModelConfigPayload"}  # null and [] count as {}
_PYDANTIC_FALSE = {"false", "0", "no", "n", "off", "f"}


class Params:
    """Reads values and collects what is wrong with them; `check()` refuses the call for it."""

    def __init__(
        self, rules: Rules, model: str, values: Mapping[str, Any], *, where: str = "query string"
    ) -> None:
        self.values = values
        self._rules, self._model, self._where = rules, model, where
        self._problems: list[errors.Problem] = []

    def wrong(self, name: str, plain: str, kind: str, detail: str, value: object = None) -> None:
        """Note that a value does not do; the answer shows it, or `value` in its place."""
        shown = self.values.get(name) if value is None else value
        self._problems.append(errors.Problem(name, plain, kind, detail, shown))

    def check(self) -> None:
        """Refuse the call if anything was wrong."""
        if self._problems:
            raise errors.invalid(self._rules, self._model, self._problems)

    def required(self, name: str) -> Any:
        """A value that must be there."""
        if name not in self.values:
            plain = f"Missing required parameter in the {self._where}"
            self.wrong(name, plain, "missing", "Field required", dict(self.values))
        return self.values.get(name)

    def integer(self, name: str, default: int, *, high: int) -> int:
        """A number from 1 to `high`."""
        text = self.values.get(name)
        if text is None:
            return default
        # pydantic takes "20.0" as well.
        whole = text.strip().removesuffix(".0") if self._rules.pydantic else text
        try:
            number = int(whole)
        except ValueError:
            detail = "Input should be a valid integer, unable to parse string as an integer"
            self.wrong(name, f"{text} is not a valid integer", "int_parsing", detail)
            return default
        plain = f"Invalid argument: {number}. argument must be within the range 1 - {high}"
        if number < 1:
            self.wrong(name, plain, "greater_than_equal", "Input should be greater than or equal to 1")
        elif number > high:
            self.wrong(name, plain, "less_than_equal", f"Input should be less than or equal to {high}")
        return number

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """One of a few texts."""
        text: str = self.values.get(name, default)
        if text not in choices:
            plain = f"The value '{text}' is not a valid choice for '{name}'."
            if not self._rules.errors_mapping:
                plain = f"{text} is not a valid choice"
            *others, last = map(repr, choices)
            detail = f"Input should be {', '.join(others)} or {last}"
            self.wrong(name, plain, "literal_error", detail)
        return text

    def member(self, name: str, choices: Sequence[str]) -> str | None:
        """One of an enum's texts; None where it is absent, and up to 1.10.1 where it is empty."""
        text = self.values.get(name)
        if text is None or text in choices or not (text or self._rules.pydantic):
            return text or None
        plain = f"The value '{text}' is not a valid choice for '{name}'."
        *others, last = map(repr, choices)
        self.wrong(name, plain, "enum", f"Input should be {', '.join(others)} or {last}")
        return None

    def flag(self, name: str) -> bool:
        """A yes or no; absent is no."""
        text = self.values.get(name)
        if text is None or isinstance(text, bool):
            return bool(text)
        yes, no = (_PYDANTIC_TRUE, _PYDANTIC_FALSE) if self._rules.pydantic else (_TRUE, _FALSE)
        if str(text).lower() not in yes | no:
            detail = "Input should be a valid boolean, unable to interpret input"
            self.wrong(name, f"Invalid literal for boolean(): {text}", "bool_parsing", detail)
        return str(text).lower() in yes


def is_uuid(text: object) -> bool:
    """Whether a text names a row."""
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


def body_params(rules: Rules, call: Call, model: str) -> Params:
    """The parameters in a JSON body."""
    return Params(rules, model, json_body(rules, call, model), where="JSON body")


def json_body(rules: Rules, call: Call, model: str) -> dict[str, Any]:
    """The JSON object that was sent; some releases take anything else for an empty one."""
    try:
        return _json_object(rules, call, model)
    except Refusal:
        if rules.lenient_json:
            return {}
        raise


def _json_object(rules: Rules, call: Call, model: str) -> dict[str, Any]:
    if errors.is_unprocessable(rules, model):
        content = _read(call) or {}
    elif model in _MAY_BE_EMPTY:
        content = _strictly(call) or {}
    else:
        content = _strictly(call)
    if isinstance(content, dict):
        return content
    detail = f"Input should be a valid dictionary or instance of {model}"
    raise errors.invalid(rules, model, [errors.Problem("", "", "model_type", detail, content)])


def _read(call: Call) -> object:
    """The JSON that was sent; None for anything else."""
    try:
        return _strictly(call)
    except Refusal:
        return None


def _strictly(call: Call) -> object:
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise errors.not_json()
    try:
        return msgspec.json.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise errors.bad_request() from None
