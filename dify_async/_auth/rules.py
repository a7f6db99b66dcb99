"""The rules of signing in, by version of Dify. Pure.

| era    | versions         | tokens                 | password |
|--------|------------------|------------------------|----------|
| bearer | up to 1.9.1      | in the body            | as it is |
| cookie | 1.9.2 to 1.11.1  | in cookies, and a CSRF | as it is |
| coded  | 1.11.2 and newer | in cookies, and a CSRF | base64   |
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dify_async._http.wire import (
    UNREADABLE,
    ErrorBody,
    Reply,
    error_body,
    http_date,
    is_not_about_the_account,
    redact,
    status_error,
)
from dify_async._secrets import Secret, SecretBytes
from dify_async.errors import (
    DifyConfigError,
    DifyDecodeError,
    DifyLoginError,
    DifyLoginLockedError,
)
from dify_async.tokens import Tokens

if TYPE_CHECKING:
    from dify_async._http.wire import Headers
    from dify_async.errors import DifyError

Version = tuple[int, int, int]

_COOKIES_SINCE: Final = (1, 9, 2)
_ENCODED_SINCE: Final = (1, 11, 2)
_ADMIN_KEY_SINCE: Final = (1, 11, 0)
_LAST_MOMENT: Final = 2**53  # more is no float, and no time either
_NAMES: Final = ("access_token", "refresh_token", "csrf_token")

# The statuses under which Dify's own body is a verdict on the account, and not a failure.
_VERDICTS: Final = frozenset({200, 400, 401, 403, 422})
# A check of the request: a 400 from 1.11, a 422 from 1.17.
_INVALID: Final = frozenset({"invalid_param", "unprocessable_entity"})
_BAD_FORM: Final = "the server does not accept the form of the e-mail or the password"
_REASONS: Final[dict[str | int, str]] = {
    "email_code_login_limit": "too many wrong passwords, so the account is locked, by default for 24 hours",
    "forbidden": "the server does not allow signing in with a password",
    400: _BAD_FORM,
    422: _BAD_FORM,
}


def parse_version(text: str) -> Version | None:
    """The numbers of a version text; None where there are none."""
    match = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", text.strip(), re.ASCII)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def checked_version(text: str) -> str:
    """A `server_version=` that can be read."""
    if parse_version(text) is None:
        raise DifyConfigError(f'server_version {text!r:.40} is no version; it reads as "1.11.2"')
    return text


def at_least(version: str, wanted: Version) -> bool:
    """Whether a server has a rule; a hidden version is taken for the newest."""
    parsed = parse_version(version)
    return parsed is None or parsed >= wanted


def logout_method(tokens: Tokens) -> str:
    """GET in the bearer era, POST since: the other one is a 405."""
    return "GET" if tokens.cookie_names is None else "POST"


def login_body(email: str, password: str, version: str) -> bytes:
    """The sign-in.

    To an older server base64 is just a wrong password, and counts: never try both.
    """
    body = {"email": email, "password": _coded(password, version), "remember_me": True}
    return SecretBytes(msgspec.json.encode(body))


def code_body(email: str, code: str, token: str, version: str) -> bytes:
    """The sign-in by a code from a mail, which is encoded as a password is."""
    body = {"email": email, "code": _coded(code, version), "token": str(token)}
    return SecretBytes(msgspec.json.encode(body))


def _coded(secret: str, version: str) -> str:
    return base64.b64encode(secret.encode()).decode() if at_least(version, _ENCODED_SINCE) else str(secret)


def refresh_request(tokens: Tokens) -> tuple[dict[str, str], bytes]:
    """Headers and body of a renewal: by body in the bearer era, by cookie since."""
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
    """What signs a call.

    One Cookie header: the server joins two with a comma. CSRF on GET too.
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
    exp: Annotated[int, msgspec.Meta(ge=0, lt=_LAST_MOMENT)] | None = None


_token_body: Final = msgspec.json.Decoder(_TokenBody).decode


def read_tokens(reply: Reply) -> Tokens | None:
    """The tokens in the answer to a sign-in or a renewal, wherever they are; None if not all are there."""
    if reply.status != 200:
        return None
    cookies = _cookies(reply.headers)
    if all(name in cookies for name in _NAMES):
        values = {name: value for name, (_, value) in cookies.items()}
        names = {name: sent_as for name, (sent_as, _) in cookies.items()}
        access, refresh, csrf = (values[name] for name in _NAMES)
        return Tokens(
            access_token=access,
            refresh_token=refresh,
            csrf_token=csrf,
            expires_at=expiry(access),
            cookie_names=names,
        )
    try:
        data = _token_body(reply.body).data
    except UNREADABLE:
        return None
    if not _fits_in_a_header(data.access_token) or not _fits_in_a_header(data.refresh_token):
        return None
    return Tokens(
        access_token=data.access_token,
        refresh_token=data.refresh_token,
        expires_at=expiry(data.access_token),
    )


def _cookies(headers: Headers) -> dict[str, tuple[str, str]]:
    """Token cookies: plain name to (name as sent, value as sent); a cleared one is left out."""
    found: dict[str, tuple[str, str]] = {}
    for header in headers.getall("Set-Cookie", []):
        sent_as, _, value = header.partition(";")[0].partition("=")
        sent_as, value = sent_as.strip(), value.strip()
        name = sent_as.removeprefix("__Host-").removeprefix("__Secure-")
        if name in _NAMES and _fits_in_a_header(value):
            found[name] = (sent_as, value)
    return found


def _fits_in_a_header(token: object) -> bool:
    return isinstance(token, str) and bool(token) and token.isascii() and token.isprintable()


def tell_of_a_refusal(tokens: object) -> bool:
    """Whether these are no tokens, but what a refused password leaves in their place."""
    return isinstance(tokens, Tokens) and not tokens.refresh_token


def are_usable(tokens: object) -> bool:
    """Whether these are tokens as this module reads them, and not what somebody put into a store."""
    if not isinstance(tokens, Tokens):
        return False
    texts: list[object] = [tokens.access_token, tokens.refresh_token]
    if tokens.cookie_names is not None:
        texts += [tokens.csrf_token, *(tokens.cookie_names.get(name) for name in _NAMES)]
    end = tokens.expires_at
    return all(map(_fits_in_a_header, texts)) and (end is None or 0 <= end < _LAST_MOMENT)


def expiry(token: str) -> int | None:
    """The `exp` of a JWT in unix seconds; None where the token is none."""
    try:
        payload = token.split(".")[1]
        claims = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return msgspec.json.decode(claims, type=_Claims).exp
    except (IndexError, ValueError, *UNREADABLE):
        return None


def lifetime(tokens: Tokens, reply: Reply) -> float:
    """Seconds that new tokens are good for, by the server's clock alone; infinite if it is not told.

    A Date that lies past their end is of a proxy with a clock of its own, and tells nothing.
    """
    now = http_date(reply.headers.get("Date") or "")
    if now is None or tokens.expires_at is None or tokens.expires_at <= now:
        return math.inf
    return tokens.expires_at - now


def admin_key_fails(version: str) -> bool:
    """Whether this version asks for a CSRF token beside an admin API key (fixed in 1.11.0)."""
    parsed = parse_version(version)
    return parsed is not None and _COOKIES_SINCE <= parsed < _ADMIN_KEY_SINCE


def no_password_login() -> DifyLoginError:
    """The refusal that the server announces, before a password is sent."""
    return DifyLoginError(
        "GET /system-features: the server does not allow signing in with a password"
        " (enable_email_password_login is false); login_with_code() or an admin API key may",
        method="GET",
        path="/system-features",
    )


def code_session_ended() -> DifyLoginError:
    """The refusal in the place of a password that may be none."""
    return DifyLoginError(
        "POST /refresh-token: the session that a mailed code began has ended; call login_with_code()"
        " with a new one, or login() to send the password",
        method="POST",
        path="/refresh-token",
    )


def refresh_token_is_dead(reply: Reply) -> bool:
    """Whether the refresh token itself was refused.

    Any failure of the server is a 401 too: with its Redis down, "Error 111 connecting…".
    """
    body = error_body(reply.body) or ErrorBody()
    return reply.status == 401 and "Invalid refresh token" in (body.message, body.data)


def without(secret: str, reply: Reply) -> Reply:
    """The answer without what was sent in it: servers and proxies may echo it."""
    body = reply.body
    forms = (secret, msgspec.json.encode(str(secret)).decode()[1:-1], json.dumps(secret)[1:-1])
    for form in {*forms, base64.b64encode(secret.encode()).decode()}:
        body = body.replace(form.encode(), b"***")
    return replace(reply, body=body)


def refusal(reply: Reply, method: str, path: str) -> DifyError:
    """The error for the answer to a sign-in that holds no tokens."""
    error = status_error(method, path, reply)
    body = error_body(reply.body)
    if error.code == "email_code_login_limit":  # sic: the lock after wrong passwords
        kind: type[DifyLoginError] = DifyLoginLockedError
    elif body is None and reply.status == 200:
        return DifyDecodeError(f"{method} {path}: the answer is not Dify's; is base_url right?")
    elif body is None or reply.status not in _VERDICTS or is_not_about_the_account(error):
        return error
    else:
        kind = DifyLoginError
    # A check of the request echoes the password, decoded [1.11.2/01_login_missing_email]; and
    # up to 1.8.1 `data` beside a code is a token for registering.
    echoes = body is None or error.code in _INVALID or body.errors is not None
    data = body.data if body is not None and isinstance(body.data, str) and error.code is None else ""
    message = "" if echoes else error.message or redact(data)
    reason = _REASONS.get(error.code or "") or message or _REASONS.get(reply.status) or "it gave no tokens"
    advice = "it is not tried again until login() is called"
    if "code" in path:
        advice = "request_login_code() mails another one"
    return kind(
        f"{method} {path}: {reply.status} - the sign-in was refused: {reason}; {advice}",
        status=reply.status,
        code=error.code,
        message=message,
        method=method,
        path=path,
        retry_after=error.retry_after,
    )
