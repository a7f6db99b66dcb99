"""Replaces API keys of an app, so that the app always has a usable one."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from dify_async.errors import (
    DifyDecodeError,
    DifyError,
    DifyMaskedKeyError,
    DifyNotFoundError,
    DifyUnknownOutcomeError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dify_async.models import ApiKey

# Dify's limit per app, in all versions up to 1.17.
MAX_KEYS: Final = 10
# The end of the error if an old key could not be deleted.
CREATED: Final = "The new key was created: it is `created_key` of this error"
# The keys of all versions have 24 letters and digits; masked keys look like "app-A...wxyz" (Dify PR 42168).
_KEY: Final = r"(?:app|dataset|ds)-[A-Za-z0-9]{16,}"


class AppKeys(Protocol):
    """The calls for the API keys of an app."""

    async def app_api_keys(self, app: str) -> list[ApiKey]:
        """All keys."""

    async def create_app_api_key(self, app: str) -> ApiKey:
        """A new key."""

    async def delete_app_api_key(self, app_id: str, api_key_id: str) -> None:
        """Delete a key."""


def is_whole(key: ApiKey) -> bool:
    """Whether the token is a usable key, and not masked."""
    return re.fullmatch(_KEY, key.token) is not None


async def rotate(calls: AppKeys, app_id: str, keys: Sequence[ApiKey], old: Sequence[ApiKey]) -> ApiKey:
    """Create a key, then delete the old ones among the app's keys.

    Nothing is undone after a failure or a cancellation: if the outcome of a deletion is unknown, deleting
    the new key could leave the app without any.
    """
    room, rest = (old[:1], old[1:]) if len(keys) >= MAX_KEYS else ([], old)
    for key in room:
        await _delete(calls, app_id, key)
    kept = "An old key was deleted first, because the app had 10" if room else "No key was deleted"
    try:
        new = await _create(calls, app_id, keys)
    except DifyError as error:
        _explain(error, kept)
        raise
    if not is_whole(new):
        masked = DifyMaskedKeyError(
            f"POST /apps/{app_id}/api-keys: an API key was created, but the server masks it too. {kept}."
            " Copy a key in Dify's web console, and delete the new one"
        )
        masked.created_key = new
        raise masked
    try:
        for key in rest:
            await _delete(calls, app_id, key)
    except DifyError as error:
        error.created_key = new
        _explain(error, CREATED)
        raise
    return new


async def _create(calls: AppKeys, app_id: str, before: Sequence[ApiKey]) -> ApiKey:
    """Create a key. If the response is lost or cannot be read, look for the key in the list."""
    try:
        return await calls.create_app_api_key(app_id)
    except (DifyUnknownOutcomeError, DifyDecodeError):
        known = {key.id for key in before}
        try:
            new = [key for key in await calls.app_api_keys(app_id) if key.id not in known]
        except DifyError:
            new = []
        # With several new keys, it is unknown which of them was created by whom.
        if len(new) == 1 and is_whole(new[0]):
            return new[0]
        raise


async def _delete(calls: AppKeys, app_id: str, key: ApiKey) -> None:
    with suppress(DifyNotFoundError):  # deleted in the meantime, for example by another rotation
        await calls.delete_app_api_key(app_id, key.id)


def _explain(error: DifyError, text: str) -> None:
    error.args = (f"{str(error).rstrip('.')}. {text}.",)
