"""Responses to a login that have no tokens: Dify's verdict on the account, or something else. Pure."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from dify_async._http.wire import (
    ErrorBody,
    Reply,
    error_body,
    is_about_the_token,
    is_not_about_the_account,
    redact,
    status_error,
)
from dify_async.errors import DifyDecodeError, DifyLoginError, DifyLoginLockedError

if TYPE_CHECKING:
    from dify_async.errors import DifyError, DifyStatusError

# The statuses of Dify's verdicts on an account; 422 from 1.17.0.
_VERDICTS: Final = frozenset({200, 400, 401, 403, 422})
# What a program can do, as the last sentence of an error.
_WAIT: Final = "The client retries once an hour; login() retries now."
_CORRECT: Final = "Correct it, then call login() or create a new client."
_USE_ANOTHER: Final = "Use an admin API key, or an emailed code with login_with_code()."
_TRY_AGAIN: Final = "Call login() to try again."
_ADVICE: Final = (_WAIT, _CORRECT, _USE_ANOTHER, _TRY_AGAIN)
_LOCKED: Final = "email_code_login_limit"  # sic: the lock after wrong passwords
_REJECTED: Final = "Dify rejected the email or password", _CORRECT
_MALFORMED: Final = "the server does not accept the form of the email or the password", _CORRECT
# By code or status.
_REASONS: Final[dict[str | int, tuple[str, str]]] = {
    _LOCKED: ("the account is locked after too many wrong passwords, by default for 24 hours", _WAIT),
    "authentication_failed": _REJECTED,  # from 1.8.0
    "email_or_password_mismatch": _REJECTED,  # up to 1.7
    "account_not_found": _REJECTED,
    "forbidden": ("the server does not allow logging in with a password", _USE_ANOTHER),
    400: _MALFORMED,
    422: _MALFORMED,
}
# The errors for invalid requests echo the password, decoded [1.11.2/01_login_missing_email].
_ECHOES: Final = frozenset({"invalid_param", "unprocessable_entity"})


def _without(secret: str, reply: Reply) -> Reply:
    """The response without the secret of the request, which servers and proxies may echo."""
    body = reply.body
    forms = {secret, msgspec.json.encode(str(secret)).decode()[1:-1], json.dumps(secret)[1:-1]}
    forms |= {json.dumps(form)[1:-1] for form in forms}  # JSON in a JSON string, from 1.17.0
    for form in {*forms, base64.b64encode(secret.encode()).decode()} - {""}:
        body = body.replace(form.encode(), b"***")
    return replace(reply, body=body)


def is_verdict(reply: Reply, error: DifyStatusError, *, is_from_dify: bool) -> bool:
    """Whether Dify decided about the account; not if the response is from a gateway, or about a token."""
    body = error_body(reply.body)
    if body is None or not is_from_dify or reply.status not in _VERDICTS:
        return False
    has_shape = isinstance(body.code, str) or body.result == "fail" or isinstance(body.errors, dict)
    return has_shape and not is_about_the_token(reply) and not is_not_about_the_account(error)


def refusal(reply: Reply, path: str, secret: str, *, is_from_dify: bool = True) -> DifyError:
    """The error for a response to a login without tokens; a `DifyLoginError` if it is Dify's verdict.

    `secret` is the password or code that was sent. `is_from_dify` is false if a proxy has replaced the
    response.
    """
    reply = _without(secret, reply)
    error = status_error("POST", path, reply)
    if not is_from_dify:
        error.code = None  # it is a code of the proxy
    error_class: type[DifyLoginError] = DifyLoginError
    if error.code == _LOCKED:
        error_class = DifyLoginLockedError
    elif not is_verdict(reply, error, is_from_dify=is_from_dify):
        if reply.status < 300:
            return DifyDecodeError(
                f"POST {path}: the response has no tokens and is not Dify's. Check base_url."
            )
        return error
    body = error_body(reply.body) or ErrorBody()
    # Up to 1.8.1, if there is a code, `data` is a token for registering.
    data = body.data if isinstance(body.data, str) and error.code is None else ""
    echoes = error.code in _ECHOES or reply.status == 422 or body.errors is not None
    message = "" if echoes else (error.message or redact(data)).rstrip(".")
    if "code" in path:
        reason, advice = message or "the code was rejected", "Call request_login_code() for another code."
    elif error.message == "Invalid encrypted data":
        reason, advice = "the server could not decode the password", "Check server_version."
    else:
        known = _REASONS.get(error.code or "") or (None if message else _REASONS.get(reply.status))
        reason, advice = known or (message or "the login was rejected", _TRY_AGAIN)
    return error_class(
        _text(path, reply.status, error.code, reason, advice),
        status=reply.status,
        code=error.code,
        message="" if echoes else error.message or redact(data),
        method="POST",
        path=path,
        retry_after=error.retry_after,
    )


def without_advice(error: DifyError) -> str:
    """The text of an error of a login as a sentence, without the advice."""
    text = str(error)
    for advice in _ADVICE:
        text = text.removesuffix(f" {advice}")
    return text if text.endswith((".", "?")) else f"{text}."


def still_locked() -> DifyLoginLockedError:
    """The error while no password is sent, because Dify responded that the account is locked."""
    reason, advice = _REASONS[_LOCKED]
    text = _text("/login", 429, _LOCKED, reason, advice)
    return DifyLoginLockedError(text, status=429, code=_LOCKED, method="POST", path="/login")


def _text(path: str, status: int, code: str | None, reason: str, advice: str) -> str:
    return f"POST {path}: {status}{f' {code}' if code else ''}: {reason}. {advice}"


def no_password_login() -> DifyLoginError:
    """The error if the server does not allow passwords; none is sent."""
    return DifyLoginError(
        "GET /system-features: the server does not allow logging in with a password"
        f" (enable_email_password_login is false). {_USE_ANOTHER}",
        method="GET",
        path="/system-features",
    )


def code_session_ended() -> DifyLoginError:
    """The error if a session that began with an emailed code has ended; the password may not be one."""
    return DifyLoginError(
        "POST /refresh-token: the session from an emailed code has ended. Call login_with_code() with a new"
        " code, or login() to log in with the password.",
        method="POST",
        path="/refresh-token",
    )
