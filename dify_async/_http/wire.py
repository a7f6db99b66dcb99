"""What an answer of the server means: status and body to a value or an error. Pure."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import msgspec
from msgspec import Struct

from dify_async._secrets import secrets_of, without_secrets
from dify_async.errors import DifyDecodeError, DifyStatusError, status_error_class
from dify_async.models._base import Masked

from .hints import hint_of, hint_of_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Invalid UTF-8 and deep nesting are no DecodeErrors of msgspec.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

# 401s that no other token cures (1.13 checks the licence on every route).
_NOT_ABOUT_THE_TOKEN: Final = frozenset({"not_setup", "not_init_validated", "unauthorized_and_force_logout"})
_ABOUT_THE_TOKEN: Final = re.compile(r"token|signature|csrf", re.IGNORECASE)
_VERSION: Final = re.compile(r"v?[0-9]{1,6}\.[0-9]{1,6}[ -~]*")
# API keys, JWTs and refresh tokens, wherever a server may put them.
_SECRET: Final = re.compile(
    r"\b(?:app|dataset|ds)-[A-Za-z0-9]{16,}|\beyJ[\w-]+(?:\.[\w-]+)*|\b[0-9a-f]{100,}\b"
)
_MAX_MESSAGE_LENGTH: Final = 1000
# Of a longer text the rest is never searched for secrets, and never shown.
_MAX_SEARCHED: Final = 2**16


class Headers(Protocol):
    """The headers of an answer, by names in any case."""

    def get(self, name: str, /) -> str | None:
        """The first value, or None."""
        ...

    def getall(self, name: str, default: list[str], /) -> list[str]:
        """All values."""
        ...


class Reply(Masked, frozen=True):
    """An answer, as it came.

    Attributes:
        base_path: The path of `base_url`, "" for most servers.
        sent: The headers of the request, whose secrets the server may echo.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"headers", "body", "sent"})

    status: int
    headers: Headers
    body: bytes
    base_path: str = ""
    sent: Mapping[str, str] = MappingProxyType({})

    @property
    def version(self) -> str:
        """Dify's version; "" where a proxy hides it, or the answer is not Dify's."""
        value = self.headers.get("X-Version") or ""
        return value if _VERSION.fullmatch(value) else ""


class ErrorBody(Struct, frozen=True):
    """All that the server's several shapes of an error hold."""

    code: object = None
    custom: object = None  # the cap on API keys since 1.8, beside no `code`
    message: object = None
    errors: object = None  # 1.8.0 to 1.10.1: a text for each parameter
    result: object = None  # "fail": sign-in and renewal
    data: object = None  # their text, in the bearer era
    error: object = None  # a failed import's text, beside its status


_error_body: Final = msgspec.json.Decoder(ErrorBody, strict=False).decode


class _InvalidField(Struct, frozen=True):
    """One entry of pydantic's list of errors; its `input`, which may hold a password, is not read."""

    msg: str = ""
    loc: list[str | int] | None = None


_invalid_fields: Final = msgspec.json.Decoder(list[_InvalidField]).decode
_PYDANTIC_TITLE: Final = re.compile(r"\d+ validation errors? for .*\n")
_PYDANTIC_ENTRY: Final = re.compile(r"^(?:(\S.*)\n)? {2}(\S.*?) \[type=", re.MULTILINE)


def error_body(body: bytes) -> ErrorBody | None:
    """What a body says of an error; None where it is no JSON object."""
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
    """The error for a successful answer that its decoder cannot read."""
    # The text of an UnicodeDecodeError holds the whole body.
    reason = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    kind = reply.headers.get("Content-Type") or "no content type"
    hint = hint_of_unreadable(kind, reply.base_path)
    return DifyDecodeError(
        f"{method} {path}: cannot read the answer"
        f" ({reply.status}, {redact(kind[:60])}, {len(reply.body)} bytes):"
        f" {redact(reason)}{f'; {hint}' if hint else ''}"
    )


def decode_empty(body: bytes) -> None:
    """Decodes the answer of a call that answers nothing.

    That is a 204, a 200 with the body `204` (DELETE /tags up to 1.14), or {"result": "success"}.
    """
    if body.strip():
        msgspec.json.decode(body, type=dict[str, object] | int)


def status_error(method: str, path: str, reply: Reply, attempts: int = 1) -> DifyStatusError:
    """The error for an answer that says no."""
    secrets = secrets_of(reply.sent)
    body = _without_secrets(error_body(reply.body) or ErrorBody(), secrets)
    code = next((redact(text) for text in (body.code, body.custom) if isinstance(text, str) and text), None)
    message = _message(body)
    parts = [f"{method} {path}: {reply.status}"]
    if code:
        parts.append(code)
    if message:
        parts.append(f"- {' '.join(message.split())}")
    if attempts > 1:
        parts.append(f"({attempts} attempts)")
    text = " ".join(parts)
    if hint := hint_of(reply, code, path):
        text = f"{text}; {redact(str(without_secrets(hint, secrets)))}"
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
    """The text without keys and tokens, not longer than people read, and such that it can be written."""
    # aiohttp reads bytes of a header that are no UTF-8 as halves of surrogate pairs.
    text = text[:_MAX_SEARCHED].encode(errors="backslashreplace").decode()
    text = _SECRET.sub("***", text)
    return text if len(text) <= _MAX_MESSAGE_LENGTH else f"{text[:_MAX_MESSAGE_LENGTH]}…"


def is_about_the_token(error: DifyStatusError) -> bool:
    """Whether another token may cure it: 401s also tell of bans, of the licence and of the set-up."""
    return (
        error.status == 401 and error.code == "unauthorized" and bool(_ABOUT_THE_TOKEN.search(error.message))
    )


def is_about_csrf(error: DifyStatusError) -> bool:
    """Whether the CSRF token alone was refused."""
    return "csrf" in error.message.lower()


def is_not_about_the_account(error: DifyStatusError) -> bool:
    """Whether the server refuses everybody: it is not set up, or its licence has ended."""
    return error.code in _NOT_ABOUT_THE_TOKEN


def retry_after(headers: Headers) -> float | None:
    """Seconds that the server asks to wait: given as a number or as a date of its own clock."""
    value = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value, re.ASCII):
        return float(value)
    until = http_date(value)
    if until is None:
        return None
    now = http_date(headers.get("Date") or "")
    return max(0.0, until - (time.time() if now is None else now))


def http_date(value: str) -> float | None:
    """A date of HTTP in unix seconds; None where it is none."""
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None


def _message(body: ErrorBody) -> str:
    texts = (body.message, body.error)
    message = next((text for text in texts if isinstance(text, str) and text), "")
    message = _field_errors(message) or message
    if isinstance(body.errors, dict):
        details = "; ".join(f"{name}: {text}" for name, text in body.errors.items())
        message = f"{message}: {details}" if message else details
    return redact(message.strip())


def _field_errors(message: str) -> str:
    """Pydantic's errors as "field: reason; field: reason"; "" if the message is something else.

    From 1.17 they are JSON in the message [1.17-pre/08_app_put_missing_name], from 1.11 a text of several
    lines [1.16.1/08_app_put_missing_name]. Both repeat what was sent.
    """
    if title := _PYDANTIC_TITLE.match(message):
        entries = _PYDANTIC_ENTRY.findall(message, title.end())
    else:
        try:
            fields = _invalid_fields(message) if message.startswith("[{") else []
        except UNREADABLE:
            return ""
        entries = [(".".join(map(str, field.loc or ())), field.msg) for field in fields]
    return "; ".join(
        ": ".join(filter(None, (name, reason.removeprefix("Value error, ")))) for name, reason in entries
    )
