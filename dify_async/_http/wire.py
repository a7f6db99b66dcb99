"""Requests and responses, and decoding a response to a value or an error. No I/O."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeGuard

import msgspec
from msgspec import Struct

from dify_async._secrets import secrets_of, without_secrets
from dify_async.errors import DifyDecodeError, DifyStatusError, status_error_class
from dify_async.models.base import Masked

from .hints import hint_of, hint_of_unreadable
from .validation import without_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yarl import URL

# For invalid UTF-8 and for deep nesting, msgspec raises built-in errors instead of a MsgspecError.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

# Codes of 401s that new tokens do not fix. Dify 1.13 checks the licence on every route.
_NOT_ABOUT_THE_TOKEN: Final = frozenset({"not_setup", "not_init_validated", "unauthorized_and_force_logout"})
_VERSION: Final = r"(?a)v?\d{1,6}\.\d{1,6}[\w.+-]{0,40}$"
_ABOUT_THE_TOKEN: Final = r"(?i)token|signature|csrf"  # noqa: S105 - a pattern
# API keys, JWTs and refresh tokens.
_CREDENTIAL: Final = r"\b(?:app|dataset|ds)-[A-Za-z0-9]{16,}|\beyJ[\w-]+(?:\.[\w-]+)*|\b[0-9a-f]{100,}\b"
_MAX_MESSAGE_LENGTH: Final = 1000
# Longer strings are cut before they are searched for secrets, because the rest is never shown.
_MAX_SEARCHED: Final = 2**16


class Headers(Protocol):
    """The headers of a response, by case-insensitive name."""

    def get(self, name: str, /) -> str | None:
        """The first value, or None."""
        ...

    def getall(self, name: str, default: list[str], /) -> list[str]:
        """All values; the default if there are none."""
        ...


class Request(Masked, frozen=True):
    """A request, ready to be sent.

    Attributes:
        route: The path, with {} in place of each id.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"headers", "body"})

    method: str
    route: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


class Reply(Masked, frozen=True):
    """A response from the server.

    Attributes:
        base_path: The path of `base_url`, usually "".
        sent: The headers of the request. The server may echo their secrets, so errors must not show them.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"headers", "body", "sent"})

    status: int
    headers: Headers
    body: bytes
    base_path: str = ""
    sent: Mapping[str, str] = MappingProxyType({})

    @property
    def version(self) -> str:
        """Dify's version; "" if a proxy removes it, or if the response is not from Dify."""
        value = self.headers.get("X-Version") or ""
        return value if re.match(_VERSION, value) and self._looks_like_dify else ""

    @property
    def _looks_like_dify(self) -> bool:
        """Whether the response has the format of Dify's responses. Pages and errors from proxies do not."""
        if self.status < 300:
            return "html" not in (self.headers.get("Content-Type") or "")
        body = error_body(self.body) or ErrorBody()
        codes = (body.code, body.custom)
        return any(isinstance(code, str) for code in codes) or body.result == "fail" or bool(body.errors)


class ErrorBody(Struct, frozen=True):
    """The fields of an error body. No body has all of them."""

    code: object = None
    custom: object = None  # since 1.8, in place of `code` if the limit on API keys is reached
    message: object = None
    errors: object = None  # from 1.8.0 to 1.10.1: one message per invalid parameter
    result: object = None  # "fail" if a login or refresh failed
    data: object = None  # up to 1.9.1: the message of a failed login or refresh
    error: object = None  # the message of a failed import


def error_body(body: bytes) -> ErrorBody | None:
    """Decode the body of an error; None if it is not a JSON object."""
    try:
        return msgspec.json.decode(body, type=ErrorBody, strict=False)
    except UNREADABLE:
        return None


def decoder_of(model: Any) -> Callable[[bytes], Any]:
    """A function that decodes a JSON body to this type."""
    # Not strict: some versions and databases send integers as strings ("1234") or as 12.0.
    return msgspec.json.Decoder(model, strict=False).decode


def decode_error(method: str, path: str, reply: Reply, error: Exception) -> DifyDecodeError:
    """The error for a successful response that cannot be decoded."""
    # The message of a UnicodeDecodeError contains the whole body.
    reason = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    content_type = reply.headers.get("Content-Type") or "no content type"
    hint = hint_of_unreadable(content_type, reply.base_path)
    return DifyDecodeError(
        f"{method} {path}: cannot read the response"
        f" ({reply.status}, {redact(content_type[:60])}, {len(reply.body)} bytes):"
        f" {redact(reason)}{f'. {hint}' if hint else ''}"
    )


def decode_empty(body: bytes) -> None:
    """Check a response without content.

    It may be a 204, a 200 with the body `204` (DELETE /tags up to 1.14), or {"result": "success"}.
    """
    if body.strip():
        msgspec.json.decode(body, type=dict[str, object] | int)


def status_error(method: str, path: str, reply: Reply, attempts: int = 1) -> DifyStatusError:
    """The error for a response with an error status."""
    secrets = secrets_of(reply.sent)
    body = _without_secrets(error_body(reply.body) or ErrorBody(), secrets)
    code = next((redact(text) for text in (body.code, body.custom) if isinstance(text, str) and text), None)
    message = _message(body)
    text = f"{method} {path}: {reply.status}"
    if code:
        text += f" {code}"
    if message:
        text += f": {' '.join(message.split())}"
    if attempts > 1:
        text += f" ({attempts} attempts)"
    hint = hint_of(
        reply.status,
        code,
        path,
        get_header=reply.headers.get,
        challenges=", ".join(reply.headers.getall("WWW-Authenticate", [])),
        body=reply.body,
        base_path=reply.base_path,
    )
    if hint:
        text = f"{text.removesuffix('.')}. {redact(str(without_secrets(hint, secrets)))}"
    return status_error_class(reply.status)(
        text,
        status=reply.status,
        code=code,
        message=message,
        method=method,
        path=path,
        retry_after=retry_after(reply.headers),
    )


def _without_secrets(body: ErrorBody, secrets: list[str]) -> ErrorBody:
    return ErrorBody(*(without_secrets(getattr(body, name), secrets) for name in body.__struct_fields__))


def redact(text: str) -> str:
    """Remove keys and tokens from a string, shorten it, and make it encodable as UTF-8."""
    # aiohttp decodes invalid UTF-8 in headers to lone surrogates.
    text = text[:_MAX_SEARCHED].encode(errors="backslashreplace").decode()
    text = re.sub(_CREDENTIAL, "***", text)
    return text if len(text) <= _MAX_MESSAGE_LENGTH else f"{text[:_MAX_MESSAGE_LENGTH]}…"


def is_about_the_token(reply: Reply) -> bool:
    """Whether new tokens may help. Dify also returns 401 for bans, licence problems and a missing setup."""
    body = error_body(reply.body) if reply.status == 401 else None
    if body is None or body.code != "unauthorized" or not isinstance(body.message, str):
        return False
    return re.search(_ABOUT_THE_TOKEN, body.message) is not None


def is_about_csrf(error: DifyStatusError) -> bool:
    """Whether the server rejected only the CSRF token."""
    return "csrf" in error.message.lower()


def is_not_about_the_account(error: DifyStatusError) -> bool:
    """Whether the server would reject any account, because it is not set up or its licence has expired."""
    return error.code in _NOT_ABOUT_THE_TOKEN


def retry_after(headers: Headers) -> float | None:
    """The Retry-After header in seconds: it contains a number, or a date by the server's clock."""
    value = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value, re.ASCII):
        return float(value)
    until = http_date(value)
    if until is None:
        return None
    now = http_date(headers.get("Date") or "")
    return max(0.0, until - (time.time() if now is None else now))


def http_date(value: str) -> float | None:
    """Parse an HTTP date to Unix seconds; None if it is invalid."""
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None


def _is_message(value: object) -> TypeGuard[str | list[object]]:
    return bool(value) and (
        isinstance(value, str) or (isinstance(value, list) and isinstance(value[0], dict))
    )


def _message(body: ErrorBody) -> str:
    message = without_input(next((text for text in (body.message, body.error) if _is_message(text)), ""))
    if isinstance(body.errors, dict):
        details = "; ".join(f"{name}: {text}" for name, text in body.errors.items())
        message = f"{message}: {details}" if message else details
    return redact(message.strip())
