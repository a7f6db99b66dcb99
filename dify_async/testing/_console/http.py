"""A call and its reply: HTTP without sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from dify_async.testing._console.models import FakeAccount

API = "/console/api"


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
    account: FakeAccount | None = None
    needs_token: bool = False

    @property
    def caller(self) -> FakeAccount:
        """The authenticated account; only for routes that are not public."""
        if self.account is None:
            raise RuntimeError(f"{self.method} {self.path} is not authenticated.")
        return self.account

    def parameters(self) -> list[tuple[str, str]]:
        """The query in order, including repeated names and empty values."""
        return parse_qsl(self.query, keep_blank_values=True)

    def arguments(self) -> dict[str, str]:
        """The query as a mapping; the first value of a repeated name counts, as on the server."""
        return dict(reversed(self.parameters()))


@dataclass(slots=True)
class Reply:
    """An answer; `cookies` are complete Set-Cookie values."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)


def json_reply(content: object, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(status, msgspec.json.encode(content), {"Content-Type": "application/json"})


def empty_reply() -> Reply:
    """A 204: no body, but a content type."""
    return Reply(204, headers={"Content-Type": "application/json"})


class HTTPError(Exception):
    """Ends a call with an error answer."""

    def __init__(
        self, status: int, body: dict[str, Any] | bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, dict(headers or {})

    def reply(self) -> Reply:
        """The answer; a body of bytes is an HTML page."""
        if isinstance(self.body, bytes):
            return Reply(self.status, self.body, {"Content-Type": "text/html; charset=utf-8"})
        reply = json_reply(self.body, self.status)
        reply.headers.update(self.headers)
        return reply
