"""Servers that cannot be reached: what the error names."""

from __future__ import annotations

import errno

import aiohttp
import pytest

from dify_async import AsyncDifyServer, DifyConnectionError, DifyUnknownOutcomeError, MemoryTokenStore
from dify_async._http.failures import FailureKind, failure_of
from dify_async.testing import FakeDifyServer
from tests.client.support import failed_attempt
from tests.support import ONCE


async def test_nobody_listens() -> None:
    async with FakeDifyServer() as gone:
        url = gone.base_url
    async with AsyncDifyServer(url, "a@example.com", "p", retry=ONCE, token_store=MemoryTokenStore()) as dify:
        with pytest.raises(DifyConnectionError) as refused:
            await dify.profile()
        assert not isinstance(refused.value, DifyUnknownOutcomeError)
    reason = "connection refused. Is the server running, and is the port right?"
    assert str(refused.value) == f"Cannot connect to {url}: {reason}"


async def test_a_name_that_does_not_exist() -> None:
    url = "http://no-such-host.invalid"
    async with AsyncDifyServer(url, "a@example.com", "p", retry=ONCE, token_store=MemoryTokenStore()) as dify:
        with pytest.raises(DifyConnectionError) as refused:
            await dify.profile()
    reason = "host name not found. Is the name right, and can this machine resolve it?"
    assert str(refused.value) == f"Cannot connect to {url}: {reason}"


@pytest.mark.parametrize("changes", [False, True])
def test_why_a_connection_was_lost(*, changes: bool) -> None:
    error = aiohttp.ClientOSError(errno.ECONNRESET, "Connection reset by peer")
    attempt = failed_attempt(FailureKind.OTHER, "GET /apps", changes=changes)
    text = str(failure_of(error, attempt))
    assert "connection reset" in text
    assert "rrno" not in text


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        (OSError(errno.EHOSTUNREACH, "Connect call failed ('10.0.0.1', 9)"), "host unreachable. Is the"),
        (OSError(errno.ENETUNREACH, "Connect call failed ('10.0.0.1', 9)"), "network unreachable. Is this"),
        (OSError(errno.EACCES, "x"), "permission denied. Check base_url and the network."),
        (OSError(errno.ETIMEDOUT, "x"), "timed out. Is the address right"),
        # The addresses of one host: IPv6 is not available, and no program listens on IPv4.
        (
            OSError(
                f"Multiple exceptions: [Errno {errno.EADDRNOTAVAIL}] Cannot assign ('::1', 9, 0, 0),"
                f" [Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 9)"
            ),
            "connection refused. Is the server running",
        ),
        (OSError("odd"), "odd. Check base_url and the network."),
    ],
)
@pytest.mark.parametrize("proxy", ["", "http://proxy:3128"])
def test_why_no_connection_was_made(cause: OSError, says: str, proxy: str) -> None:
    error = aiohttp.ClientOSError()
    error.__cause__ = cause
    attempt = failed_attempt(FailureKind.CANNOT_CONNECT, "GET /apps", changes=False, proxy=proxy)
    text = str(failure_of(error, attempt))
    assert text.startswith(
        "Cannot connect to " + (f"the proxy {proxy}: " if proxy else "https://host/dify: ")
    )
    assert says.replace("the server", "the proxy" if proxy else "the server") in text
    assert "rrno" not in text
