"""Error answers, in the shape of each release."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from dify_async.testing._console.http import HTTPError
from dify_async.testing._console.rules import Rules

CSRF = "CSRF token is missing or invalid."
NO_BEARER = "Invalid Authorization token."
BAD_SCHEME = "Invalid Authorization header format. Expected 'Bearer <api-key>' format."
BANNED = "Account is banned."
KEY_LIMIT_REACHED = "Cannot create more than 10 API keys for this resource type."

# Payloads that 1.17 parses differently: an invalid value is a 422, and a body that is not JSON counts
# as empty. The others still answer 400 and 415.
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


def error(status: int, code: str, message: str) -> HTTPError:
    """An error of the server itself; the shape is the same in every release."""
    return HTTPError(status, {"code": code, "message": message, "status": status})


def unauthorized(message: str) -> HTTPError:
    """An invalid access token or CSRF token."""
    return error(401, "unauthorized", message)


def unknown_account() -> HTTPError:
    """A valid token of a deleted account: a different error handler, which omits the status."""
    return HTTPError(401, {"code": "unauthorized", "message": "Unauthorized."})


def not_setup() -> HTTPError:
    """The server is not set up yet."""
    return error(401, "not_setup", _NOT_SETUP)


def forbidden() -> HTTPError:
    """Not allowed for this account, or not on this server."""
    return error(403, "forbidden", _FORBIDDEN)


def bad_request(message: str = _BAD_JSON) -> HTTPError:
    """A check in a handler failed, or the body is not valid JSON."""
    return error(400, "bad_request", message)


def nul_character() -> HTTPError:
    """A text that the server's database cannot store."""
    return error(400, "invalid_param", "A string literal cannot contain NUL (0x00) characters.")


def not_json() -> HTTPError:
    """A body without a JSON content type."""
    return error(415, "unsupported_media_type", _NOT_JSON)


def app_not_found(message: str = "App not found.") -> HTTPError:
    """An unknown app, or an app of a mode that the route does not support."""
    return error(404, "app_not_found", message)


def internal(rules: Rules) -> HTTPError:
    """A crash of the server."""
    body: dict[str, Any] = {"message": "Internal Server Error", "code": "unknown"}
    return HTTPError(500, body | {"status": 500} if rules.status_in_500 else body)


def agent_not_published() -> HTTPError:
    """An unpublished agent cannot be enabled or have keys, since 1.17."""
    text = "Publish the Agent before enabling Web App or API access."
    return error(409, "agent_not_published", text)


def key_not_found(rules: Rules, message: str = "API key not found") -> HTTPError:
    """A 404 of the key routes, which has no code since 1.8."""
    return HTTPError(404, {"message": message} | ({"code": "unknown"} if rules.code_in_key_errors else {}))


def key_limit(rules: Rules, *, crashes: bool) -> HTTPError:
    """The eleventh key; some releases crash."""
    if crashes:
        return internal(rules)
    name = "code" if rules.code_in_key_errors else "custom"
    return HTTPError(400, {name: "max_keys_exceeded", "message": KEY_LIMIT_REACHED})


def from_status(rules: Rules, status: int) -> HTTPError:
    """The server's error for a bare status."""
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return internal(rules)
    phrase = _PHRASES.get(status, "Unknown Error")
    return error(status, phrase.lower().replace(" ", "_"), f"{phrase}.")


@dataclass(frozen=True)
class Problem:
    """One invalid parameter, in the words of reqparse (`plain`) and of pydantic (`kind`, `detail`)."""

    field: str
    plain: str
    kind: str
    detail: str
    value: object


def invalid(rules: Rules, model: str, problems: list[Problem]) -> HTTPError:
    """Invalid parameters; up to 1.10.1 only the first one is reported."""
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
        return HTTPError(400, {"errors": {first.field: first.plain}, "message": message})
    return HTTPError(400, {"code": "invalid_param", "message": first.plain, "params": first.field})


def _pydantic(rules: Rules, problem: Problem) -> list[str]:
    value = repr(problem.value)
    if len(value) > 50:  # as pydantic truncates it
        value = f"{value[:25]}...{value[-24:]}"
    kind = type(problem.value).__name__
    return [
        *([problem.field] if problem.field else []),
        f"  {problem.detail} [type={problem.kind}, input_value={value}, input_type={kind}]",
        f"    For further information visit {_url(rules, problem)}",
    ]


def is_unprocessable(rules: Rules, model: str) -> bool:
    """Whether this release answers invalid parameters of this payload with a 422."""
    return rules.unprocessable and model in UNPROCESSABLE


def _unprocessable(rules: Rules, problem: Problem) -> dict[str, Any]:
    """One entry of pydantic's list, with the value in clear."""
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


# By kind: the name of the value in `ctx`, and its pattern in the message.
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
