"""Error answers, in the shape that each release gives them."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from dify_async.testing._console.http import Refusal
from dify_async.testing._console.rules import Rules

CSRF = "CSRF token is missing or invalid."
NO_BEARER = "Invalid Authorization token."
BAD_SCHEME = "Invalid Authorization header format. Expected 'Bearer <api-key>' format."
BANNED = "Account is banned."
KEY_CAP = "Cannot create more than 10 API keys for this resource type."

# What 1.17 parses differently: an invalid value is a 422, and a body that is not JSON counts as empty.
# All others still answer 400 and 415.
UNPROCESSABLE: Final = {
    *("LoginPayload", "EmailPayload", "EmailCodeLoginPayload", "AccountProfilePayload"),
    *("CreateAppPayload", "UpdateAppPayload", "CopyAppPayload", "AppImportPayload", "AppApiStatusPayload"),
    *("DocumentRetryPayload", "ChatConversationQuery", "WorkflowRunListQuery", "WorkflowAppLogQuery"),
    *("FeedbackExportQuery", "AppExportQuery"),
}

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_NOT_SETUP = (
    "Dify has not been initialized and installed yet. "
    "Please proceed with the initialization and installation process first."
)
_FORBIDDEN = (
    "You don't have the permission to access the requested resource. "
    "It is either read-protected or not readable by the server."
)
_NOT_JSON = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
_BAD_JSON = "The browser (or proxy) sent a request that this server could not understand."


def error(status: int, code: str, message: str) -> Refusal:
    """The server's own errors have this shape in every release."""
    return Refusal(status, {"code": code, "message": message, "status": status})


def unauthorized(message: str) -> Refusal:
    """A token or CSRF that does not do."""
    return error(401, "unauthorized", message)


def unknown_user() -> Refusal:
    """A good token of an account that is gone: another handler, hence no status."""
    return Refusal(401, {"code": "unauthorized", "message": "Unauthorized."})


def not_setup() -> Refusal:
    """Nobody has set the server up yet."""
    return error(401, "not_setup", _NOT_SETUP)


def forbidden() -> Refusal:
    """Not for this account, or not on this server."""
    return error(403, "forbidden", _FORBIDDEN)


def bad_request(message: str = _BAD_JSON) -> Refusal:
    """A handler's own check, or JSON that is none."""
    return error(400, "bad_request", message)


def nul_character() -> Refusal:
    """A text that the server's database cannot hold."""
    return error(400, "invalid_param", "A string literal cannot contain NUL (0x00) characters.")


def not_json() -> Refusal:
    """A body without a JSON content type."""
    return error(415, "unsupported_media_type", _NOT_JSON)


def app_not_found(message: str = "App not found.") -> Refusal:
    """Unknown app, or one of a mode that the route does not serve."""
    return error(404, "app_not_found", message)


def internal(rules: Rules) -> Refusal:
    """The server's own bugs."""
    body: dict[str, Any] = {"message": "Internal Server Error", "code": "unknown"}
    return Refusal(500, body | {"status": 500} if rules.status_in_500 else body)


def agent_not_published() -> Refusal:
    """An unpublished agent cannot be reached, from 1.17."""
    text = "Publish the Agent before enabling Web App or API access."
    return error(409, "agent_not_published", text)


def key_not_found(rules: Rules, message: str = "API key not found") -> Refusal:
    """A 404 of the key routes, which have no code since 1.8."""
    return Refusal(404, {"message": message} | ({"code": "unknown"} if rules.code_in_key_errors else {}))


def key_cap(rules: Rules, *, crashes: bool) -> Refusal:
    """The eleventh key; some releases crash over it."""
    if crashes:
        return internal(rules)
    name = "code" if rules.code_in_key_errors else "custom"
    return Refusal(400, {name: "max_keys_exceeded", "message": KEY_CAP})


def of_status(rules: Rules, status: int) -> Refusal:
    """What the server says for a bare status."""
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return internal(rules)
    phrase = _PHRASES.get(status, "Unknown Error")
    return error(status, phrase.lower().replace(" ", "_"), f"{phrase}.")


@dataclass(frozen=True)
class Problem:
    """One parameter that does not do, in the words of reqparse and in those of pydantic."""

    field: str
    plain: str
    kind: str
    detail: str
    value: object


def invalid(rules: Rules, model: str, problems: list[Problem]) -> Refusal:
    """Parameters that do not do; up to 1.10.1 only the first is told."""
    first = problems[0]
    if is_unprocessable(rules, model):
        details = [_unprocessable(rules, problem) for problem in problems]
        return error(422, "unprocessable_entity", msgspec.json.encode(details).decode())
    if rules.pydantic:
        lines = [f"{len(problems)} validation error{'s' * (len(problems) > 1)} for {model}"]
        lines += [line for problem in problems for line in _pydantic(rules, problem)]
        return error(400, "invalid_param", "\n".join(lines))
    if rules.errors_mapping:
        message = "Input payload validation failed"
        return Refusal(400, {"errors": {first.field: first.plain}, "message": message})
    return Refusal(400, {"code": "invalid_param", "message": first.plain, "params": first.field})


def _pydantic(rules: Rules, problem: Problem) -> list[str]:
    value = repr(problem.value)
    if len(value) > 50:  # pydantic's own cut
        value = f"{value[:25]}...{value[-24:]}"
    kind = type(problem.value).__name__
    return [
        *([problem.field] if problem.field else []),
        f"  {problem.detail} [type={problem.kind}, input_value={value}, input_type={kind}]",
        f"    For further information visit {_url(rules, problem)}",
    ]


def is_unprocessable(rules: Rules, model: str) -> bool:
    """Whether this release answers faults in these parameters with a 422."""
    return rules.unprocessable and model in UNPROCESSABLE


def _unprocessable(rules: Rules, problem: Problem) -> dict[str, Any]:
    """One entry of pydantic's list, with what was sent, in clear."""
    detail = {
        "type": problem.kind,
        "loc": [problem.field] if problem.field else [],
        "msg": problem.detail,
        "input": problem.value,
    }
    name, pattern = _CONTEXT.get(problem.kind, ("", ""))
    if name and (found := re.search(pattern, problem.detail)):
        value = found[1]
        detail["ctx"] = {name: int(value) if value.isdecimal() else value}
    return {**detail, "url": _url(rules, problem)}


# By kind: the name of the value in `ctx`, and the pattern that finds it in the message.
_NUMBER = r"(\d+)"
_CONTEXT = {
    "value_error": ("error", r"Value error, (.*)"),
    "literal_error": ("expected", r"Input should be (.*)"),
    "enum": ("expected", r"Input should be (.*)"),
    "uuid_parsing": ("error", r"valid UUID, (.*)"),
    "greater_than_equal": ("ge", _NUMBER),
    "less_than_equal": ("le", _NUMBER),
    "string_too_short": ("min_length", _NUMBER),
    "string_too_long": ("max_length", _NUMBER),
    "model_type": ("class_name", r"(\w+)$"),
}


def _url(rules: Rules, problem: Problem) -> str:
    return f"https://errors.pydantic.dev/{'2.12' if rules.pydantic_2_12 else '2.11'}/v/{problem.kind}"
