"""API keys of apps and of the workspace's knowledge bases."""

from __future__ import annotations

from typing import ClassVar

from .base import Masked


class ApiKey(Masked, frozen=True, kw_only=True):
    """An API key of an app; the repr hides the token.

    Attributes:
        id: The id to delete the key with.
        token: The secret: "app-…", or "dataset-…" for knowledge bases. Servers that mask it list only a
            part such as "app-A...wxyz", which is not a valid key.
        type: "app" or "dataset".
        last_used_at: Unix seconds; None if the key was never used.
        created_at: Unix seconds.
    """

    _secrets: ClassVar[frozenset[str]] = frozenset({"token"})

    id: str
    token: str
    type: str | None = None
    last_used_at: int | None = None
    created_at: int | None = None


class DatasetApiKey(ApiKey, frozen=True, kw_only=True):
    """An API key for all knowledge bases of the workspace; the repr hides the token."""
