"""The same call with other libraries: a statistic of one app, decoded into types."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import urlencode

from benchmarks.bodies import END, START, app_id

APPS: Final = 64
HEADERS: Final = {
    "Cookie": "; ".join(f"{name}={name}-{'x' * 180}" for name in ("access_token", "csrf_token")),
    "X-CSRF-Token": f"csrf_token-{'x' * 180}",
    "Accept-Encoding": "gzip, deflate",
}
QUERY: Final = {"start": START, "end": END}


def url_of(base_url: str, number: int) -> str:
    return f"{base_url}/console/api/apps/{app_id(number % APPS)}/statistics/token-costs?{urlencode(QUERY)}"


class Contender(Protocol):
    """One way to make the call."""

    def __init__(self, base_url: str) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def call(self, number: int) -> int:
        """Get the token costs of an app; return the number of days."""
        ...
