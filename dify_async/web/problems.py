"""Errors as people need them: what is wrong, what to do, and whether trying again can help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web
from msgspec import Struct, structs

from dify_async.errors import (
    DifyAuthenticationError,
    DifyConfigError,
    DifyConnectionError,
    DifyDecodeError,
    DifyError,
    DifyLoginError,
    DifyLoginLockedError,
    DifyNotFoundError,
    DifyPermissionError,
    DifyRateLimitError,
    DifyServerError,
    DifyTimeoutError,
)

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_BAD_GATEWAY: Final = 502


class Problem(Struct, frozen=True, kw_only=True):
    """An error for people.

    Attributes:
        what: What is wrong, one sentence.
        advice: What to do, one sentence.
        can_retry: Whether trying again can help.
        detail: The text of the error, for administrators.
    """

    what: str
    advice: str
    can_retry: bool = False
    detail: str = ""


_PROBLEMS: Final[dict[type[Exception], Problem]] = {  # the first class that matches applies
    DifyLoginLockedError: Problem(
        what="Dify has locked the account of this page after too many wrong passwords.",
        advice="Correct the password in the settings of this page; Dify unlocks the account after 24 hours.",
    ),
    DifyLoginError: Problem(
        what="Dify rejected the email address or the password of this page.",
        advice="Correct them in the settings of this page, and restart it.",
    ),
    DifyAuthenticationError: Problem(
        what="Dify no longer accepts the login of this page.",
        advice="Check its account or its key, and restart it.",
    ),
    DifyPermissionError: Problem(
        what="The account of this page is not allowed to read this.",
        advice="Ask an owner of the workspace to make it an editor.",
    ),
    DifyNotFoundError: Problem(
        what="This no longer exists in Dify.",
        advice="It was deleted, or it is in another workspace.",
    ),
    DifyRateLimitError: Problem(
        what="Dify received too many requests.",
        advice="Wait a minute before you try again.",
        can_retry=True,
    ),
    DifyServerError: Problem(
        what="Dify failed to answer.",
        advice="Try again in a moment; if it continues, look into Dify's logs.",
        can_retry=True,
    ),
    DifyTimeoutError: Problem(
        what="Dify did not answer in time.",
        advice="Try again, or choose fewer days.",
        can_retry=True,
    ),
    DifyConnectionError: Problem(
        what="Dify cannot be reached.",
        advice="Check that it is running and that its URL is right.",
        can_retry=True,
    ),
    DifyDecodeError: Problem(
        what="The answer cannot be read.",
        advice="Check that the URL of this page leads to Dify, and not to the login of a proxy.",
    ),
    DifyConfigError: Problem(
        what="This cannot be shown.", advice="Go back to all apps, or choose another range."
    ),
    Exception: Problem(
        what="The numbers cannot be read.", advice="Report the details to the administrator of this page."
    ),
}
_CERTIFICATE: Final = Problem(
    what="There is no secure connection to Dify.", advice="Check the URL of Dify, and its certificate."
)


def problem_of(error: Exception) -> Problem:
    """The error in words for people."""
    if isinstance(error, DifyConnectionError) and not error.may_pass:
        problem = _CERTIFICATE
    else:
        problem = next(problem for kind, problem in _PROBLEMS.items() if isinstance(error, kind))
    return structs.replace(problem, detail=str(error))


def problem_response(problem: Problem, *, status: int) -> web.Response:
    """The problem as a JSON response."""
    return web.Response(body=msgspec.json.encode(problem), status=status, content_type="application/json")


@web.middleware
async def report_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Respond with a problem if the client raises an error."""
    try:
        return await handler(request)
    except DifyError as error:
        status = 400 if isinstance(error, DifyConfigError) else _BAD_GATEWAY
        return problem_response(problem_of(error), status=status)
