"""API keys of apps and knowledge bases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._endpoints import (
    APP_API_KEYS,
    DATASET_API_KEYS,
    DELETE_APP_API_KEY,
    DELETE_DATASET_API_KEY,
    NEW_APP_API_KEY,
    NEW_DATASET_API_KEY,
)

from ._calls import Calls

if TYPE_CHECKING:
    from dify_async.models import ApiKey, DatasetApiKey


class KeyCalls(Calls):
    """Calls on API keys. The server gives each key's whole secret, to every member of the workspace."""

    async def get_app_api_key(self, app_id: str) -> list[ApiKey]:
        """All keys of the app, in no order. Route: GET /apps/{id}/api-keys."""
        return (await self._pipeline.call(APP_API_KEYS, (app_id,))).data

    async def init_app_api_key(self, app_id: str) -> list[ApiKey]:
        """A new key for the app, alone in the list. Route: POST /apps/{id}/api-keys.

        Raises:
            DifyValidationError: The app has 10 already; `code` is "max_keys_exceeded".
            DifyPermissionError: The account is no editor.
            DifyUnknownOutcomeError: The key may have been made; `get_app_api_key` tells.
        """
        return [await self._pipeline.call(NEW_APP_API_KEY, (app_id,), body=b"{}")]

    async def ensure_app_api_key(self, app_id: str) -> ApiKey:
        """The newest key of the app, made if there is none."""
        keys = await self.get_app_api_key(app_id) or await self.init_app_api_key(app_id)
        return max(keys, key=_age)

    async def delete_app_api_key(self, app_id: str, api_key_id: str) -> None:
        """Delete the key; needs an admin or the owner. Route: DELETE /apps/{id}/api-keys/{id}.

        Raises:
            DifyNotFoundError: The app has no such key.
        """
        await self._pipeline.call(DELETE_APP_API_KEY, (app_id, api_key_id))

    async def get_dataset_api_key(self) -> list[DatasetApiKey]:
        """All keys for the workspace's knowledge bases, in no order. Route: GET /datasets/api-keys."""
        return (await self._pipeline.call(DATASET_API_KEYS)).data

    async def init_dataset_api_key(self) -> list[DatasetApiKey]:
        """A new key for the knowledge bases, alone in the list. Route: POST /datasets/api-keys.

        Raises:
            DifyServerError: The workspace has 10 already and Dify is 1.8 to 1.11, or else:
            DifyValidationError: The workspace has 10 already; `code` is "max_keys_exceeded".
            DifyPermissionError: The account is neither an admin nor the owner.
        """
        return [await self._pipeline.call(NEW_DATASET_API_KEY, body=b"{}")]

    async def ensure_dataset_api_key(self) -> DatasetApiKey:
        """The newest key for the knowledge bases, made if there is none."""
        keys = await self.get_dataset_api_key() or await self.init_dataset_api_key()
        return max(keys, key=_age)

    async def delete_dataset_api_key(self, api_key_id: str) -> None:
        """Delete the key; needs an admin or the owner. Route: DELETE /datasets/api-keys/{id}.

        Raises:
            DifyNotFoundError: There is no such key.
        """
        await self._pipeline.call(DELETE_DATASET_API_KEY, (api_key_id,))


def _age(key: ApiKey) -> int:
    return key.created_at or 0
