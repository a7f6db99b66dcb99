"""Signing in, renewing, signing out, and the check that every other route begins with."""

import base64
import re
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from dify_async.testing._console import errors
from dify_async.testing._console.accounts import FakeAccount
from dify_async.testing._console.http import Call, Reply, Route, json_reply
from dify_async.testing._console.params import (
    Params,
    body_params,
    is_uuid,
    json_body,
)
from dify_async.testing._console.tokens import Issued

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

_EMAIL = re.compile(r"[\w.!#$%&'*+\-/=?^_`{|}~]+@([\w-]+\.)+[\w-]{2,}")
_PASSWORD = re.compile(r"(?=.*[a-zA-Z])(?=.*\d).{8,}")
_REFRESH_DAYS = 30


def authenticate(console: "Console", call: Call) -> FakeAccount:
    """The account of the access token, or of the admin key's workspace."""
    token = _access_token(console, call)
    if _is_admin(console, call, token):
        console.reach_database()
        return console.owner
    account_id = console.tokens.account_id(token)
    console.reach_database()
    account = console.accounts.of_id(account_id)
    if account is None:
        raise errors.unknown_user()
    if account.banned:
        raise errors.unauthorized(errors.BANNED)
    return account


def check_csrf(console: "Console", call: Call) -> None:
    """The header must equal the cookie and be a token of the account, on every method."""
    if not console.rules.cookies:
        return
    if not console.rules.admin_key_needs_csrf and _is_admin(console, call, _access_token(console, call)):
        return
    cookie = call.cookies.get(console.cookie("csrf_token"), "")
    header = call.headers.get("X-CSRF-Token", "")
    if not cookie or cookie != header or not console.tokens.allows(cookie, call.owner.id):
        raise errors.unauthorized(errors.CSRF)


def _access_token(console: "Console", call: Call) -> str:
    header = call.headers.get("Authorization")
    scheme, _, token = (header or "").strip().partition(" ")
    is_bearer = scheme.lower() == "bearer" and bool(token)
    if console.rules.admin_key_before_cookies and _is_admin(console, call, token.strip()):
        found = token.strip()
    elif console.rules.cookies:
        # The cookie wins over the header, even when it is garbage.
        found = call.cookies.get(console.cookie("access_token")) or (token.strip() if is_bearer else "")
    elif header is None:
        found = call.arguments().get("_token", "")
    elif not is_bearer:
        raise errors.unauthorized(errors.BAD_SCHEME)
    else:
        found = token.strip()
    if not found:
        raise errors.unauthorized(errors.NO_BEARER)
    return found


def _is_admin(console: "Console", call: Call, token: str) -> bool:
    workspace_id = call.headers.get("X-WORKSPACE-ID")
    return console.admin_api_key is not None and (token, workspace_id) == (
        console.admin_api_key,
        console.workspace_id,
    )


def log_in(console: "Console", call: Call) -> Reply:
    """POST /login."""
    if not console.password_login:
        raise errors.forbidden()
    email, password = _credentials(console, call)
    console.reach_database()
    if console.accounts.is_locked(email):
        message = "Too many incorrect password attempts. Please try again later."
        raise errors.error(429, "email_code_login_limit", message)
    account = _account(console, email, password)
    if not account.workspace:
        # A 200 that is a refusal.
        message = "workspace not found, please contact system admin to invite you to join in a workspace"
        return json_reply({"result": "fail", "data": message})
    console.accounts.succeeded(account)
    issued = console.tokens.issue(account.id)
    return _signed_in(console, issued, ("access_token", "refresh_token", "csrf_token"))


def _account(console: "Console", email: str, password: str) -> FakeAccount:
    rules = console.rules
    account = console.accounts.of_email(email)
    if account is None and rules.told_unknown_account:
        raise errors.error(400, "account_not_found", "Account not found.")
    if account is not None and account.banned:
        raise errors.error(400, "account_banned", errors.BANNED)
    if account is None or account.password != password:
        console.accounts.failed(email)
        if rules.wrong_password_is_401:
            raise errors.error(401, "authentication_failed", "Invalid email or password.")
        raise errors.error(400, "email_or_password_mismatch", "The email or password is mismatched.")
    return account


def _credentials(console: "Console", call: Call) -> tuple[str, str]:
    rules = console.rules
    body = json_body(rules, call, "LoginPayload")
    if rules.encoded_password and body.get("password"):
        # Decoded before the other fields are looked at: their 400s show it in the clear.
        body["password"] = _decoded(body["password"])
    params = Params(rules, "LoginPayload", body, where="JSON body")
    email, password = params.required("email"), params.required("password")
    _check_email(params)
    if rules.pydantic:
        params.flag("remember_me")
    if rules.checked_password_form and "password" in body and not _PASSWORD.match(str(password)):
        plain = "Password must contain letters and numbers, and the length must be greater than 8."
        params.wrong("password", plain, "value_error", f"Value error, {plain}")
    params.check()
    return str(email), str(password)


def _check_email(params: Params) -> None:
    if "email" not in params.values:
        return
    email = params.values["email"]
    plain = f"{email} is not a valid email."
    if not isinstance(email, str):
        params.wrong("email", plain, "string_type", "Input should be a valid string")
    elif not _EMAIL.fullmatch(email):
        params.wrong("email", plain, "value_error", f"Value error, {plain}")


def _decoded(password: Any) -> str:
    try:
        return base64.b64decode(password).decode()
    except (TypeError, ValueError):
        # Not counted as a wrong password.
        raise errors.error(401, "authentication_failed", "Invalid encrypted data") from None


def renew(console: "Console", call: Call) -> Reply:
    """POST /refresh-token: no access token, no CSRF; the old token is dead at once."""
    rules = console.rules
    if rules.cookies:
        token = call.cookies.get(console.cookie("refresh_token"), "")
    else:
        params = body_params(rules, call, "")
        token = str(params.required("refresh_token"))
        params.check()
    if rules.cookies and not token:
        return _not_renewed(console, "No refresh token provided")
    if console.database_down and not rules.refresh_fault_is_500:
        return _not_renewed(console, "(psycopg2.OperationalError) Connection refused")
    console.reach_database()  # before the token is spent: it is good once the database is up again
    account_id = console.tokens.spend(token)
    account = console.accounts.of_id(account_id or "")
    if account is None:
        is_named = rules.refresh_names_account and account_id is not None
        return _not_renewed(console, "Invalid account" if is_named else "Invalid refresh token")
    if account.banned:
        prefix = "" if rules.plain_refresh_errors else "401 Unauthorized: "
        return _not_renewed(console, prefix + errors.BANNED)
    issued = console.tokens.issue(account.id)
    return _signed_in(console, issued, ("csrf_token", "access_token", "refresh_token"))


def _not_renewed(console: "Console", message: str) -> Reply:
    return json_reply({"result": "fail", "message" if console.rules.cookies else "data": message}, 401)


def log_out(console: "Console", call: Call) -> Reply:
    """/logout: GET with a bearer, POST with cookies; the access token lives on."""
    console.tokens.forget_newest(call.owner.id)
    reply = json_reply({"result": "success"})
    if console.rules.cookies:
        names = ("access_token", "refresh_token", "csrf_token")
        reply.cookies = [
            _cookie(console, name, "", f"Expires={formatdate(0, usegmt=True)}") for name in names
        ]
    return reply


def _signed_in(console: "Console", issued: Issued, order: tuple[str, ...]) -> Reply:
    if not console.rules.cookies:
        tokens = {"access_token": issued.access, "refresh_token": issued.refresh}
        return json_reply({"result": "success", "data": tokens})
    month = _REFRESH_DAYS * 86400
    lifetime = console.access_token_lifetime
    values = {
        "access_token": (issued.access, issued.expires, lifetime),
        "refresh_token": (issued.refresh, issued.expires - lifetime + month, month),
        "csrf_token": (issued.csrf, issued.expires, lifetime),
    }
    reply = json_reply({"result": "success"})
    for name in order:
        value, expires, age = values[name]
        until = f"Expires={formatdate(expires, usegmt=True)}; Max-Age={max(1, round(age))}"
        reply.cookies.append(_cookie(console, name, value, until))
    return reply


def _cookie(console: "Console", name: str, value: str, until: str) -> str:
    secure = "; Secure" if console.https_cookies else ""
    http_only = "" if name == "csrf_token" else "; HttpOnly"
    return f"{console.cookie(name)}={value}; {until}{secure}{http_only}; Path=/; SameSite=Lax"


def mail_code(console: "Console", call: Call) -> Reply:
    """POST /email-code-login: the code would be mailed."""
    params = body_params(console.rules, call, "EmailPayload")
    email = str(params.required("email"))
    _check_email(params)
    params.check()
    console.reach_database()
    if console.accounts.of_email(email) is None:
        raise errors.error(400, "account_not_found", "Account not found.")
    token = console.new_id("mail")
    console.login_codes[token] = (email, f"{len(console.login_codes) * 7919 % 900000 + 100000}")
    return json_reply({"result": "success", "data": token})


def log_in_by_code(console: "Console", call: Call) -> Reply:
    """POST /email-code-login/validity: a code is good once."""
    params = body_params(console.rules, call, "EmailCodeLoginPayload")
    for name in ("email", "code", "token"):
        params.required(name)
    token = params.values.get("token")
    if token is not None and console.rules.code_token_is_uuid and not is_uuid(token):
        params.wrong("token", "", "uuid_parsing", "Input should be a valid UUID, invalid character")
    params.check()
    console.reach_database()
    body = params.values
    email, code = console.login_codes.get(str(body.get("token")), ("", ""))
    if not email or email != body.get("email"):
        raise errors.error(400, "invalid_or_expired_token", "The token is invalid or has expired.")
    sent = _decoded(body.get("code")) if console.rules.encoded_password else body.get("code")
    account = console.accounts.of_email(email)
    if sent != code or account is None:
        raise errors.error(400, "email_code_error", "Email code is invalid or expired.")
    del console.login_codes[str(body["token"])]
    return _signed_in(
        console, console.tokens.issue(account.id), ("access_token", "refresh_token", "csrf_token")
    )


ROUTES: list[Route] = [
    Route("POST", "/login", log_in, public=True),
    Route("POST", "/email-code-login", mail_code, public=True),
    Route("POST", "/email-code-login/validity", log_in_by_code, public=True),
    Route("POST", "/refresh-token", renew, public=True),
    Route("GET", "/logout", log_out, when=lambda rules: not rules.cookies, csrf=False),
    Route("POST", "/logout", log_out, when=lambda rules: rules.cookies, csrf=False),
]
