"""API keys of apps and knowledge bases."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from dify_async import _checks
from dify_async._api.endpoints import (
    APP_API_KEYS,
    DATASET_API_KEYS,
    DELETE_APP_API_KEY,
    DELETE_DATASET_API_KEY,
    NEW_APP_API_KEY,
    NEW_DATASET_API_KEY,
)
from dify_async._ids import checked_apps, checked_id, id_of
from dify_async.errors import DifyError, DifyMaskedKeyError, DifyNotFoundError, affects_all_apps

from ._calls import Calls
from .bulk import AppResult, Progress, for_apps
from .rotation import is_whole, rotate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from dify_async._ids import AppOrId, Id
    from dify_async.models import ApiKey, DatasetApiKey

KeyT = TypeVar("KeyT", bound="ApiKey")


class KeyCalls(Calls):
    """API keys."""

    async def app_api_keys(self, app: AppOrId) -> list[ApiKey]:
        """All API keys of the app, unordered, with their tokens unless the server masks them.

        Route: GET /apps/{id}/api-keys.

        Raises:
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor, from Dify 1.17.
        """
        return (await self._caller.call(APP_API_KEYS, (id_of(app),))).data

    async def get_app_api_key(self, app_id: AppOrId) -> list[ApiKey]:
        """All API keys of the app: another name for `app_api_keys`."""
        return await self.app_api_keys(app_id)

    async def create_app_api_key(self, app: AppOrId) -> ApiKey:
        """Create an API key for the app and return it.

        Requires the editor role. Route: POST /apps/{id}/api-keys.

        Raises:
            DifyValidationError: The app already has 10 keys; `code` is "max_keys_exceeded".
            DifyConflictError: The app is of mode agent and was never published; `code` is
                "agent_not_published". From Dify 1.17.
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The key may have been created; check with `app_api_keys`.
        """
        return await self._caller.call(NEW_APP_API_KEY, (id_of(app),), body=b"{}")

    async def init_app_api_key(self, app_id: AppOrId) -> list[ApiKey]:
        """Create an API key with `create_app_api_key`, and return a list with this key only."""
        return [await self.create_app_api_key(app_id)]

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
        get, create = partial(self.app_api_keys, app_id), partial(self.create_app_api_key, app_id)
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
            apps: The apps, each an `App` or its id.
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

    async def rotate_app_api_key(self, app: AppOrId, api_key_id: Id) -> ApiKey:
        """Replace an API key of the app by a new one, and return the new one.

        The new key is created first, then the old one is deleted. Only if the app has 10 keys, the maximum,
        the old one is deleted first. If the response with the new key is lost, the key that appeared in the
        list of keys is returned, so do not create keys for the app at the same time. After an error, the app
        has the old key, or the new one, which is the `created_key` of the error, or its other nine keys. If
        the call is cancelled, the app may have both keys.

        Requires the admin or owner role.

        Raises:
            DifyNotFoundError: The app has no key with this id. Nothing was changed.
            DifyUnknownOutcomeError: It is unknown whether a new key was created; the message says whether the
                old one was kept. Or it is unknown whether the old key was deleted.
            DifyMaskedKeyError: The server masks the new key.
            DifyPermissionError: The account may not create or delete keys.
        """
        app_id, key_id = id_of(app), checked_id("api_key_id", api_key_id).lower()
        keys = await self.app_api_keys(app_id)
        old = [key for key in keys if key.id.lower() == key_id]
        if not old:
            path = f"/apps/{app_id}/api-keys"
            raise DifyNotFoundError(
                f"GET {path}: the app has no API key with this id. Get the ids with app_api_keys()",
                status=404,
                method="GET",
                path=path,
            )
        return await rotate(self, app_id, keys, old)

    async def rotate_app_api_keys(
        self, apps: Iterable[AppOrId], *, progress: Progress | None = None
    ) -> list[AppResult[ApiKey]]:
        """Replace all API keys of each app by one new key.

        Results have the order of the apps, without duplicates. Each has the new key, or the error, whose
        `created_key` is the new key if old ones could not be deleted. An app without keys gets one. At most
        `max_concurrency` requests run at a time.

        The keys of each app are replaced as by `rotate_app_api_key`, so that the app always has a usable
        key. If an app fails, rotate its keys again. Do not rotate the keys of one app twice at the same time:
        the later call would delete the key that the earlier one returned. Requires the admin or owner role.

        Args:
            apps: The apps, each an `App` or its id.
            progress: Called after each app with the number of finished apps and the total.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyAuthenticationError: The session was rejected before any key was changed. After that, errors
                of all kinds are in the results, so that no new key is lost.
        """
        wanted = checked_apps(apps)
        is_changing = False

        async def replace(app: AppOrId) -> ApiKey:
            nonlocal is_changing
            keys = await self.app_api_keys(app)
            is_changing = True
            return await rotate(self, id_of(app), keys, keys)

        def is_raised(error: DifyError) -> bool:
            return affects_all_apps(error) and not is_changing

        return await for_apps(wanted, replace, progress, self._max_concurrency, is_raised=is_raised)

    async def dataset_api_keys(self) -> list[DatasetApiKey]:
        """All API keys for the workspace's knowledge bases, unordered. Route: GET /datasets/api-keys.

        Raises:
            DifyPermissionError: The account is not an admin or owner, from Dify 1.17.
        """
        return (await self._caller.call(DATASET_API_KEYS)).data

    async def get_dataset_api_key(self) -> list[DatasetApiKey]:
        """All API keys for the workspace's knowledge bases: another name for `dataset_api_keys`."""
        return await self.dataset_api_keys()

    async def create_dataset_api_key(self) -> DatasetApiKey:
        """Create an API key for the workspace's knowledge bases and return it.

        Requires the admin or owner role. Route: POST /datasets/api-keys.

        Raises:
            DifyValidationError: The workspace already has 10 keys; `code` is "max_keys_exceeded".
            DifyServerError: The workspace already has 10 keys, in Dify 1.8 to 1.11.
            DifyPermissionError: The account is not an admin or owner.
            DifyUnknownOutcomeError: The key may have been created; check with `dataset_api_keys`.
        """
        return await self._caller.call(NEW_DATASET_API_KEY, body=b"{}")

    async def init_dataset_api_key(self) -> list[DatasetApiKey]:
        """Create an API key with `create_dataset_api_key`, and return a list with this key only."""
        return [await self.create_dataset_api_key()]

    async def ensure_dataset_api_key(self, *, create_if_masked: bool = False) -> DatasetApiKey:
        """The newest API key for the knowledge bases, created if there is none.

        Args:
            create_if_masked: Whether to create another key if the server masks the existing ones. Then
                each call creates a key, up to 10, so save the key that it returns.

        Raises:
            DifyMaskedKeyError: The server masks the keys, or the key that was created.
        """
        get, create = self.dataset_api_keys, self.create_dataset_api_key
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
    create: Callable[[], Awaitable[KeyT]],
    *,
    create_if_masked: bool,
) -> KeyT:
    _checks.boolean("create_if_masked", create_if_masked)
    keys = await get()
    usable = _usable(keys)
    if not keys or (create_if_masked and not usable):
        usable = _usable([await create()])
        if not usable:
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
    return [key for key in keys if is_whole(key)]


def _age(key: ApiKey) -> int:
    return key.created_at or 0
