"""Users of the workspace and end users of apps."""

from __future__ import annotations

from .base import DifyModel


class WorkspaceUser(DifyModel, frozen=True, kw_only=True):
    """A user of the workspace."""

    id: str
    name: str | None = None
    email: str | None = None


class EndUser(DifyModel, frozen=True, kw_only=True):
    """An end user of an app; `session_id` is the name that the calling application gave.

    Attributes:
        type: How the end user reached the app, such as "service_api".
        is_anonymous: Whether the calling application gave no name.
    """

    id: str
    type: str | None = None
    is_anonymous: bool | None = None
    session_id: str | None = None
