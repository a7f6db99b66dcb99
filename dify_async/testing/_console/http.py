"""A call, its reply and the routes between them: HTTP without sockets."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from dify_async.testing._console.rules import Rules

if TYPE_CHECKING:
    from dify_async.testing._console.accounts import FakeAccount
    from dify_async.testing._console.console import Console

API = "/console/api"
_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_NOT_FOUND = (
    b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    b"<p>The requested URL was not found on the server. If you entered the URL manually "
    b"please check your spelling and try again.</p>\n"
)


@dataclass(slots=True)
class Call:
    """One request, with its path below /console/api."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    account: "FakeAccount | None" = None
    asked_for_token: bool = False

    @property
    def owner(self) -> "FakeAccount":
        """The account that signed in; only for routes that ask for one."""
        if self.account is None:
            raise RuntimeError(f"{self.method} {self.path} does not sign in.")
        return self.account

    def parameters(self) -> list[tuple[str, str]]:
        """The query, in order, repeated names and empty values included."""
        return parse_qsl(self.query, keep_blank_values=True)

    def arguments(self) -> dict[str, str]:
        """The query; of a repeated name the first value counts, as on the server."""
        return dict(reversed(self.parameters()))


@dataclass(slots=True)
class Reply:
    """An answer; `cookies` are whole Set-Cookie values."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)


def json_reply(content: object, status: int = 200) -> Reply:
    """Answer with JSON."""
    return Reply(status, msgspec.json.encode(content), {"Content-Type": "application/json"})


def empty_reply() -> Reply:
    """A 204: no body, and all the same a content type."""
    return Reply(204, headers={"Content-Type": "application/json"})


class Refusal(Exception):  # noqa: N818 - a refused call is an answer, not an error of the fake
    """Ends a call with an error answer."""

    def __init__(
        self, status: int, body: dict[str, Any] | bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, dict(headers or {})

    def reply(self) -> Reply:
        """The answer; bytes are an HTML page."""
        if isinstance(self.body, bytes):
            return Reply(self.status, self.body, {"Content-Type": "text/html; charset=utf-8"})
        reply = json_reply(self.body, self.status)
        reply.headers.update(self.headers)
        return reply


Handler = Callable[["Console", Call], Reply]


@dataclass(frozen=True)
class Route:
    """One method of one path, spelled as the server spells it: /apps/<uuid:app_id>."""

    method: str
    path: str
    handler: Handler
    when: Callable[[Rules], bool] = lambda _rules: True
    public: bool = False  # answers without a token
    before_setup: bool = False  # answers before the server is set up
    csrf: bool = True
    finds_app: Callable[["Console", Call], object] | None = None  # before CSRF, on older servers


class Router:
    """Finds the route of a call: 404 and 405 come before anything else."""

    def __init__(self, routes: Iterable[Route], rules: Rules) -> None:
        self._rules = rules
        self._paths: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            if route.when(rules):
                pattern = re.compile(re.sub(r"<uuid:(\w+)>", rf"(?P<\1>{_UUID})", route.path))
                self._paths.setdefault(route.path, (pattern, {}))[1][route.method] = route

    def find(self, call: Call) -> Route:
        """The route of a call, whose ids it notes on the call."""
        for pattern, methods in self._paths.values():
            if found := pattern.fullmatch(call.path):
                # HEAD is answered as GET; the server leaves the body out.
                route = methods.get("GET" if call.method == "HEAD" else call.method)
                if route is None:
                    message = "The method is not allowed for the requested URL."
                    body = {"code": "method_not_allowed", "message": message, "status": 405}
                    allow = {"Allow": ", ".join(methods)} if self._rules.allow_header else None
                    raise Refusal(405, body, allow)
                call.ids = {name: text.lower() for name, text in found.groupdict().items()}
                return route
        raise Refusal(404, _NOT_FOUND)

    def suggestion(self, path: str) -> str:
        """What flask-restx adds to the message of a 404 when routes look alike."""
        routes = {re.sub("<.*>", "", API + template): API + template for template in self._paths}
        close = " or ".join(routes[match] for match in get_close_matches(API + path, routes))
        return f" You have requested this URI [{API}{path}] but did you mean {close} ?" if close else ""
