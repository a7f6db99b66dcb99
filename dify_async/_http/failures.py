"""Explain why a request got no response, and what to do about it."""

from __future__ import annotations

import errno
import os
import re
import socket
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dify_async.errors import (
    CLOSE_FILES,
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

if TYPE_CHECKING:
    from collections.abc import Iterator

PROXY_CLOSED: Final = "check whether the proxy allows connections to the server"


class FailureKind(Enum):
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
        FailureKind.INVALID_HOST,
        FailureKind.CANNOT_CONNECT,
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.REJECTED_BY_PROXY,
        FailureKind.OTHER_FINGERPRINT,
    }
)


# Why a connection was not made or was lost, in words, the most informative first: a host may have several
# addresses, each of which fails in its own way.
_REASONS: Final = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ETIMEDOUT: "timed out",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EHOSTDOWN: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.ENETDOWN: "network unreachable",
    errno.EADDRNOTAVAIL: "network unreachable",  # such as IPv6 on a machine without it
    errno.EMFILE: "too many open files",
}
# asyncio raises these without a number.
_NUMBERS: Final[dict[type, int]] = {
    ConnectionResetError: errno.ECONNRESET,
    ConnectionRefusedError: errno.ECONNREFUSED,
}
_ERRNO: Final = r"\[Errno (\d{1,6})\]"
_CURES: Final = {
    "connection refused": "Is the {what} running, and is the port right?",
    "host name not found": "Is the name right, and can this machine resolve it?",
    "timed out": "Is the address right, or does a firewall block it?",
    "host unreachable": "Is the address right, and is this machine in its network?",
    "network unreachable": "Is this machine connected to the network?",
    "too many open files": CLOSE_FILES,
}


class FailedAttempt(Struct, frozen=True, kw_only=True):
    """An attempt that failed.

    Attributes:
        call: The method and path, for error messages.
        base_url: The server's URL.
        server: The host and port of the URL.
        changes: Whether the request may change something on the server, so that its outcome is unknown if
            it may have been sent.
        may_be_sent: Whether part of the request may have been sent.
        has_answered: Whether the server has ever responded to this client.
        proxy: The proxy's URL without its password; "" if the client uses none.
        timeout: The time limit of the attempt, in seconds.
        connect_timeout: The time limit for connecting, in seconds.
        ssl_argument: The argument that takes an SSL context, such as "ssl=".
        peer: The host and port to connect to; unknown unless connecting failed.
        is_tls: Whether the connection to `peer` uses TLS; unknown unless connecting failed.
        proxy_status: The status with which the proxy rejected the connection; 0 if it did not.
    """

    kind: FailureKind

    call: str
    base_url: str
    server: str
    changes: bool
    may_be_sent: bool
    has_answered: bool
    proxy: str
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
    reason = unreadable or (f"no response within {attempt.timeout:g} s" if is_timeout else _text_of(error))
    reason += _hint(attempt)
    if attempt.changes:
        return DifyUnknownOutcomeError(f"{call}: the response was lost ({reason}): {OUTCOME_UNKNOWN}")
    if unreadable:
        return DifyDecodeError(f"{call}: {reason}")
    return (DifyTimeoutError if is_timeout else DifyConnectionError)(f"{call}: {reason}")


def _unreadable(error: Exception, kind: FailureKind) -> str:
    """Why a response is not valid HTTP; "" if there was no response."""
    if kind is FailureKind.HEADER_TOO_LONG:
        return "a header of the response is too long"
    return f"the response is not valid HTTP ({type(error).__name__})" if kind is FailureKind.NOT_HTTP else ""


def _hint(attempt: FailedAttempt) -> str:
    if attempt.has_answered or attempt.kind is FailureKind.HEADER_TOO_LONG:
        return ""
    if attempt.base_url.startswith(
        "http:"
    ):  # a TLS server responds to plain HTTP with an alert, or disconnects
        return "; check whether base_url must be https://"
    if attempt.kind is not FailureKind.DISCONNECTED:
        return ""
    # The proxy may have closed the connection instead of connecting to the server.
    return f"; {PROXY_CLOSED if attempt.proxy else HANDSHAKE_FAILED}"


def _not_sent(error: Exception, attempt: FailedAttempt, problem: str | None) -> DifyError:
    is_of_proxy = (
        bool(attempt.proxy) and attempt.kind is FailureKind.CANNOT_CONNECT and attempt.peer != attempt.server
    )
    text = f"Cannot connect to {f'the proxy {attempt.proxy}' if is_of_proxy else attempt.base_url}: "
    if isinstance(error, TimeoutError):  # while waiting for a free connection, or while connecting
        is_connecting = attempt.kind is FailureKind.CONNECT_TIMEOUT
        seconds = attempt.connect_timeout if is_connecting else attempt.timeout
        return DifyTimeoutError(f"{text}timed out after {seconds:g} s. {_CURES['timed out']}", sent=False)
    may_pass = False
    if problem is not None:
        text += problem
    elif attempt.kind is FailureKind.OTHER_FINGERPRINT:
        text += f"the certificate of {attempt.peer} does not match the fingerprint of the session"
    elif attempt.kind is FailureKind.INVALID_HOST:
        # The original message is not shown, because it may contain a whole URL.
        text += "the host name is invalid. Check base_url and proxy."
    else:
        text, may_pass = text + _temporary_reason(error, attempt, "proxy" if is_of_proxy else "server"), True
    return DifyConnectionError(text, sent=False, may_pass=may_pass)


def _temporary_reason(error: Exception, attempt: FailedAttempt, what: str) -> str:
    if attempt.kind is FailureKind.REJECTED_BY_PROXY:
        # The original message is not shown, because it contains the proxy's URL.
        status = attempt.proxy_status
        advice = f"; {PROXY_LOGIN_ADVICE}" if status == 407 else ""
        return f"the proxy responded with {status}{advice}"
    if attempt.kind is not FailureKind.CANNOT_CONNECT:
        return _text_of(error)
    cause = error.__cause__
    if attempt.is_tls and (reason := _reason(cause)) == "connection reset":
        return f"{reason}; {HANDSHAKE_FAILED}"
    return _explained(cause, what=what, otherwise="Check base_url and the network.")


def unread_module(method: str, path: str, error: OSError) -> DifyConnectionError:
    """The error if the type of a response cannot be imported, such as when too many files are open."""
    reason = _explained(error, otherwise="Nothing was sent.")
    return DifyConnectionError(f"{method} {path}: cannot read a module of dify_async: {reason}", sent=False)


def _explained(error: BaseException | None, *, what: str = "", otherwise: str) -> str:
    """Why the operating system refused something, and what to do."""
    reason = _reason(error)
    return f"{reason}. {_CURES.get(reason, otherwise).format(what=what)}"


def _reason(cause: BaseException | None) -> str:
    """Why it failed, in words."""
    if isinstance(cause, socket.gaierror):
        return "host name not found"
    numbers = set(_errnos(cause))
    for number, reason in _REASONS.items():
        if number in numbers:
            return reason
    return os.strerror(min(numbers)).lower() if numbers else redact(str(cause) or type(cause).__name__)


def _errnos(cause: BaseException | None) -> Iterator[int]:
    if isinstance(cause, OSError) and cause.errno is not None:
        yield cause.errno
    elif type(cause) in _NUMBERS:
        yield _NUMBERS[type(cause)]
    # If several addresses fail differently, the error has only a text, which lists all numbers.
    yield from map(int, re.findall(_ERRNO, str(cause)))


def _text_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in _REASONS:
        return _REASONS[error.errno]
    return redact(str(error) or repr(error))
