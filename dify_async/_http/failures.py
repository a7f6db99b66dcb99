"""Why a request got no answer, and what to do about it."""

from __future__ import annotations

import socket
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

from .hints import PROXY_LOGIN_ADVICE
from .tls import HANDSHAKE_FAILED, permanent_problem
from .wire import redact

# The resolver raises a UnicodeError for a host name that it cannot encode (requests#5367).
FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError, UnicodeError)
PROXY_CLOSED: Final = "check whether the proxy allows connections to the server"
_NOT_HTTP: Final = (aiohttp.ClientResponseError, HttpProcessingError)
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.ServerFingerprintMismatch,
    UnicodeError,
)


class FailedAttempt(Struct, frozen=True, kw_only=True):
    """An attempt that failed.

    Attributes:
        call: The method and path, for error messages.
        scheme: The scheme of the URL.
        server: The host and port of the URL.
        changes: Whether the outcome is unknown if the request may have been sent.
        may_be_sent: Whether a part of the request may have been sent.
        has_answered: Whether the server has ever answered this client.
        is_proxied: Whether the client has a proxy.
        ssl_argument: The argument for an SSL context, such as "ssl=".
    """

    call: str
    scheme: str
    server: str
    changes: bool
    may_be_sent: bool
    has_answered: bool
    is_proxied: bool
    timeout: float
    connect_timeout: float
    ssl_argument: str


def failure_of(error: Exception, attempt: FailedAttempt) -> DifyError:
    """The error to raise for one of `FAILURES`."""
    call = attempt.call
    # With TLS 1.3 a server checks the client's certificate after the handshake.
    problem = permanent_problem(error.__cause__ or error, attempt.server, attempt.ssl_argument)
    if problem is not None or not attempt.may_be_sent or isinstance(error, _NOT_SENT):
        return _not_sent(error, attempt, problem)
    is_timeout = isinstance(error, TimeoutError)
    unreadable = _unreadable(error)
    reason = unreadable or (f"no answer within {attempt.timeout:g} s" if is_timeout else _text_of(error))
    reason += _hint(error, attempt)
    if attempt.changes:
        return DifyUnknownOutcomeError(f"{call}: the answer was lost ({reason}): {OUTCOME_UNKNOWN}")
    if unreadable:
        return DifyDecodeError(f"{call}: {reason}")
    return (DifyTimeoutError if is_timeout else DifyConnectionError)(f"{call}: {reason}")


def _unreadable(error: Exception) -> str:
    """Why an answer is not valid HTTP; "" if there was no answer."""
    if _is_too_long(error):
        return "a header of the answer is too long"
    # A body that ends early is a ClientPayloadError too, but then the connection broke.
    if isinstance(error, _NOT_HTTP) or isinstance(error.__cause__, ContentEncodingError):
        return f"the answer is not valid HTTP ({type(error).__name__})"
    return ""


def _is_too_long(error: Exception) -> bool:
    # aiohttp's LineTooLong; its parser in C keeps only the message.
    return isinstance(error, _NOT_HTTP) and error.message.startswith("Got more than")


def _hint(error: Exception, attempt: FailedAttempt) -> str:
    if attempt.has_answered or _is_too_long(error):
        return ""
    if attempt.scheme == "http":  # a TLS server answers plain text with an alert, or closes the connection
        return "; check whether base_url must be https://"
    if not isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return ""
    # The proxy may have closed the connection instead of making one to the server.
    return f"; {PROXY_CLOSED if attempt.is_proxied else HANDSHAKE_FAILED}"


def _not_sent(error: Exception, attempt: FailedAttempt, problem: str | None) -> DifyError:
    if isinstance(error, TimeoutError):  # while it waited for a connection, or while one was made
        is_connecting = isinstance(error, aiohttp.ConnectionTimeoutError)
        seconds = attempt.connect_timeout if is_connecting else attempt.timeout
        return DifyTimeoutError(f"{attempt.call}: no connection within {seconds:g} s", sent=False)
    may_pass = False
    if problem is not None:
        reason = problem
    elif isinstance(error, aiohttp.ServerFingerprintMismatch):
        reason = f"the certificate of {error.host}:{error.port} does not match the fingerprint of the session"
    elif isinstance(error, UnicodeError | aiohttp.InvalidURL):
        # The message may contain a whole URL.
        reason = "the host name is invalid; check base_url and proxy"
    else:
        reason, may_pass = _temporary_reason(error), True
    return DifyConnectionError(f"{attempt.call}: no connection: {reason}", sent=False, may_pass=may_pass)


def _temporary_reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        # The message contains the proxy's URL.
        advice = f"; {PROXY_LOGIN_ADVICE}" if error.status == 407 else ""
        return f"the proxy answered {error.status}{advice}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return _cannot_connect(error)
    return _text_of(error)


def _cannot_connect(error: aiohttp.ClientConnectorError) -> str:
    cause = error.os_error
    text = f"cannot connect to {error.host}:{error.port}: "
    if isinstance(cause, socket.gaierror):
        return f"{text}host name not found; check base_url and proxy"
    if isinstance(cause, ConnectionRefusedError):
        return f"{text}connection refused; check base_url, and whether the server is running"
    # An OSError that asyncio itself raises has no text.
    text += redact(cause.strerror or str(cause) or type(cause).__name__)
    is_reset_handshake = error.ssl is not False and isinstance(cause, ConnectionResetError)
    return f"{text}; {HANDSHAKE_FAILED}" if is_reset_handshake else text


def _text_of(error: Exception) -> str:
    return redact(str(error) or repr(error))
