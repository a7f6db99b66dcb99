"""The checks before every route that is not public: token, account and CSRF."""

from dify_async.testing._console import errors
from dify_async.testing._console.http import Call
from dify_async.testing._console.models import FakeAccount
from dify_async.testing._console.state import State


def authenticate(state: State, call: Call) -> FakeAccount:
    """The account of the access token; the owner for the admin API key."""
    token = _access_token(state, call)
    if _is_admin(state, call, token):
        state.check_database()
        return state.owner
    account_id = state.tokens.account_id(token)
    state.check_database()
    account = state.accounts.by_id(account_id)
    if account is None:
        raise errors.unknown_account()
    if account.banned:
        raise errors.unauthorized(errors.BANNED)
    return account


def check_csrf(state: State, call: Call) -> None:
    """The header must equal the cookie and be a token of the account, for every method."""
    if not state.rules.cookies:
        return
    if not state.rules.admin_key_needs_csrf and _is_admin(state, call, _access_token(state, call)):
        return
    cookie = call.cookies.get(state.cookie_name("csrf_token"), "")
    header = call.headers.get("X-CSRF-Token", "")
    if not cookie or cookie != header or not state.tokens.is_csrf_of(cookie, call.caller.id):
        raise errors.unauthorized(errors.CSRF)


def _access_token(state: State, call: Call) -> str:
    header = call.headers.get("Authorization")
    scheme, _, token = (header or "").strip().partition(" ")
    is_bearer = scheme.lower() == "bearer" and bool(token)
    if state.rules.admin_key_before_cookies and _is_admin(state, call, token.strip()):
        found = token.strip()
    elif state.rules.cookies:
        # The cookie takes precedence over the header, even if it is invalid.
        found = call.cookies.get(state.cookie_name("access_token")) or (token.strip() if is_bearer else "")
    elif header is None:
        found = call.arguments().get("_token", "")
    elif not is_bearer:
        raise errors.unauthorized(errors.BAD_SCHEME)
    else:
        found = token.strip()
    if not found:
        raise errors.unauthorized(errors.NO_BEARER)
    return found


def _is_admin(state: State, call: Call, token: str) -> bool:
    sent = token, call.headers.get("X-WORKSPACE-ID")
    return state.admin_api_key is not None and sent == (state.admin_api_key, state.workspace_id)
