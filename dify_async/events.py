"""Events that a client reports while it works, for logging, metrics and tracing.

Pass a function as `on_event=` to `AsyncDifyServer`. It is called in the task that does the work, so it
should return quickly; its exceptions are logged and otherwise ignored. Events contain no ids, query
strings or secrets. `dify_async.otel` turns events into OpenTelemetry spans and metrics.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

logger: Final = logging.getLogger("dify_async")


class _ServerEvent(Struct, frozen=True, kw_only=True):
    # Keyword-only, so that the positions of the other fields stay as they are.
    host: str = ""
    port: int = 0


class RequestEvent(_ServerEvent, frozen=True):
    """The fields that all request events share.

    Attributes:
        call: The number of the call. All attempts of a call have the same number.
        method: The HTTP method.
        route: The path below /console/api, with {} in place of each id.
        attempt: 1 for the first attempt.
        host: The host name or address of the server.
        port: The port of the server.
    """

    call: int
    method: str
    route: str
    attempt: int


class RequestStarted(RequestEvent, frozen=True):
    """A request is about to be sent: it has passed the concurrency limit."""


class RequestAnswered(RequestEvent, frozen=True):
    """A response arrived, with any status.

    Attributes:
        status: The HTTP status.
        seconds: The time since the request was sent.
    """

    status: int
    seconds: float


class RequestFailed(RequestEvent, frozen=True):
    """No readable response arrived.

    Attributes:
        error: The class name of the exception.
        seconds: The time since the request was sent.
    """

    error: str
    seconds: float


class RequestRetried(RequestEvent, frozen=True):
    """A request will be retried.

    Attributes:
        attempt: The number of the next attempt.
        wait: The seconds until then.
    """

    wait: float


class SessionRefreshed(Struct, frozen=True):
    """The server issued new tokens.

    Attributes:
        method: What they were issued for.
    """

    method: Literal["refresh_token", "password", "email_code"]


class StoreDown(Struct, frozen=True):
    """The token store failed. Reported once per outage.

    Attributes:
        error: The class name of the exception.
    """

    error: str


class StoreUp(Struct, frozen=True):
    """The token store works again."""


Event = (
    RequestStarted | RequestAnswered | RequestFailed | RequestRetried | SessionRefreshed | StoreDown | StoreUp
)
OnEvent = Callable[[Event], None]


def emitter(hook: OnEvent | None) -> OnEvent:
    """A function that calls the hook and logs its exceptions."""

    def emit(event: Event) -> None:
        if hook is not None:
            try:
                hook(event)
            except Exception:
                logger.exception("on_event raised an exception for %s", type(event).__name__)

    return emit
