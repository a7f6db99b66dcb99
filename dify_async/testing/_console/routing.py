"""Routes, and the router that finds the one for a call."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from dify_async.testing._console.http import API, Call, HTTPError, Reply
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State

_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_NOT_FOUND = (
    b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    b"<p>The requested URL was not found on the server. If you entered the URL manually "
    b"please check your spelling and try again.</p>\n"
)


@dataclass(frozen=True)
class Route:
    """One method of one path, in the server's notation: /apps/<uuid:app_id>."""

    method: str
    path: str
    handler: Callable[[State, Call], Reply]
    when: Callable[[Rules], bool] = lambda _rules: True
    public: bool = False  # answers without a token
    before_setup: bool = False  # answers before the server is set up
    csrf: bool = True
    load_app: Callable[[State, Call], object] | None = None  # before the CSRF check, on older servers

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the paths of calls."""
        return re.compile(re.sub(r"<uuid:(\w+)>", rf"(?P<\1>{_UUID})", self.path))


class Router:
    """Finds the route of a call; 404 and 405 precede every other error."""

    def __init__(self, routes: Iterable[Route], rules: Rules) -> None:
        self._rules = rules
        self._paths: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            if route.when(rules):
                self._paths.setdefault(route.path, (route.pattern, {}))[1][route.method] = route

    def find(self, call: Call) -> Route:
        """The route of a call; the ids in the path are set on the call."""
        for pattern, methods in self._paths.values():
            if found := pattern.fullmatch(call.path):
                # HEAD is answered like GET; the listener omits the body.
                route = methods.get("GET" if call.method == "HEAD" else call.method)
                if route is None:
                    message = "The method is not allowed for the requested URL."
                    body = {"code": "method_not_allowed", "message": message, "status": 405}
                    allow = {"Allow": ", ".join(methods)} if self._rules.allow_header else None
                    raise HTTPError(405, body, allow)
                call.ids = {name: text.lower() for name, text in found.groupdict().items()}
                return route
        raise HTTPError(404, _NOT_FOUND)

    def suggestion(self, path: str) -> str:
        """The hint that flask-restx appends to the message of a 404 if routes are similar."""
        routes = {re.sub("<.*>", "", API + template): API + template for template in self._paths}
        close = " or ".join(routes[match] for match in get_close_matches(API + path, routes))
        return f" You have requested this URI [{API}{path}] but did you mean {close} ?" if close else ""
