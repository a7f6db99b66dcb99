"""Login, token refresh and logout."""

import base64
import re
from email.utils import formatdate
from typing import Any

from dify_async.testing._console import errors
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.models import FakeAccount
from dify_async.testing._console.params import Params, body_params, is_uuid, json_body
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State
from dify_async.testing._console.tokens import IssuedTokens

_EMAIL = re.compile(r"[\w.!#$%&'*+\-/=?^_`{|}~]+@([\w-]+\.)+[\w-]{2,}")
_PASSWORD = re.compile(r"(?=.*[a-zA-Z])(?=.*\d).{8,}")
_REFRESH_DAYS = 30


def log_in(state: State, call: Call) -> Reply:
    """POST /login."""
    if not state.password_login:
        raise errors.forbidden()
    email, password = _read_credentials(state, call)
    state.check_database()
    if state.accounts.is_locked(email):
        message = "Too many incorrect password attempts. Please try again later."
        raise errors.error(429, "email_code_login_limit", message)
    account = _check_password(state, email, password)
    if not account.workspace:
        # As on the server, a rejection with status 200.
        message = "workspace not found, please contact system admin to invite you to join in a workspace"
        return json_reply({"result": "fail", "data": message})
    state.accounts.record_login(account)
    issued = state.tokens.issue(account.id)
    return _login_reply(state, issued, ("access_token", "refresh_token", "csrf_token"))


def _check_password(state: State, email: str, password: str) -> FakeAccount:
    rules = state.rules
    account = state.accounts.by_email(email)
    if account is None and rules.reveals_unknown_account:
        raise errors.error(400, "account_not_found", "Account not found.")
    if account is not None and account.banned:
        raise errors.error(400, "account_banned", errors.BANNED)
    if account is None or account.password != password:
        state.accounts.record_failure(email)
        if rules.wrong_password_is_401:
            raise errors.error(401, "authentication_failed", "Invalid email or password.")
        raise errors.error(400, "email_or_password_mismatch", "The email or password is mismatched.")
    return account


def _read_credentials(state: State, call: Call) -> tuple[str, str]:
    rules = state.rules
    body = json_body(rules, call, "LoginPayload")
    if rules.encoded_password and body.get("password"):
        # Decoded before the other fields are checked: their 400s show it in clear.
        body["password"] = _decode(body["password"])
    params = Params(rules, "LoginPayload", body, where="JSON body")
    email, password = params.required("email"), params.required("password")
    _check_email(params)
    if rules.pydantic:
        params.flag("remember_me")
    if rules.checks_password_form and "password" in body and not _PASSWORD.match(str(password)):
        plain = "Password must contain letters and numbers, and the length must be greater than 8."
        params.reject("password", plain, "value_error", f"Value error, {plain}")
    params.check()
    return str(email), str(password)


def _check_email(params: Params) -> None:
    if "email" not in params.values:
        return
    email = params.values["email"]
    plain = f"{email} is not a valid email."
    if not isinstance(email, str):
        params.reject("email", plain, "string_type", "Input should be a valid string")
    elif not _EMAIL.fullmatch(email):
        params.reject("email", plain, "value_error", f"Value error, {plain}")


def _decode(password: Any) -> str:
    try:
        return base64.b64decode(password).decode()
    except (TypeError, ValueError):
        # Not counted as a wrong password.
        raise errors.error(401, "authentication_failed", "Invalid encrypted data") from None


def refresh(state: State, call: Call) -> Reply:
    """POST /refresh-token: needs no access token or CSRF; the old refresh token becomes invalid."""
    rules = state.rules
    if rules.cookies:
        token = call.cookies.get(state.cookie_name("refresh_token"), "")
    else:
        params = body_params(rules, call, "")
        token = str(params.required("refresh_token"))
        params.check()
    if rules.cookies and not token:
        return _refresh_failed(state, "No refresh token provided")
    if state.database_down and not rules.refresh_fault_is_500:
        return _refresh_failed(state, "(psycopg2.OperationalError) Connection refused")
    state.check_database()  # before the token is redeemed: it stays valid until the database is up again
    account_id = state.tokens.redeem(token)
    account = state.accounts.by_id(account_id or "")
    if account is None:
        is_named = rules.refresh_names_account and account_id is not None
        return _refresh_failed(state, "Invalid account" if is_named else "Invalid refresh token")
    if account.banned:
        prefix = "" if rules.plain_refresh_errors else "401 Unauthorized: "
        return _refresh_failed(state, prefix + errors.BANNED)
    issued = state.tokens.issue(account.id)
    return _login_reply(state, issued, ("csrf_token", "access_token", "refresh_token"))


def _refresh_failed(state: State, message: str) -> Reply:
    return json_reply({"result": "fail", "message" if state.rules.cookies else "data": message}, 401)


def log_out(state: State, call: Call) -> Reply:
    """/logout: GET with a bearer, POST with cookies; the access token stays valid."""
    state.tokens.revoke_newest(call.caller.id)
    reply = json_reply({"result": "success"})
    if state.rules.cookies:
        names = ("access_token", "refresh_token", "csrf_token")
        reply.cookies = [_cookie(state, name, "", f"Expires={formatdate(0, usegmt=True)}") for name in names]
    return reply


def _login_reply(state: State, issued: IssuedTokens, order: tuple[str, ...]) -> Reply:
    if not state.rules.cookies:
        tokens = {"access_token": issued.access, "refresh_token": issued.refresh}
        return json_reply({"result": "success", "data": tokens})
    month = _REFRESH_DAYS * 86400
    lifetime = state.access_token_lifetime
    values = {
        "access_token": (issued.access, issued.expires, lifetime),
        "refresh_token": (issued.refresh, issued.expires - lifetime + month, month),
        "csrf_token": (issued.csrf, issued.expires, lifetime),
    }
    reply = json_reply({"result": "success"})
    for name in order:
        value, expires, age = values[name]
        attributes = f"Expires={formatdate(expires, usegmt=True)}; Max-Age={max(1, round(age))}"
        reply.cookies.append(_cookie(state, name, value, attributes))
    return reply


def _cookie(state: State, name: str, value: str, attributes: str) -> str:
    secure = "; Secure" if state.https_cookies else ""
    http_only = "" if name == "csrf_token" else "; HttpOnly"
    return f"{state.cookie_name(name)}={value}; {attributes}{secure}{http_only}; Path=/; SameSite=Lax"


def send_code(state: State, call: Call) -> Reply:
    """POST /email-code-login: `FakeDifyServer.login_code()` returns the code."""
    params = body_params(state.rules, call, "EmailPayload")
    email = str(params.required("email"))
    _check_email(params)
    params.check()
    state.check_database()
    if state.accounts.by_email(email) is None:
        raise errors.error(400, "account_not_found", "Account not found.")
    token = state.new_id("mail")
    state.login_codes[token] = (email, f"{len(state.login_codes) * 7919 % 900000 + 100000}")
    return json_reply({"result": "success", "data": token})


def log_in_by_code(state: State, call: Call) -> Reply:
    """POST /email-code-login/validity: a code can be used once."""
    params = body_params(state.rules, call, "EmailCodeLoginPayload")
    for name in ("email", "code", "token"):
        params.required(name)
    token = params.values.get("token")
    if token is not None and state.rules.code_token_is_uuid and not is_uuid(token):
        params.reject("token", "", "uuid_parsing", "Input should be a valid UUID, invalid character")
    params.check()
    state.check_database()
    body = params.values
    email, code = state.login_codes.get(str(body.get("token")), ("", ""))
    if not email or email != body.get("email"):
        raise errors.error(400, "invalid_or_expired_token", "The token is invalid or has expired.")
    sent = _decode(body.get("code")) if state.rules.encoded_password else body.get("code")
    account = state.accounts.by_email(email)
    if sent != code or account is None:
        raise errors.error(400, "email_code_error", "Email code is invalid or expired.")
    del state.login_codes[str(body["token"])]
    return _login_reply(
        state, state.tokens.issue(account.id), ("access_token", "refresh_token", "csrf_token")
    )


ROUTES: list[Route] = [
    Route("POST", "/login", log_in, public=True),
    Route("POST", "/email-code-login", send_code, public=True),
    Route("POST", "/email-code-login/validity", log_in_by_code, public=True),
    Route("POST", "/refresh-token", refresh, public=True),
    Route("GET", "/logout", log_out, when=lambda rules: not rules.cookies, csrf=False),
    Route("POST", "/logout", log_out, when=lambda rules: rules.cookies, csrf=False),
]
