"""API keys of apps and knowledge bases."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from dify_async._api.endpoints import (
    APP_API_KEYS,
    DATASET_API_KEYS,
    DELETE_APP_API_KEY,
    DELETE_DATASET_API_KEY,
    NEW_APP_API_KEY,
    NEW_DATASET_API_KEY,
)
from dify_async.errors import DifyMaskedKeyError
from dify_async.models import ApiKey

from ._calls import Calls, check_switches

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dify_async.models import DatasetApiKey

KeyT = TypeVar("KeyT", bound=ApiKey)

# As in "app-A...wxyz" (Dify PR 42168); no key that calls anything holds one.
_MASK: Final = re.compile(r"\.\.\.|…|\*")


class KeyCalls(Calls):
    """Calls on API keys. Lists have each key's whole secret, unless the server masks it."""

    async def get_app_api_key(self, app_id: str) -> list[ApiKey]:
        """All keys of the app, in no order. Route: GET /apps/{id}/api-keys.

        Raises:
            DifyPermissionError: The account is not an editor, from Dify 1.17.
        """
        return (await self._caller.call(APP_API_KEYS, (app_id,))).data

    async def init_app_api_key(self, app_id: str) -> list[ApiKey]:
        """A new key for the app, alone in the list. Route: POST /apps/{id}/api-keys.

        Raises:
            DifyValidationError: The app has 10 already; `code` is "max_keys_exceeded".
            DifyConflictError: The app is of mode agent and was never published; `code` is
                "agent_not_published". From Dify 1.17.
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The key may have been made; `get_app_api_key` tells.
        """
        return [await self._caller.call(NEW_APP_API_KEY, (app_id,), body=b"{}")]

    async def ensure_app_api_key(self, app_id: str, *, create_if_masked: bool = False) -> ApiKey:
        """The newest key of the app, made if there is none.

        Args:
            app_id: The app.
            create_if_masked: Whether to make another key if the server masks those that there are. Each
                call then makes one, up to 10 keys, so keep what it returns.

        Raises:
            DifyMaskedKeyError: There are keys, and the server masks them.
        """
        get, create = partial(self.get_app_api_key, app_id), partial(self.init_app_api_key, app_id)
        route = f"/apps/{app_id}/api-keys"
        return await _ensured(route, get, create, create_if_masked=create_if_masked)

    async def delete_app_api_key(self, app_id: str, api_key_id: str) -> None:
        """Delete the key; needs an admin or the owner. Route: DELETE /apps/{id}/api-keys/{id}.

        Raises:
            DifyNotFoundError: The app has no such key.
        """
        await self._caller.call(DELETE_APP_API_KEY, (app_id, api_key_id))

    async def get_dataset_api_key(self) -> list[DatasetApiKey]:
        """All keys for the workspace's knowledge bases, in no order. Route: GET /datasets/api-keys.

        Raises:
            DifyPermissionError: The account is neither an admin nor the owner, from Dify 1.17.
        """
        return (await self._caller.call(DATASET_API_KEYS)).data

    async def init_dataset_api_key(self) -> list[DatasetApiKey]:
        """A new key for the knowledge bases, alone in the list. Route: POST /datasets/api-keys.

        Raises:
            DifyServerError: The workspace has 10 already and Dify is 1.8 to 1.11, or else:
            DifyValidationError: The workspace has 10 already; `code` is "max_keys_exceeded".
            DifyPermissionError: The account is neither an admin nor the owner.
        """
        return [await self._caller.call(NEW_DATASET_API_KEY, body=b"{}")]

    async def ensure_dataset_api_key(self, *, create_if_masked: bool = False) -> DatasetApiKey:
        """The newest key for the knowledge bases, made if there is none.

        Args:
            create_if_masked: Whether to make another key if the server masks those that there are. Each
                call then makes one, up to 10 keys, so keep what it returns.

        Raises:
            DifyMaskedKeyError: There are keys, and the server masks them.
        """
        get, create = self.get_dataset_api_key, self.init_dataset_api_key
        route = DATASET_API_KEYS.path
        return await _ensured(route, get, create, create_if_masked=create_if_masked)

    async def delete_dataset_api_key(self, api_key_id: str) -> None:
        """Delete the key; needs an admin or the owner. Route: DELETE /datasets/api-keys/{id}.

        Raises:
            DifyNotFoundError: There is no such key.
        """
        await self._caller.call(DELETE_DATASET_API_KEY, (api_key_id,))


async def _ensured(
    route: str,
    get: Callable[[], Awaitable[list[KeyT]]],
    create: Callable[[], Awaitable[list[KeyT]]],
    *,
    create_if_masked: bool,
) -> KeyT:
    check_switches(create_if_masked=create_if_masked, may_be_none=False)
    keys = await get()
    if not keys or (create_if_masked and not _usable(keys)):
        keys = await create()
    if not (usable := _usable(keys)):
        raise DifyMaskedKeyError(
            f"GET {route}: the server masks its API keys, so there is none to return. Use one that was kept"
            " when it was created, or pass create_if_masked=True to create another one"
        )
    return max(usable, key=_age)


def _usable(keys: list[KeyT]) -> list[KeyT]:
    return [key for key in keys if not _MASK.search(key.token)]


def _age(key: ApiKey) -> int:
    return key.created_at or 0
