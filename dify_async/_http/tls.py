"""Why TLS came to nothing, and what to do about it. Pure."""

from __future__ import annotations

import re
import ssl
from typing import Final

# By the numbers of X509_verify_cert in OpenSSL, of which the module ssl has no names.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_SELF_SIGNED: Final = 18
_UNKNOWN_AUTHORITY: Final = frozenset({2, 19, 20, 21})
_OTHER_NAME: Final = frozenset({62, 64})
# What plain text looks like to OpenSSL, by its version.
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"})
# Alerts of a server that looked at the client's certificate. With TLS 1.2 and none given, some servers
# send the alert of any failed handshake, and others just close.
_ABOUT_OUR_CERTIFICATE: Final = re.compile(r"ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA)$")
_NO_AGREEMENT: Final = re.compile(r"ALERT_(HANDSHAKE_FAILURE|PROTOCOL_VERSION)$")
BROKEN_OFF: Final = (
    "TLS was broken off: does the server require a client certificate (load_cert_chain() of the SSL context),"
    " or have client and server no TLS version in common?"
)


def lasting_problem(error: BaseException, address: str, taker: str) -> str | None:
    """What to tell of an error that no repeat mends; None of one that may pass.

    Args:
        error: What connecting ended with.
        address: Host and port that were connected to.
        taker: What takes a context, as "ssl=".
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {address} {_distrust(error, taker)}"
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return f"{address} does not speak https; is its address http://, or its port another one?"
    if isinstance(error, ssl.SSLError) and _ABOUT_OUR_CERTIFICATE.search(error.reason or ""):
        return (
            f"{address} requires a client certificate, and was given none or one that it does not trust;"
            f" pass {taker}context, with the certificate loaded by context.load_cert_chain(…)"
        )
    if isinstance(error, ssl.SSLError) and _NO_AGREEMENT.search(error.reason or ""):
        return f"cannot connect to {address}: {BROKEN_OFF}"
    return None


def _distrust(error: ssl.SSLCertVerificationError, taker: str) -> str:
    context = f"pass {taker}ssl.create_default_context(cafile=…)"
    code, reason = error.verify_code, error.verify_message.rstrip(".")
    if code == _EXPIRED:
        return f"is not good: {reason}; the server needs a new one, unless the clock here is wrong"
    if code == _NOT_YET_VALID:
        return f"is not good: {reason}; is the clock here or at the server wrong?"
    if code in _OTHER_NAME:
        return f"is for other hosts: {reason}; use a name that stands in it"
    if code == _SELF_SIGNED:
        return f"is self-signed; {context} with this certificate as the file"
    if code in _UNKNOWN_AUTHORITY:
        return f"is by an authority that is not trusted here ({reason}); {context} with its certificate"
    return f"is not trusted: {reason}; {context} with its authority's certificate, if it has one of its own"
