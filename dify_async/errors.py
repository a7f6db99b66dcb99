"""All errors of the package, as one tree.

DifyError
├── DifyConfigError            also a ValueError: an invalid argument; nothing was sent
├── DifyConnectionError        no response
│   ├── DifyTimeoutError       also a TimeoutError: no response in time
│   └── DifyUnknownOutcomeError    a change was sent, but its response was lost
├── DifyDecodeError            a response that cannot be read
├── DifyMaskedKeyError         the server shows only parts of its API keys
└── DifyStatusError            a response with an error status
    ├── DifyValidationError        400, 415, 422
    ├── DifyAuthenticationError    401
    │   └── DifyLoginError             the login was rejected, whatever the status
    │       └── DifyLoginLockedError   also a DifyRateLimitError
    ├── DifyPermissionError        403
    ├── DifyNotFoundError          404
    ├── DifyConflictError          409
    ├── DifyRateLimitError         429
    └── DifyServerError            5xx

Every error can be pickled and copied. No error message contains a password, a token or a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .models import ApiKey


class DifyError(Exception):
    """Base class of all errors. Raised directly if the client is not open.

    Attributes:
        created_key: The API key that was created before the error, while rotating keys; None otherwise.
    """

    created_key: ApiKey | None = None


class DifyConfigError(DifyError, ValueError):
    """An argument or a setting is invalid. Nothing was sent."""


class DifyConnectionError(DifyError):
    """No response: the connection failed or was lost.

    Attributes:
        sent: False if the request certainly did not reach the server, True if it may have.
        may_pass: Whether a retry may succeed. False if the server's certificate is not trusted or the
            server does not use TLS; such requests are not retried.
    """

    def __init__(self, text: str = "", *, sent: bool = True, may_pass: bool = True) -> None:
        super().__init__(text)
        self.sent = sent
        self.may_pass = may_pass


class DifyTimeoutError(DifyConnectionError, TimeoutError):
    """No response within `timeout` seconds."""


class DifyUnknownOutcomeError(DifyConnectionError):
    """A change was sent, but its response was lost: it may or may not have been made."""


class DifyDecodeError(DifyError):
    """The response cannot be decoded: it is not JSON, has an unexpected structure, or is too large."""


class DifyMaskedKeyError(DifyError):
    """There are API keys, but the server shows only a part of each, such as "app-A...wxyz"."""


class DifyStatusError(DifyError):
    """The server responded with an error status, or with a redirect (redirects are never followed).

    Attributes:
        status: The HTTP status.
        code: The server's own code, such as "app_not_found"; None if there is none.
        message: The server's message; "" if there is none. It is meant for people and changes between
            versions. Validation errors are "field: reason; field: reason", without the values that were sent.
        method: The HTTP method.
        path: The path below `/console/api`, without the query string.
        retry_after: Seconds to wait before the next request; None if the server gave none.
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
    """The server rejected the arguments (400, 415, 422)."""


class DifyAuthenticationError(DifyStatusError):
    """The server rejected the session, and refreshing it did not help (401)."""


class DifyPermissionError(DifyStatusError):
    """The account's role in the workspace does not allow the call (403)."""


class DifyNotFoundError(DifyStatusError):
    """The resource does not exist, or the app's mode does not have it (404)."""


class DifyConflictError(DifyStatusError):
    """The resource already exists, was changed in the meantime, or is not in the required state (409)."""


class DifyRateLimitError(DifyStatusError):
    """Too many requests (429)."""


class DifyServerError(DifyStatusError):
    """The server failed to handle the request (5xx)."""


class DifyLoginError(DifyAuthenticationError):
    """Dify rejected the login, or too many attempts failed. Later calls raise it again until `login()`."""


class DifyLoginLockedError(DifyLoginError, DifyRateLimitError):
    """The account is locked after too many wrong passwords, by default for 24 hours."""


CLOSE_FILES: Final = "Close files, or raise the limit of this process (ulimit -n)."
OUTCOME_UNKNOWN: Final = (
    "the change may or may not have been made; check with the matching list or get call"
    " before you send it again"
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


def affects_all_apps(error: DifyError) -> bool:
    """Whether the error affects every app, such as a rejected session; such errors are always raised."""
    return isinstance(error, DifyConfigError | DifyAuthenticationError) or type(error) is DifyError
