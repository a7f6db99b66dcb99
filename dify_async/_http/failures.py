"""Explain why a request got no answer, and what to do about it."""

from __future__ import annotations

import socket
from enum import Enum, auto
from typing import Final

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

PROXY_CLOSED: Final = "check whether the proxy allows connections to the server"


class Kind(Enum):
    """The kind of failure."""

    INVALID_HOST = auto()
    CANNOT_CONNECT = auto()
    CONNECT_TIMEOUT = auto()
    REJECTED_BY_PROXY = auto()
    OTHER_FINGERPRINT = auto()
    TIMEOUT = auto()
    DISCONNECTED = auto()
    NOT_HTTP = auto()
    HEADER_TOO_LONG = auto()
    OTHER = auto()


_NOT_SENT: Final = frozenset(
    {
        Kind.INVALID_HOST,
        Kind.CANNOT_CONNECT,
        Kind.CONNECT_TIMEOUT,
        Kind.REJECTED_BY_PROXY,
        Kind.OTHER_FINGERPRINT,
    }
)


class FailedAttempt(Struct, frozen=True, kw_only=True):
    """An attempt that failed.

    Attributes:
        call: The method and path, for error messages.
        scheme: The scheme of the URL.
        server: The host and port of the URL.
        changes: Whether the request may change something on the server, so that its outcome is unknown if
            it may have been sent.
        may_be_sent: Whether part of the request may have been sent.
        has_answered: Whether the server has ever answered this client.
        is_proxied: Whether the client uses a proxy.
        timeout: The time limit of the attempt, in seconds.
        connect_timeout: The time limit for connecting, in seconds.
        ssl_argument: The argument that takes an SSL context, such as "ssl=".
        peer: The host and port to connect to; unknown unless connecting failed.
        is_tls: Whether the connection to `peer` uses TLS; unknown unless connecting failed.
        proxy_status: The status with which the proxy rejected the connection; 0 if it did not.
    """

    kind: Kind

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
    peer: str = ""
    is_tls: bool = False
    proxy_status: int = 0


def failure_of(error: Exception, attempt: FailedAttempt) -> DifyError:
    """The error to raise for a failed attempt; `error` is the original exception."""
    call = attempt.call
    # With TLS 1.3, a server checks the client's certificate after the handshake, so a TLS problem is possible
    # after the request was sent.
    problem = permanent_problem(error.__cause__ or error, attempt.server, attempt.ssl_argument)
    if problem is not None or not attempt.may_be_sent or attempt.kind in _NOT_SENT:
        return _not_sent(error, attempt, problem)
    is_timeout = isinstance(error, TimeoutError)
    unreadable = _unreadable(error, attempt.kind)
    reason = unreadable or (f"no answer within {attempt.timeout:g} s" if is_timeout else _text_of(error))
    reason += _hint(attempt)
    if attempt.changes:
        return DifyUnknownOutcomeError(f"{call}: the answer was lost ({reason}): {OUTCOME_UNKNOWN}")
    if unreadable:
        return DifyDecodeError(f"{call}: {reason}")
    return (DifyTimeoutError if is_timeout else DifyConnectionError)(f"{call}: {reason}")


def _unreadable(error: Exception, kind: Kind) -> str:
    """Why an answer is not valid HTTP; "" if there was no answer."""
    if kind is Kind.HEADER_TOO_LONG:
        return "a header of the answer is too long"
    return f"the answer is not valid HTTP ({type(error).__name__})" if kind is Kind.NOT_HTTP else ""


def _hint(attempt: FailedAttempt) -> str:
    if attempt.has_answered or attempt.kind is Kind.HEADER_TOO_LONG:
        return ""
    if attempt.scheme == "http":  # a TLS server answers plain HTTP with an alert, or disconnects
        return "; check whether base_url must be https://"
    if attempt.kind is not Kind.DISCONNECTED:
        return ""
    # The proxy may have closed the connection instead of connecting to the server.
    return f"; {PROXY_CLOSED if attempt.is_proxied else HANDSHAKE_FAILED}"


def _not_sent(error: Exception, attempt: FailedAttempt, problem: str | None) -> DifyError:
    if isinstance(error, TimeoutError):  # while waiting for a free connection, or while connecting
        is_connecting = attempt.kind is Kind.CONNECT_TIMEOUT
        seconds = attempt.connect_timeout if is_connecting else attempt.timeout
        return DifyTimeoutError(f"{attempt.call}: no connection within {seconds:g} s", sent=False)
    may_pass = False
    if problem is not None:
        reason = problem
    elif attempt.kind is Kind.OTHER_FINGERPRINT:
        reason = f"the certificate of {attempt.peer} does not match the fingerprint of the session"
    elif attempt.kind is Kind.INVALID_HOST:
        # The original message is not shown, because it may contain a whole URL.
        reason = "the host name is invalid; check base_url and proxy"
    else:
        reason, may_pass = _temporary_reason(error, attempt), True
    return DifyConnectionError(f"{attempt.call}: no connection: {reason}", sent=False, may_pass=may_pass)


def _temporary_reason(error: Exception, attempt: FailedAttempt) -> str:
    if attempt.kind is Kind.REJECTED_BY_PROXY:
        # The original message is not shown, because it contains the proxy's URL.
        status = attempt.proxy_status
        advice = f"; {PROXY_LOGIN_ADVICE}" if status == 407 else ""
        return f"the proxy answered {status}{advice}"
    if attempt.kind is Kind.CANNOT_CONNECT:
        return _cannot_connect(error.__cause__, attempt)
    return _text_of(error)


def _cannot_connect(cause: BaseException | None, attempt: FailedAttempt) -> str:
    text = f"cannot connect to {attempt.peer}: "
    if isinstance(cause, socket.gaierror):
        return f"{text}host name not found; check base_url and proxy"
    if isinstance(cause, ConnectionRefusedError):
        return f"{text}connection refused; check base_url, and whether the server is running"
    # An OSError raised by asyncio itself has no strerror.
    text += redact(getattr(cause, "strerror", None) or str(cause) or type(cause).__name__)
    is_reset_handshake = attempt.is_tls and isinstance(cause, ConnectionResetError)
    return f"{text}; {HANDSHAKE_FAILED}" if is_reset_handshake else text


def _text_of(error: Exception) -> str:
    return redact(str(error) or repr(error))
