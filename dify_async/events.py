"""What a client tells about its work as it goes on, for counting and tracing.

Pass `on_event=` to `AsyncDifyServer`. It is called in the task that does the work, so it should be
quick; what it raises is logged and harms nothing. No event holds an id, a query or a secret.
`dify_async.otel` makes spans and metrics of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

logger: Final = logging.getLogger("dify_async")


class _ServerEvent(Struct, frozen=True, kw_only=True):
    # By keyword alone, so that the places of the others stay as they are.
    host: str = ""
    port: int = 0


class RequestEvent(_ServerEvent, frozen=True):
    """What all events of a request hold.

    Attributes:
        call: A number for the call that it belongs to; its further attempts have the same.
        method: The HTTP method.
        route: The path below /console/api, with {} in the place of each id.
        attempt: 1 for the first.
        host: The name or address of the server.
        port: The port of the server.
    """

    call: int
    method: str
    route: str
    attempt: int


class RequestStarted(RequestEvent, frozen=True):
    """A request has its slot and is sent."""


class RequestAnswered(RequestEvent, frozen=True):
    """An answer came, of whatever status, `seconds` after the start."""

    status: int
    seconds: float


class RequestFailed(RequestEvent, frozen=True):
    """No answer came, or none that can be read; `error` is the class of what was raised."""

    error: str
    seconds: float


class RequestRetried(RequestEvent, frozen=True):
    """A request will be sent again, as the next attempt, after `wait` seconds."""

    wait: float


class SessionRefreshed(Struct, frozen=True):
    """The server gave new tokens, for the refresh token, the password or a code from a mail."""

    by: Literal["refresh token", "password", "e-mail code"]


class StoreDown(Struct, frozen=True):
    """The token store does not work; `error` is the class of what it raised. Once an outage."""

    error: str


class StoreUp(Struct, frozen=True):
    """The token store works again."""


Event = (
    RequestStarted | RequestAnswered | RequestFailed | RequestRetried | SessionRefreshed | StoreDown | StoreUp
)
OnEvent = Callable[[Event], None]


def emitter(hook: OnEvent | None) -> OnEvent:
    """The hook, without what it raises."""

    def emit(event: Event) -> None:
        if hook is not None:
            try:
                hook(event)
            except Exception:
                logger.exception("on_event failed at %s", type(event).__name__)

    return emit
