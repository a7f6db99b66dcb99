"""Explain why a TLS connection failed, and what to do about it. No I/O."""

from __future__ import annotations

import re
import ssl
from typing import Final

# Error codes of OpenSSL's X509_verify_cert(); the ssl module has no names for them.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_SELF_SIGNED: Final = 18
_UNKNOWN_ISSUER: Final = frozenset({2, 19, 20, 21})
_HOSTNAME_MISMATCH: Final = frozenset({62, 64})
# OpenSSL's error reasons for a response that is not TLS; they depend on its version.
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"})
# Alerts from a server that rejects the client's certificate. If the client has none, some servers send the
# general alert for a failed handshake (TLS 1.2), and others close the connection.
_CLIENT_CERTIFICATE_ALERT: Final = r"ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA)$"
_HANDSHAKE_ALERT: Final = r"ALERT_(HANDSHAKE_FAILURE|PROTOCOL_VERSION)$"
HANDSHAKE_FAILED: Final = (
    "the TLS handshake failed: check whether the server requires a client certificate"
    " (SSLContext.load_cert_chain()), and whether client and server have a TLS version in common"
)


def permanent_problem(error: BaseException, address: str, ssl_argument: str) -> str | None:
    """Describe an error that a retry cannot fix; None if the error may be temporary.

    Args:
        error: The exception that the connection raised.
        address: The host and port.
        ssl_argument: The argument that takes an SSL context, such as "ssl=".
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {address} {_verification_problem(error, ssl_argument)}"
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return f"{address} does not use TLS; check whether the address must be http://, or the port is wrong"
    if isinstance(error, ssl.SSLError) and re.search(_CLIENT_CERTIFICATE_ALERT, error.reason or ""):
        return (
            f"{address} requires a client certificate, and got none or one that it does not trust;"
            f" load it with context.load_cert_chain(…), and pass {ssl_argument}context"
        )
    if isinstance(error, ssl.SSLError) and re.search(_HANDSHAKE_ALERT, error.reason or ""):
        return HANDSHAKE_FAILED
    return None


def _verification_problem(error: ssl.SSLCertVerificationError, ssl_argument: str) -> str:
    advice = f"pass {ssl_argument}ssl.create_default_context(cafile=…)"
    code, reason = error.verify_code, error.verify_message.rstrip(".")
    if code == _EXPIRED:
        return f"is invalid: {reason}; replace it on the server, or correct the clock of this machine"
    if code == _NOT_YET_VALID:
        return f"is invalid: {reason}; check the clocks of this machine and of the server"
    if code in _HOSTNAME_MISMATCH:
        return f"is for other hosts: {reason}; use a name that the certificate contains"
    if code == _SELF_SIGNED:
        return f"is self-signed; {advice} with this certificate"
    if code in _UNKNOWN_ISSUER:
        return (
            f"is from an authority that this machine does not trust ({reason}); {advice} with its certificate"
        )
    return f"is not trusted: {reason}; {advice} with the certificate of its authority"
