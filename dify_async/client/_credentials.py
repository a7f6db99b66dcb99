"""The credentials that a client is created with."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from dify_async import _checks
from dify_async._ids import is_api_key
from dify_async.errors import DifyConfigError


class AccountCredentials(Struct, frozen=True):
    """An account's email and password."""

    email: str
    password: str


class AdminKeyCredentials(Struct, frozen=True):
    """The server's admin API key, and the workspace to access with it."""

    admin_api_key: str
    workspace_id: str


def checked_credentials(
    email: object, password: object, admin_api_key: object, workspace_id: object
) -> AccountCredentials | AdminKeyCredentials:
    """The credentials from the one pair of arguments that was passed, after checking them."""
    account = {"email": email, "password": password}
    admin_key = {"admin_api_key": admin_api_key, "workspace_id": workspace_id}
    given = [pair for pair in (account, admin_key) if any(value is not None for value in pair.values())]
    if len(given) != 1:
        raise DifyConfigError("pass either email and password, or admin_api_key and workspace_id")
    if isinstance(email, str) and is_api_key(email):  # the credential of Dify's other APIs
        raise DifyConfigError("email must be that of a console account, got an API key")
    for name, value in given[0].items():
        if value is None:
            raise DifyConfigError(f"{name} is missing; pass {' and '.join(given[0])}")
    if given == [account]:
        return AccountCredentials(_checks.text("email", email), _checks.text("password", password))
    key = _checks.header_text("admin_api_key", admin_api_key)
    workspace = str(workspace_id) if isinstance(workspace_id, UUID) else workspace_id
    return AdminKeyCredentials(key, _checks.header_text("workspace_id", workspace))
