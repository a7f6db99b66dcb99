"""Why a request got no answer, and what to do about it."""

from __future__ import annotations

from typing import Final

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from msgspec import Struct

from dify_async.errors import (
    OUTCOME_UNKNOWN,
    DifyConnectionError,
    DifyDecodeError,
    DifyError,
    DifyTimeoutError,
    DifyUnknownOutcomeError,
)

from .tls import BROKEN_OFF, lasting_problem
from .wire import redact

# A UnicodeError is of a resolver that cannot encode the name of a host (requests#5367).
FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError, UnicodeError)
_NOT_HTTP: Final = (aiohttp.ClientResponseError, HttpProcessingError)
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.ServerFingerprintMismatch,
    UnicodeError,
)


class Attempt(Struct, frozen=True, kw_only=True):
    """What is known of an attempt that failed.

    Attributes:
        call: Its method and path, as errors name it.
        scheme: Of its URL.
        server: Host and port of its URL.
        is_change: Whether its outcome is unknown if it may have been sent.
        may_be_sent: Whether a part of it may have been written.
        has_answered: Whether the server ever answered this client.
        ssl_argument: What takes an SSL context, as "ssl=".
    """

    call: str
    scheme: str
    server: str
    is_change: bool
    may_be_sent: bool
    has_answered: bool
    timeout: float
    connect_timeout: float
    ssl_argument: str


def failure_of(error: Exception, attempt: Attempt) -> DifyError:
    """The error to raise for one of `FAILURES`."""
    call = attempt.call
    # With TLS 1.3 a server looks at the client's certificate after the handshake.
    problem = lasting_problem(error.__cause__ or error, attempt.server, attempt.ssl_argument)
    if problem is not None or not attempt.may_be_sent or isinstance(error, _NOT_SENT):
        return _not_sent(error, attempt, problem)
    is_timeout = isinstance(error, TimeoutError)
    unreadable = _unreadable(error)
    reason = unreadable or (f"no answer within {attempt.timeout:g} s" if is_timeout else _text_of(error))
    reason += _hint(error, attempt)
    if attempt.is_change:
        return DifyUnknownOutcomeError(f"{call}: the answer was lost ({reason}): {OUTCOME_UNKNOWN}")
    if unreadable:
        return DifyDecodeError(f"{call}: {reason}")
    return (DifyTimeoutError if is_timeout else DifyConnectionError)(f"{call}: {reason}")


def _unreadable(error: Exception) -> str:
    """What is wrong with an answer that is not HTTP; "" if there was none."""
    if _is_too_long(error):
        return "a header of the answer is too long to be read"
    # A body that was cut short is a ClientPayloadError too, of a connection that broke.
    if isinstance(error, _NOT_HTTP) or isinstance(error.__cause__, ContentEncodingError):
        return f"the answer is not HTTP that can be read ({type(error).__name__})"
    return ""


def _is_too_long(error: Exception) -> bool:
    # aiohttp's LineTooLong, of which its parser in C leaves the text alone.
    return isinstance(error, _NOT_HTTP) and error.message.startswith("Got more than")


def _hint(error: Exception, attempt: Attempt) -> str:
    if attempt.has_answered or _is_too_long(error):
        return ""
    if attempt.scheme == "http":  # a TLS server closes on plain text, or sends an alert of a few bytes
        return "; base_url is http://, does the server speak https?"
    closed = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
    return f"; {BROKEN_OFF}" if closed else ""


def _not_sent(error: Exception, attempt: Attempt, problem: str | None) -> DifyError:
    if isinstance(error, TimeoutError):  # before its turn came for a connection, or while one was made
        is_connecting = isinstance(error, aiohttp.ConnectionTimeoutError)
        seconds = attempt.connect_timeout if is_connecting else attempt.timeout
        return DifyTimeoutError(f"{attempt.call}: no connection within {seconds:g} s", sent=False)
    lasts = True
    if problem is not None:
        reason = problem
    elif isinstance(error, aiohttp.ServerFingerprintMismatch):
        reason = f"the certificate of {error.host}:{error.port} is not the one that the session pins"
    elif isinstance(error, UnicodeError | aiohttp.InvalidURL):
        # Their texts may hold a whole URL.
        reason = "the name of the host cannot be looked up; check base_url and proxy"
    else:
        reason, lasts = _passing_reason(error), False
    return DifyConnectionError(f"{attempt.call}: no connection: {reason}", sent=False, may_pass=not lasts)


def _passing_reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        # Its text holds the proxy's URL.
        advice = "; give proxy= as http://USER:PASSWORD@HOST:PORT" if error.status == 407 else ""
        return f"the proxy answered {error.status}{advice}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return _cannot_connect(error)
    return _text_of(error)


def _cannot_connect(error: aiohttp.ClientConnectorError) -> str:
    # An OSError that asyncio raises itself has no text, and aiohttp writes [None].
    text = _text_of(error).replace("[None]", f"[{type(error.os_error).__name__}]")
    broken_off = error.ssl is not False and isinstance(error.os_error, ConnectionResetError)
    return f"{text}; {BROKEN_OFF}" if broken_off else text


def _text_of(error: Exception) -> str:
    return redact(str(error) or repr(error))
