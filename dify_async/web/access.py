"""Who may open the page: host names, the token, and the headers that protect the page in browsers."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from dify_async import _checks
from dify_async._secrets import masked
from dify_async.errors import DifyConfigError

from .problems import Problem, problem_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp.typedefs import Handler, Middleware

PAGE_ROUTE: Final = "page"
STATIC_ROUTE: Final = "static"
LOGIN_ROUTE: Final = "login"
# Routes without secrets: the form for the token, and its styles and scripts.
_PUBLIC_ROUTES: Final = (STATIC_ROUTE, LOGIN_ROUTE)
_COOKIE: Final = "dify_dashboard"
_MIN_TOKEN_LENGTH: Final = 16
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_TOKEN_FORM: Final = (Path(__file__).parent / "static" / "token.html").read_text(encoding="utf-8")
_TOKEN_MISSING: Final = Problem(what="This page needs its token.", advice="Reload the page to enter it.")
_WRONG_HOST: Final = (
    "This page is not served under this host name. Add the name to `hosts`; for a command, pass it as --name."
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that restrict what the page can load and who can embed it."""
    response.headers.update(_HEADERS)


def check_host(hosts: Iterable[str]) -> Middleware:
    """Reject requests to other host names than localhost and `hosts`.

    IP addresses pass: DNS rebinding, which this prevents, needs a name.
    """
    names = {"localhost", *map(_checked_host, _checks.texts("hosts", hosts))}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = _host_of(request)
        if host not in names and not _is_address(host):
            raise web.HTTPForbidden(text=_WRONG_HOST)
        return await handler(request)

    return check


class TokenCheck:
    """Requires a token: in a cookie, which the form for the token sets, or in an Authorization header."""

    def __init__(self, token: str) -> None:
        self._token = masked(_checks.header_text("token", token))
        if len(token) < _MIN_TOKEN_LENGTH:
            raise DifyConfigError(
                f"token must have at least {_MIN_TOKEN_LENGTH} characters, got {len(token)}"
            )
        # Not the token itself, since browsers send cookies to every port of a host.
        self._cookie = masked(hmac.new(token.encode(), _COOKIE.encode(), hashlib.sha256).hexdigest())

    @property
    def middleware(self) -> Middleware:
        """Answers requests without the token with 401; the page's answer has the form for the token."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            route = request.match_info.route.name
            bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if (
                route in _PUBLIC_ROUTES
                or _is_equal(bearer, self._token)
                or _is_equal(request.cookies.get(_COOKIE, ""), self._cookie)
            ):
                return await handler(request)
            return _token_form() if route == PAGE_ROUTE else problem_response(_TOKEN_MISSING, status=401)

        return check

    async def log_in(self, request: web.Request) -> web.Response:
        """Store the cookie if the form has the token, and go to the page."""
        if not _is_equal(str((await request.post()).get("token", "")), self._token):
            return _token_form(is_wrong=True)
        answer = web.Response(status=303, headers={"Location": f"./?{request.query_string}".rstrip("?")})
        answer.set_cookie(
            _COOKIE,
            str(self._cookie),
            path=request.path.removesuffix("token"),
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return answer


def _token_form(*, is_wrong: bool = False) -> web.Response:
    text = _TOKEN_FORM.replace("<body>", "<body data-wrong>", 1) if is_wrong else _TOKEN_FORM
    return web.Response(text=text, status=401, content_type="text/html")


def _is_equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode())


def _checked_host(host: str) -> str:
    if not _HOST_NAME.fullmatch(host):
        raise _checks.refused("hosts", 'a list of host names such as "dashboard.example.com"', host)
    return host.lower()


def _host_of(request: web.Request) -> str:
    try:
        return request.url.host or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
