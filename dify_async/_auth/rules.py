"""What Dify expects of a session, by version; how tokens are read; which values of a store are newer. Pure.

| era    | versions         | tokens                 | password |
|--------|------------------|------------------------|----------|
| bearer | up to 1.9.1      | in the body            | as it is |
| cookie | 1.9.2 to 1.11.1  | in cookies, and a CSRF | as it is |
| coded  | 1.11.2 and newer | in cookies, and a CSRF | base64   |
"""

from __future__ import annotations

import base64
import math
import re
from typing import TYPE_CHECKING, Annotated, Final, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dify_async._api.versions import ENCODED_PASSWORD
from dify_async._http.wire import UNREADABLE, ErrorBody, Reply, error_body, http_date
from dify_async._secrets import Secret, SecretBytes
from dify_async.tokens import LoginAttempts, Tokens

if TYPE_CHECKING:
    from dify_async._http.wire import Headers

ValueT = TypeVar("ValueT")

_MAX_TIME: Final = 2**53  # the largest exact float
_MAX_DELETION: Final = 86400  # a cookie that expired in 1970 is deleted, whatever the clocks say
_NAMES: Final = ("access_token", "refresh_token", "csrf_token")


def logout_method(tokens: Tokens) -> str:
    """GET in the bearer era, then POST; the other one is a 405."""
    return "GET" if tokens.cookie_names is None else "POST"


def login_body(email: str, password: str, version: str) -> bytes:
    """The body of a login.

    For an older server base64 is a wrong password, which it counts: never try both.
    """
    body = {"email": email, "password": _coded(password, version), "remember_me": True}
    return SecretBytes(msgspec.json.encode(body))


def code_body(email: str, code: str, token: str, version: str) -> bytes:
    """The body of a login with an emailed code, which is encoded like a password."""
    body = {"email": email, "code": _coded(code, version), "token": str(token)}
    return SecretBytes(msgspec.json.encode(body))


def _coded(secret: str, version: str) -> str:
    return base64.b64encode(secret.encode()).decode() if ENCODED_PASSWORD(version) else str(secret)


def refresh_request(tokens: Tokens) -> tuple[dict[str, str], bytes]:
    """The headers and body of a refresh; the token is in the body in the bearer era, then in a cookie."""
    if tokens.cookie_names is None:
        body = msgspec.json.encode({"refresh_token": tokens.refresh_token})
        return {"Content-Type": "application/json"}, SecretBytes(body)
    name = tokens.cookie_names["refresh_token"]
    cookies = [f"{name}={tokens.refresh_token}"]
    if name != "refresh_token":
        # 1.9.2 set `__Host-refresh_token` and read `refresh_token` (dify#27354).
        cookies.append(f"refresh_token={tokens.refresh_token}")
    return {"Content-Type": "application/json", "Cookie": Secret("; ".join(cookies))}, b"{}"


def call_headers(tokens: Tokens) -> dict[str, str]:
    """The headers that authenticate a call, GET too.

    There is one Cookie header, because the server joins two of them with a comma.
    """
    if tokens.cookie_names is None or tokens.csrf_token is None:
        return {"Authorization": Secret(f"Bearer {tokens.access_token}")}
    names = tokens.cookie_names
    cookies = f"{names['access_token']}={tokens.access_token}; {names['csrf_token']}={tokens.csrf_token}"
    return {"Cookie": Secret(cookies), "X-CSRF-Token": Secret(tokens.csrf_token)}


class _TokenData(Struct, frozen=True):
    access_token: str
    refresh_token: str


class _TokenBody(Struct, frozen=True):
    data: _TokenData


class _Claims(Struct, frozen=True):
    exp: Annotated[int, msgspec.Meta(ge=0, lt=_MAX_TIME)] | None = None


def read_tokens(reply: Reply) -> Tokens | None:
    """The tokens in the response to a login or a refresh; None if it does not have all of them."""
    if reply.status != 200:
        return None
    cookies = _cookies(reply.headers)
    if all(name in cookies for name in _NAMES):
        names = {name: sent_as for name, (sent_as, _) in cookies.items()}
        access, refresh, csrf = (cookies[name][1] for name in _NAMES)
        tokens = Tokens(access_token=access, refresh_token=refresh, csrf_token=csrf, cookie_names=names)
    else:
        try:
            data = msgspec.json.decode(reply.body, type=_TokenBody).data
        except UNREADABLE:
            return None
        tokens = Tokens(access_token=data.access_token, refresh_token=data.refresh_token)
    return usable_tokens(replace(tokens, expires_at=expiry(tokens.access_token)))


def _cookies(headers: Headers) -> dict[str, tuple[str, str]]:
    """The token cookies that are not deleted: by plain name, the name and value that were sent."""
    found: dict[str, tuple[str, str]] = {}
    for header in headers.getall("Set-Cookie", []):
        pair, *attributes = header.split(";")
        sent_as, _, value = (part.strip() for part in pair.partition("="))
        name = sent_as.removeprefix("__Host-").removeprefix("__Secure-")
        if name in _NAMES and _fits_in_a_header(value) and not _deletes(attributes):
            found[name] = (sent_as, value)
    return found


def _deletes(attributes: list[str]) -> bool:
    """Whether the server deletes a cookie (RFC 6265: Max-Age takes precedence over Expires)."""
    pairs = (attribute.partition("=") for attribute in attributes)
    values = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if "max-age" in values:
        return re.fullmatch(r"-\d+|0+", values["max-age"], re.ASCII) is not None
    end = http_date(values.get("expires", ""))
    return end is not None and end < _MAX_DELETION


def _fits_in_a_header(token: object) -> bool:
    return isinstance(token, str) and bool(token) and token.isascii() and token.isprintable()


def usable_tokens(value: object) -> Tokens | None:
    """The value from a store, if it is tokens that can be sent."""
    if not isinstance(value, Tokens):
        return None
    sent: list[object] = [value.access_token, value.refresh_token]
    if value.cookie_names is not None:
        sent += [value.csrf_token, *(value.cookie_names.get(name) for name in _NAMES)]
    end = value.expires_at
    is_usable = all(map(_fits_in_a_header, sent)) and (end is None or 0 <= end < _MAX_TIME)
    return value if is_usable else None


def expiry(token: str) -> int | None:
    """The `exp` of a JWT in Unix seconds; None if the token is not a JWT."""
    try:
        payload = token.split(".")[1]
        claims = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return msgspec.json.decode(claims, type=_Claims).exp
    except (IndexError, ValueError, *UNREADABLE):
        return None


def lifetime(tokens: Tokens, reply: Reply) -> float:
    """How many seconds new tokens are valid, by the server's clock; infinite if that is unknown.

    A Date after their end is from a proxy with another clock, and is ignored.
    """
    now = http_date(reply.headers.get("Date") or "")
    if now is None or tokens.expires_at is None or tokens.expires_at <= now:
        return math.inf
    return tokens.expires_at - now


def refresh_token_is_dead(reply: Reply) -> bool:
    """Whether the refresh token is invalid: other failures are a 401 too, such as "Error 111 connecting…"."""
    body = error_body(reply.body) or ErrorBody()
    return reply.status == 401 and "Invalid refresh token" in (body.message, body.data)


class Entry(Generic[ValueT]):
    """One key of the store.

    Attributes:
        value: The newest known value.
        stored: The value in the store when it last responded; ... until then.
        tried: Values whose saving failed since then; the store may have saved them nevertheless.
        is_unsaved: Whether `value` must still replace `stored`.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.value: ValueT | None = None
        self.stored: object = ...
        self.tried: list[ValueT | None] = []
        self.is_unsaved = False

    def found(self, value: ValueT | None) -> None:
        """Use what the store has, unless an outage kept it from being replaced or deleted."""
        was_deleted = self.value is None and self.stored is ...
        is_outdated = value in (None, self.stored, *self.tried) or was_deleted
        if not self.is_unsaved or not is_outdated:
            self.value = value
            self.saved(value)

    def saved(self, value: ValueT | None) -> None:
        """Record that the store has this value."""
        self.stored, self.tried = value, []
        self.is_unsaved = self.value is not value  # there may be a newer one


def merged_attempts(
    found: LoginAttempts | None, mine: LoginAttempts | None, *bases: object
) -> LoginAttempts | None:
    """The attempts in the store, changed as this client has changed those that it knew.

    It has added what it sent, or cleared all because it logged in. `bases` are the attempts that it knew.
    """
    known = [base.sent for base in bases if isinstance(base, LoginAttempts)]
    sent = dict(found.sent if found else {})
    for one in {*sent, *(mine.sent if mine else ())}:
        added = (mine.sent.get(one, 0) if mine else 0) - max((base.get(one, 0) for base in known), default=0)
        sent[one] = max(0, sent.get(one, 0) + added)
    if mine is None and not any(sent.values()):
        return None
    return replace(found or mine or LoginAttempts(), sent=sent)
