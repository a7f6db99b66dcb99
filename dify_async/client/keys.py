"""API keys of apps and knowledge bases."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from dify_async import _checks
from dify_async._api.endpoints import (
    APP_API_KEYS,
    DATASET_API_KEYS,
    DELETE_APP_API_KEY,
    DELETE_DATASET_API_KEY,
    NEW_APP_API_KEY,
    NEW_DATASET_API_KEY,
)
from dify_async._ids import checked_id, id_of
from dify_async.errors import DifyMaskedKeyError
from dify_async.models import ApiKey

from ._calls import Calls
from .bulk import AppResult, Progress, for_apps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from dify_async._ids import AppOrId, Id
    from dify_async.models import DatasetApiKey

KeyT = TypeVar("KeyT", bound=ApiKey)

# The keys of all versions have 24 letters and digits; masked keys look like "app-A...wxyz" (Dify PR 42168).
_KEY: Final = re.compile(r"(?:app|dataset|ds)-[A-Za-z0-9]{16,}")


class KeyCalls(Calls):
    """API keys."""

    async def get_app_api_key(self, app_id: AppOrId) -> list[ApiKey]:
        """All API keys of the app, unordered, with their tokens unless the server masks them.

        Route: GET /apps/{id}/api-keys.

        Raises:
            DifyPermissionError: The account is not an editor, from Dify 1.17.
        """
        app_id = id_of(app_id)
        return (await self._caller.call(APP_API_KEYS, (app_id,))).data

    async def init_app_api_key(self, app_id: AppOrId) -> list[ApiKey]:
        """Create an API key for the app, and return a list with this key only.

        Requires the editor role. Route: POST /apps/{id}/api-keys.

        Raises:
            DifyValidationError: The app already has 10 keys; `code` is "max_keys_exceeded".
            DifyConflictError: The app is of mode agent and was never published; `code` is
                "agent_not_published". From Dify 1.17.
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The key may have been created; check with `get_app_api_key`.
        """
        app_id = id_of(app_id)
        return [await self._caller.call(NEW_APP_API_KEY, (app_id,), body=b"{}")]

    async def ensure_app_api_key(self, app_id: AppOrId, *, create_if_masked: bool = False) -> ApiKey:
        """The app's newest API key, created if the app has none.

        Args:
            app_id: The app.
            create_if_masked: Whether to create another key if the server masks the existing ones. Then
                each call creates a key, up to 10 per app, so save the key that it returns.

        Raises:
            DifyMaskedKeyError: The server masks the keys of the app, or the key that was created.
        """
        app_id = id_of(app_id)
        get, create = partial(self.get_app_api_key, app_id), partial(self.init_app_api_key, app_id)
        route = f"/apps/{app_id}/api-keys"
        return await _ensured(route, get, create, create_if_masked=create_if_masked)

    async def ensure_app_api_keys(
        self,
        apps: Iterable[AppOrId],
        *,
        create_if_masked: bool = False,
        progress: Progress | None = None,
    ) -> list[AppResult[ApiKey]]:
        """The newest API key of each app, created for apps that have none.

        Results have the order of the apps, without duplicates. If an app fails, its result has the error;
        if the server masks its keys, that is a DifyMaskedKeyError. At most `max_concurrency` requests run
        at a time.

        Args:
            apps: `App`s or ids.
            create_if_masked: Whether to create another key for each app whose keys the server masks.
            progress: Called after each app with the number of finished apps and the total.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyAuthenticationError: The session was rejected.
        """

        async def ensure(app: AppOrId) -> ApiKey:
            return await self.ensure_app_api_key(app, create_if_masked=create_if_masked)

        return await for_apps(apps, ensure, progress, self._max_concurrency)

    async def delete_app_api_key(self, app_id: AppOrId, api_key_id: Id) -> None:
        """Delete the API key. Requires the admin or owner role. Route: DELETE /apps/{id}/api-keys/{id}.

        Raises:
            DifyNotFoundError: The app has no such key.
            DifyPermissionError: The account is not an admin or owner.
        """
        app_id = id_of(app_id)
        api_key_id = checked_id("api_key_id", api_key_id)
        await self._caller.call(DELETE_APP_API_KEY, (app_id, api_key_id))

    async def get_dataset_api_key(self) -> list[DatasetApiKey]:
        """All API keys for the workspace's knowledge bases, unordered. Route: GET /datasets/api-keys.

        Raises:
            DifyPermissionError: The account is not an admin or owner, from Dify 1.17.
        """
        return (await self._caller.call(DATASET_API_KEYS)).data

    async def init_dataset_api_key(self) -> list[DatasetApiKey]:
        """Create an API key for the knowledge bases, and return a list with this key only.

        Requires the admin or owner role. Route: POST /datasets/api-keys.

        Raises:
            DifyValidationError: The workspace already has 10 keys; `code` is "max_keys_exceeded".
            DifyServerError: The workspace already has 10 keys, in Dify 1.8 to 1.11.
            DifyPermissionError: The account is not an admin or owner.
            DifyUnknownOutcomeError: The key may have been created; check with `get_dataset_api_key`.
        """
        return [await self._caller.call(NEW_DATASET_API_KEY, body=b"{}")]

    async def ensure_dataset_api_key(self, *, create_if_masked: bool = False) -> DatasetApiKey:
        """The newest API key for the knowledge bases, created if there is none.

        Args:
            create_if_masked: Whether to create another key if the server masks the existing ones. Then
                each call creates a key, up to 10, so save the key that it returns.

        Raises:
            DifyMaskedKeyError: The server masks the keys, or the key that was created.
        """
        get, create = self.get_dataset_api_key, self.init_dataset_api_key
        route = DATASET_API_KEYS.path
        return await _ensured(route, get, create, create_if_masked=create_if_masked)

    async def delete_dataset_api_key(self, api_key_id: Id) -> None:
        """Delete the API key. Requires the admin or owner role. Route: DELETE /datasets/api-keys/{id}.

        Raises:
            DifyNotFoundError: The workspace has no such key.
            DifyPermissionError: The account is not an admin or owner.
        """
        api_key_id = checked_id("api_key_id", api_key_id)
        await self._caller.call(DELETE_DATASET_API_KEY, (api_key_id,))


async def _ensured(
    route: str,
    get: Callable[[], Awaitable[list[KeyT]]],
    create: Callable[[], Awaitable[list[KeyT]]],
    *,
    create_if_masked: bool,
) -> KeyT:
    _checks.boolean("create_if_masked", create_if_masked)
    keys = await get()
    usable = _usable(keys)
    if not keys or (create_if_masked and not usable):
        keys = await create()
        if not (usable := _usable(keys)):
            raise DifyMaskedKeyError(
                f"POST {route}: an API key was created, but the server masks it too. Copy a key in Dify's"
                " web console instead, and delete the new one"
            )
    if not usable:
        raise DifyMaskedKeyError(
            f"GET {route}: the server masks its API keys. Use a key that was saved when it was created,"
            " or pass create_if_masked=True to create another one"
        )
    return max(usable, key=_age)


def _usable(keys: list[KeyT]) -> list[KeyT]:
    return [key for key in keys if _KEY.fullmatch(key.token)]


def _age(key: ApiKey) -> int:
    return key.created_at or 0
