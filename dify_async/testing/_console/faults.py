"""Injected faults, and the record of requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Literal

from dify_async.testing._console import errors
from dify_async.testing._console.http import API, Reply
from dify_async.testing._console.rules import Rules

Cut = Literal["before", "after", "body"]


@dataclass(slots=True, eq=False)
class RecordedRequest:
    """A request as received; `status` is None while it is in progress, and if the connection was cut."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    time: float
    body: bytes = field(default=b"", repr=False)
    status: int | None = None


@dataclass(eq=False)
class Fault:
    """A fault for matching requests; created by `FakeDifyServer.inject()`."""

    path: str = "*"
    method: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    cut: Cut | None = None
    times: int | None = None
    probability: float = 1.0
    hits: int = 0
    removed: bool = False

    def __post_init__(self) -> None:
        """Reject a path that matches no request."""
        if not self.path.startswith(("/", "*")) or self.path.startswith(f"{API}/"):
            raise ValueError(
                f'path must be a pattern for the path below {API}, such as "/apps/*", got {self.path!r}'
            )

    def remove(self) -> None:
        """End the fault."""
        self.removed = True


def applies(fault: Fault, request: RecordedRequest, random: Random) -> bool:
    """Whether the fault applies to this request, which is then counted."""
    if fault.removed or fault.hits == fault.times:
        return False
    if fault.method not in (None, request.method) or not fnmatchcase(request.path, fault.path):
        return False
    if random.random() >= fault.probability:
        return False
    fault.hits += 1
    return True


def fault_reply(fault: Fault, rules: Rules) -> Reply | None:
    """The fault's answer, which replaces the server's; None if it has none."""
    if fault.cut == "after" or (fault.body is None and fault.status is None):
        return None
    status = fault.status or 200
    if fault.body is None and status >= 400:
        return errors.from_status(rules, status).reply()
    return Reply(status, fault.body or b"", {"Content-Type": "text/html"})
