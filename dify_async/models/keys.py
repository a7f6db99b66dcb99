"""API keys of apps and of the workspace's knowledge bases."""

from __future__ import annotations

from typing import ClassVar

from ._base import Masked


class ApiKey(Masked, frozen=True, kw_only=True):
    """An API key of an app; its repr hides the token.

    Attributes:
        id: The key's id, by which it is deleted.
        token: The secret itself: "app-…", for knowledge bases "dataset-…". In the lists of servers that
            mask it, a part such as "app-A...wxyz", which calls nothing.
        type: "app" or "dataset".
        last_used_at: Unix seconds, or None if it never was.
        created_at: Unix seconds.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"token"})

    id: str
    token: str
    type: str | None = None
    last_used_at: int | None = None
    created_at: int | None = None


class DatasetApiKey(ApiKey, frozen=True, kw_only=True):
    """An API key for all knowledge bases of the workspace; its repr hides the token."""
