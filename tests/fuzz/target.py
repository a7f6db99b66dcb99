"""Any answer to any call gives a value or a DifyError."""

from __future__ import annotations

import base64
import math
import pickle
from typing import Final

import msgspec
from multidict import CIMultiDict

from dify_async import AsyncDifyServer, DifyError, MemoryTokenStore, Tokens
from dify_async._api import endpoints as _endpoints
from dify_async._api.endpoints import Endpoint
from dify_async._api.versions import ADMIN_KEY_NEEDS_CSRF
from dify_async._auth import rules, verdicts
from dify_async._http.wire import (
    Reply,
    is_about_csrf,
    is_about_the_token,
    retry_after,
)
from tests.captures import VERSIONS, Capture, captures

ENDPOINTS: Final = [
    *(value for value in vars(_endpoints).values() if isinstance(value, Endpoint)),
    *_endpoints.STATISTICS.values(),
]
# Words that mutations alone would hardly find.
WORDS: Final = (
    *(b"null", b"true", b"-1", b"1e999", b"9" * 400, b'"\\ud800"', b'"9999-12-31"', b"{}", b"\xff"),
    *(b"[" * 2000, b"token", b"unauthorized", b"Invalid refresh token"),
    *(b"X-Version: 1.11.2\n", b"Retry-After: 9\n", b"Date: Fri, 31 Dec 9999 23:59:59 +0000\n"),
    *(b"Location: https://[::1]:99999/console/api\n", b"Content-Type: text/html\n"),
    b"Set-Cookie: __Host-access_token=a; Secure\n",
)
_MAX_TEXT_LENGTH: Final = 10_000

_caller: Final = AsyncDifyServer(
    "https://dify.example.com", "ops@example.com", "secret", token_store=MemoryTokenStore()
)._caller


def seeds() -> list[bytes]:
    """All captured answers and the claims of a token, in the format of `check`."""
    answers = [_seed(row) for version in VERSIONS for row in captures(version)]
    return [*answers, b'\0\0\xc8Date: Fri, 31 Dec 2025 23:59:59 +0000\n\n{"exp":1795575178}']


def check(data: bytes) -> None:
    """Read an answer with every part of the client that reads answers."""
    endpoint, reply = _parsed(data)
    _check_call(endpoint, reply)
    _check_sign_in(reply)
    _check_expiry(reply)
    wait = retry_after(reply.headers)
    assert wait is None or 0 <= wait < math.inf
    ADMIN_KEY_NEEDS_CSRF(reply.version)


def _seed(row: Capture) -> bytes:
    number = ENDPOINTS.index(row.endpoint) if row.endpoint in ENDPOINTS else 0
    headers = "".join(f"{name}: {value}\n" for name, value in row.headers)
    return bytes([number]) + row.status.to_bytes(2) + headers.encode() + b"\n" + row.reply.body


def _parsed(data: bytes) -> tuple[Endpoint[object], Reply]:
    start, (head, _, body) = data[:3].ljust(3, b"\0"), data[3:].partition(b"\n\n")
    status = 200 + (int.from_bytes(start[1:]) - 200) % 400
    # As aiohttp decodes them.
    lines = head.decode("utf-8", "surrogateescape").split("\n")
    fields = (line.partition(":") for line in lines)
    headers = CIMultiDict((name, value.strip(" \t")) for name, _, value in fields)
    return ENDPOINTS[start[0] % len(ENDPOINTS)], Reply(status, headers, body)


def _check_call(endpoint: Endpoint[object], reply: Reply) -> None:
    url = _caller._transport.url(endpoint.path, ("id",) * endpoint.path.count("{}"), ())
    try:
        if reply.status < 300:
            repr(_caller._decode(endpoint.decoder(), endpoint, url, reply))
        else:
            error = _caller._error_of(endpoint, url, reply, attempts=2)
            is_about_the_token(reply), is_about_csrf(error)
            _check_error(error)
    except DifyError as error:
        _check_error(error)


def _check_sign_in(reply: Reply) -> None:
    tokens = rules.read_tokens(reply)
    if tokens is None:
        rules.refresh_token_is_dead(reply)
        _check_error(verdicts.refusal(reply, "/login", "Secret-Pass-42"))
        return
    assert rules.lifetime(tokens, reply) > 0
    _, body = rules.refresh_request(tokens)
    assert msgspec.json.decode(msgspec.json.encode(tokens), type=Tokens) == tokens
    msgspec.json.decode(body)
    for headers in (rules.call_headers(tokens), rules.refresh_request(tokens)[0]):
        for value in headers.values():
            assert value.isascii()
            assert value.isprintable(), "not a valid header"


def _check_expiry(reply: Reply) -> None:
    token = f".{base64.urlsafe_b64encode(reply.body).decode()}."
    tokens = Tokens(access_token=token, refresh_token="r", expires_at=rules.expiry(token))
    assert rules.lifetime(tokens, reply) > 0
    msgspec.json.encode(tokens)


def _check_error(error: DifyError) -> None:
    text = str(error)
    text.encode()  # so it can be printed
    assert len(text) < _MAX_TEXT_LENGTH
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
