"""Answers of running servers of Dify, as they came over loopback; secrets in them are made up.

One gzipped file a version, one JSON object a line: case, method, path, query, sent (the request's
body), status, headers (those that matter here), body (or body_base64 where it came compressed).

1.17-pre is Dify's main four days before 1.17.0; it reports 1.16.1.
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from multidict import CIMultiDict

from dify_async._api import endpoints as _endpoints
from dify_async._api.endpoints import Endpoint
from dify_async._http.urls import API_ROOT
from dify_async._http.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS: Final = ("0.15.3", "1.9.1", "1.10.1", "1.11.2", "1.15.0", "1.16.1", "1.17-pre")


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    version: str = ""
    case: str
    method: str
    path: str
    query: str
    sent: str = ""
    status: int
    headers: list[tuple[str, str]]
    body: str
    body_base64: bytes = b""

    def __str__(self) -> str:
        return f"{self.version}/{self.case}"

    @property
    def reply(self) -> Reply:
        return Reply(self.status, CIMultiDict(self.headers), self.body_base64 or self.body.encode())

    @property
    def is_compressed(self) -> bool:
        return bool(self.body_base64)

    @property
    def route(self) -> str:
        return self.path.removeprefix(API_ROOT)

    @property
    def endpoint(self) -> Endpoint[object] | None:
        """The endpoint of the table whose route this is."""
        return _endpoint(self.method, self.route)


@cache
def captures(version: str) -> tuple[Capture, ...]:
    lines = gzip.decompress(Path(__file__).with_name(f"{version}.jsonl.gz").read_bytes()).splitlines()
    rows = (msgspec.json.decode(line, type=Capture) for line in lines)
    return tuple(msgspec.structs.replace(row, version=version) for row in rows)


def capture(name: str) -> Capture:
    """The capture of a name such as "1.11.2/01_login_ok"."""
    version, _, case = name.partition("/")
    return next(row for row in captures(version) if row.case == case)


def of_our_routes(version: str) -> Iterator[tuple[Capture, Endpoint[object]]]:
    for row in captures(version):
        if (endpoint := row.endpoint) is not None and not row.is_compressed:
            yield row, endpoint


@cache
def _table() -> list[tuple[re.Pattern[str], Endpoint[object]]]:
    endpoints = [value for value in vars(_endpoints).values() if isinstance(value, Endpoint)]
    endpoints += _endpoints.STATISTICS.values()
    # A fixed route goes before one with an id in the same place, as on the server.
    endpoints.sort(key=lambda endpoint: endpoint.path.count("{}"))
    return [(re.compile(re.escape(e.path).replace(r"\{\}", "[0-9A-Fa-f-]{36}")), e) for e in endpoints]


@cache
def _endpoint(method: str, route: str) -> Endpoint[object] | None:
    for pattern, endpoint in _table():
        if endpoint.method == method and pattern.fullmatch(route):
            return endpoint
    return None
