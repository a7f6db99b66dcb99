"""Requests and answers: status and body to a value or an error. Pure."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from functools import cache, partial
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

# msgspec does not raise its own errors for invalid UTF-8 and deep nesting.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

# 401s that other tokens don't help with (1.13 checks the licence on every route).
_NOT_ABOUT_THE_TOKEN: Final = frozenset({"not_setup", "not_init_validated", "unauthorized_and_force_logout"})
_VERSION: Final = re.compile(r"v?\d{1,6}\.\d{1,6}[\w.+-]{0,40}$", re.ASCII)
_ABOUT_THE_TOKEN: Final = re.compile(r"token|signature|csrf", re.IGNORECASE)
# API keys, JWTs and refresh tokens.
_SECRET: Final = re.compile(
    r"\b(?:app|dataset|ds)-[A-Za-z0-9]{16,}|\beyJ[\w-]+(?:\.[\w-]+)*|\b[0-9a-f]{100,}\b"
)
_MAX_MESSAGE_LENGTH: Final = 1000
# The rest of a longer text is not searched for secrets, since it is never shown.
_MAX_SEARCHED: Final = 2**16


class Headers(Protocol):
    """The headers of an answer, by case-insensitive name."""

    def get(self, name: str, /) -> str | None:
        """The first value, or None."""
        ...

    def getall(self, name: str, default: list[str], /) -> list[str]:
        """All values."""
        ...


class Request(Masked, frozen=True):
    """A request, ready to be sent.

    Attributes:
        route: Its path, with {} for each id.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"headers", "body"})

    method: str
    route: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


class Reply(Masked, frozen=True):
    """An answer of the server.

    Attributes:
        base_path: The path of `base_url`, usually "".
        sent: The headers of the request; the server may echo their secrets.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"headers", "body", "sent"})

    status: int
    headers: Headers
    body: bytes
    base_path: str = ""
    sent: Mapping[str, str] = MappingProxyType({})

    @property
    def version(self) -> str:
        """Dify's version; "" if a proxy hides it or the answer is not from Dify."""
        value = self.headers.get("X-Version") or ""
        return value if _VERSION.match(value) and self._has_shape else ""

    @property
    def _has_shape(self) -> bool:
        """Whether it has the form of Dify's answers: the pages and errors of proxies have other forms."""
        if self.status < 300:
            return "html" not in (self.headers.get("Content-Type") or "")
        body = error_body(self.body) or ErrorBody()
        codes = (body.code, body.custom)
        return any(isinstance(code, str) for code in codes) or body.result == "fail" or bool(body.errors)


class ErrorBody(Struct, frozen=True):
    """The fields of all shapes of error bodies."""

    code: object = None
    custom: object = None  # the code of the limit on API keys since 1.8, without `code`
    message: object = None
    errors: object = None  # 1.8.0 to 1.10.1: a message per parameter
    result: object = None  # "fail": login and refresh
    data: object = None  # the message of these up to 1.9.1
    error: object = None  # the message of a failed import


_error_body: Final = msgspec.json.Decoder(ErrorBody, strict=False).decode


def error_body(body: bytes) -> ErrorBody | None:
    """Decode the body of an error; None if it is not a JSON object."""
    try:
        return _error_body(body)
    except UNREADABLE:
        return None


def decoder_of(answer: Any) -> Callable[[bytes], Any]:
    """Bytes to a value of this type."""
    # Not strict: numbers come as text ("1234") and as 12.0 from some versions and databases.
    return msgspec.json.Decoder(answer, strict=False).decode


def lazy_decoder(answer: Any) -> Callable[[bytes], Any]:
    """A decoder that is made at its first use: all of them take longer than the rest of the import."""
    made = cache(partial(decoder_of, answer))
    return lambda body: made()(body)  # noqa: PLW0108 - not before it is called


def decode_error(method: str, path: str, reply: Reply, error: Exception) -> DifyDecodeError:
    """The error for a successful answer that cannot be decoded."""
    # The message of a UnicodeDecodeError contains the whole body.
    reason = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    kind = reply.headers.get("Content-Type") or "no content type"
    hint = hint_of_unreadable(kind, reply.base_path)
    return DifyDecodeError(
        f"{method} {path}: cannot read the answer"
        f" ({reply.status}, {redact(kind[:60])}, {len(reply.body)} bytes):"
        f" {redact(reason)}{f'. {hint}' if hint else ''}"
    )


def decode_empty(body: bytes) -> None:
    """Check an answer without content.

    It is a 204, a 200 with the body `204` (DELETE /tags up to 1.14), or {"result": "success"}.
    """
    if body.strip():
        msgspec.json.decode(body, type=dict[str, object] | int)


def status_error(method: str, path: str, reply: Reply, attempts: int = 1) -> DifyStatusError:
    """The error for an answer with an error status."""
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
    """The text without keys and tokens, shortened, and encodable as UTF-8."""
    # aiohttp decodes invalid UTF-8 in headers to lone surrogates.
    text = text[:_MAX_SEARCHED].encode(errors="backslashreplace").decode()
    text = _SECRET.sub("***", text)
    return text if len(text) <= _MAX_MESSAGE_LENGTH else f"{text[:_MAX_MESSAGE_LENGTH]}…"


def is_about_the_token(reply: Reply) -> bool:
    """Whether other tokens may help: 401s are also sent for bans, the licence and the setup."""
    body = error_body(reply.body) if reply.status == 401 else None
    if body is None or body.code != "unauthorized" or not isinstance(body.message, str):
        return False
    return _ABOUT_THE_TOKEN.search(body.message) is not None


def is_about_csrf(error: DifyStatusError) -> bool:
    """Whether only the CSRF token was rejected."""
    return "csrf" in error.message.lower()


def is_not_about_the_account(error: DifyStatusError) -> bool:
    """Whether the server rejects all accounts: it is not set up, or its licence has expired."""
    return error.code in _NOT_ABOUT_THE_TOKEN


def retry_after(headers: Headers) -> float | None:
    """The seconds of Retry-After, which is a number or a date by the server's clock."""
    value = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value, re.ASCII):
        return float(value)
    until = http_date(value)
    if until is None:
        return None
    now = http_date(headers.get("Date") or "")
    return max(0.0, until - (time.time() if now is None else now))


def http_date(value: str) -> float | None:
    """An HTTP date in Unix seconds; None if it cannot be parsed."""
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None


def _is_message(value: object) -> TypeGuard[str | list[object]]:
    return bool(value) and (
        isinstance(value, str) or (isinstance(value, list) and isinstance(value[0], dict))
    )


def _message(body: ErrorBody) -> str:
    message = without_input(next((one for one in (body.message, body.error) if _is_message(one)), ""))
    if isinstance(body.errors, dict):
        details = "; ".join(f"{name}: {text}" for name, text in body.errors.items())
        message = f"{message}: {details}" if message else details
    return redact(message.strip())
