"""What can go wrong, as one tree.

DifyError
├── DifyConfigError            also a ValueError: an argument is wrong, nothing was sent
├── DifyConnectionError        no answer
│   ├── DifyTimeoutError       also a TimeoutError: none in time
│   └── DifyUnknownOutcomeError    a change was sent and its answer was lost
├── DifyDecodeError            an answer that cannot be read
├── DifyMaskedKeyError         the server shows only parts of its API keys
└── DifyStatusError            an answer that says no
    ├── DifyValidationError        400, 415, 422
    ├── DifyAuthenticationError    401
    │   └── DifyLoginError             the sign-in was refused, whatever its status
    │       └── DifyLoginLockedError   also a DifyRateLimitError
    ├── DifyPermissionError        403
    ├── DifyNotFoundError          404
    ├── DifyConflictError          409
    ├── DifyRateLimitError         429
    └── DifyServerError            5xx

Every error pickles and copies, and no text of one holds a password, a token or a key.
"""

from __future__ import annotations

from typing import Final


class DifyError(Exception):
    """The base of all errors of this package; raised itself for a client that is not open."""


class DifyConfigError(DifyError, ValueError):
    """An argument or a setting is wrong; nothing was sent."""


class DifyConnectionError(DifyError):
    """There is no answer: no connection could be made, or it broke.

    Attributes:
        sent: Whether the request may have reached the server; False where it surely did not.
        may_pass: Whether it may go better later; False where the server's certificate is not trusted
            or it speaks no TLS, after which nothing is repeated.
    """

    def __init__(self, text: str = "", *, sent: bool = True, may_pass: bool = True) -> None:
        super().__init__(text)
        self.sent = sent
        self.may_pass = may_pass


class DifyTimeoutError(DifyConnectionError, TimeoutError):
    """There was no answer within `timeout` seconds."""


class DifyUnknownOutcomeError(DifyConnectionError):
    """A change was sent and its answer was lost, so it may or may not have been made."""


class DifyDecodeError(DifyError):
    """The answer is not what this call answers: not JSON, of another shape, or too large."""


class DifyMaskedKeyError(DifyError):
    """There are API keys, but the server shows only a part of each, such as "app-A...wxyz"."""


class DifyStatusError(DifyError):
    """The server answered with an error status; also a redirect, which is never followed.

    Attributes:
        status: The HTTP status.
        code: The server's own code, such as "app_not_found"; None where it sent none.
        message: The server's text; "" where it sent none. For people: it changes between versions.
            Validation errors are "field: reason; field: reason", without the values that were sent.
        method: The HTTP method of the call.
        path: The path of the call below `/console/api`, without its query.
        retry_after: Seconds that the server asked to wait, or None.
    """

    def __init__(
        self,
        text: str = "",
        *,
        status: int = 0,
        code: str | None = None,
        message: str = "",
        method: str = "",
        path: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.message = message
        self.method = method
        self.path = path
        self.retry_after = retry_after


class DifyValidationError(DifyStatusError):
    """The server does not accept the arguments (400, 415, 422)."""


class DifyAuthenticationError(DifyStatusError):
    """The server does not accept the session, and renewing it did not help (401)."""


class DifyPermissionError(DifyStatusError):
    """The account's role in the workspace does not allow the call (403)."""


class DifyNotFoundError(DifyStatusError):
    """There is no such thing, or not for an app of this mode (404)."""


class DifyConflictError(DifyStatusError):
    """The thing exists already, was changed in the meantime, or is not in the state for it (409)."""


class DifyRateLimitError(DifyStatusError):
    """The server asks for fewer calls (429)."""


class DifyServerError(DifyStatusError):
    """The server failed (5xx)."""


class DifyLoginError(DifyAuthenticationError):
    """Dify rejected the login, or too many attempts failed; every later call raises it until `login()`."""


class DifyLoginLockedError(DifyLoginError, DifyRateLimitError):
    """Too many wrong passwords: the account is locked, by default for 24 hours."""


OUTCOME_UNKNOWN: Final = (
    "the change may or may not have been made; look for it with the call that lists or gets it"
    " before you repeat it"
)

_BY_STATUS: Final[dict[int, type[DifyStatusError]]] = {
    400: DifyValidationError,
    401: DifyAuthenticationError,
    403: DifyPermissionError,
    404: DifyNotFoundError,
    409: DifyConflictError,
    415: DifyValidationError,
    422: DifyValidationError,
    429: DifyRateLimitError,
}


def status_error_class(status: int) -> type[DifyStatusError]:
    """The class for an HTTP status."""
    if status >= 500:
        return DifyServerError
    return _BY_STATUS.get(status, DifyStatusError)
