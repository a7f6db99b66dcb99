"""Answers each call: routing, authentication and errors."""

from dify_async.testing._console import errors
from dify_async.testing._console.authentication import authenticate, check_csrf
from dify_async.testing._console.handlers.routes import ROUTES
from dify_async.testing._console.http import Call, HTTPError, Reply
from dify_async.testing._console.routing import Router
from dify_async.testing._console.state import State


class Dispatcher:
    """Answers calls from the fake server's state, as Dify would."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._router = Router(ROUTES, state.rules)

    def answer(self, call: Call) -> Reply:
        """The reply to a call; errors are replies too."""
        try:
            with self._state.lock:
                reply = self._handle(call)
        except HTTPError as error:
            reply = self._error_reply(call, error)
        if call.needs_token or self._state.rules.vary_everywhere:
            reply.headers["Vary"] = "Cookie"
        return reply

    def _handle(self, call: Call) -> Reply:
        state, route = self._state, self._router.find(call)
        call.needs_token = not route.public
        if not (state.setup_finished or route.before_setup):
            raise errors.not_setup()
        if not route.public:
            call.account = authenticate(state, call)
            # Older servers look up the app before they check the CSRF token.
            if route.load_app and state.rules.app_before_csrf:
                route.load_app(state, call)
            if route.csrf:
                check_csrf(state, call)
        return route.handler(state, call)

    def _error_reply(self, call: Call, error: HTTPError) -> Reply:
        body, rules = error.body, self._state.rules
        if isinstance(body, dict):
            if error.status == 401 and rules.www_authenticate and "status" in body:
                error.headers["WWW-Authenticate"] = 'Bearer realm="api"'
            suggestion = self._router.suggestion(call.path) if error.status == 404 else ""
            if suggestion and rules.route_suggestions:
                body["message"] = body["message"].rstrip(".") + "." + suggestion
        return error.reply()
