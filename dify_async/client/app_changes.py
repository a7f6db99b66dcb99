"""Create, change, copy and delete apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from msgspec import UNSET, UnsetType

from dify_async import _checks, models
from dify_async._api import endpoints
from dify_async._api.versions import MAX_ACTIVE_REQUESTS
from dify_async._choices import AppMode
from dify_async._ids import id_of
from dify_async.errors import DifyConfigError

from ._calls import Calls, body_of, encoded

if TYPE_CHECKING:
    from dify_async._ids import AppOrId
    from dify_async.models import App, AppModelConfig

# Only the complete model configuration is decoded.
_CONFIGURED: Final = endpoints.APP.decoded_to(lambda: models.definitions.Configured)


class AppChangeCalls(Calls):
    """Methods that create, change, copy and delete apps."""

    async def create_app(
        self,
        name: str,
        mode: AppMode,
        *,
        description: str = "",
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> App:
        """Create an app and return it. Before Dify 1.15, it has fewer fields than `app(id)` returns.

        Requires the editor role. Route: POST /apps.

        Args:
            name: At most 255 characters; the server returns a 500 for a longer name.
            mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion".
            description: At most 400 characters.
            icon_type: "emoji", or "image" for an uploaded file.
            icon: The emoji, or the id of the file.
            icon_background: A color such as "#FFEAD5".

        Raises:
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The app may have been created; check before you try again.
        """
        _checks.text("name", name)
        _checks.one_of("mode", mode, get_args(AppMode))
        fields = {
            "description": description,
            "icon_type": icon_type,
            "icon": icon,
            "icon_background": icon_background,
        }
        _checks.each(_checks.optional_text, **fields)
        body = body_of(name=name, mode=mode, **fields)
        return await self._caller.call(endpoints.NEW_APP, body=body)

    async def update_app(
        self,
        app_id: AppOrId,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        icon_type: str | UnsetType | None = UNSET,
        icon: str | UnsetType | None = UNSET,
        icon_background: str | UnsetType | None = UNSET,
        use_icon_as_answer_icon: bool | UnsetType = UNSET,
        max_active_requests: int | UnsetType | None = UNSET,
    ) -> App:
        """Change the given fields of the app, and return the app. Other fields keep their values.

        The server replaces all fields, so the app is read first. A change that someone else makes between
        the two requests is lost. Requires the editor role. Route: PUT /apps/{id}.

        Args:
            app_id: The app.
            name: The new name.
            description: At most 400 characters.
            icon_type: "emoji", or "image" for an uploaded file.
            icon: The emoji, or the id of the file.
            icon_background: A color such as "#FFEAD5".
            use_icon_as_answer_icon: Whether answers show the icon.
            max_active_requests: The maximum number of concurrent requests; None or 0 for no limit. Requires
                Dify 1.7.

        Raises:
            DifyConfigError: No field is given, or `max_active_requests` is given and the server is too old to
                support it.
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        changes: dict[str, object] = {
            "name": name,
            "description": description,
            "icon_type": icon_type,
            "icon": icon,
            "icon_background": icon_background,
            "use_icon_as_answer_icon": use_icon_as_answer_icon,
            "max_active_requests": max_active_requests,
        }
        if all(value is UNSET for value in changes.values()):
            raise DifyConfigError("update_app must be given at least one field to change")
        texts = ("description", "icon_type", "icon", "icon_background")
        for field in texts:
            if changes[field] is not UNSET:
                _checks.optional_text(field, changes[field])
        if name is not UNSET:
            _checks.text("name", name)
        if use_icon_as_answer_icon is not UNSET:
            _checks.boolean("use_icon_as_answer_icon", use_icon_as_answer_icon)
        # `_check_version` treats None as not given, but None is a valid limit.
        limit = None if max_active_requests is UNSET else "given"
        await self._check_version(MAX_ACTIVE_REQUESTS, max_active_requests=limit)
        app = await self._caller.call(endpoints.APP, (app_id,))
        merged = {field: getattr(app, field) if value is UNSET else value for field, value in changes.items()}
        # If one of these three fields is missing, the server returns a 500 [1.9.1/app_put__name_only].
        merged["description"] = merged["description"] or ""
        # If there is no icon, Dify 1.11 stores "", which Dify 1.15 rejects as an unknown icon type.
        merged["icon_type"] = merged["icon_type"] or None
        merged["use_icon_as_answer_icon"] = bool(merged["use_icon_as_answer_icon"])
        return await self._caller.call(endpoints.UPDATE_APP, (app_id,), body=body_of(**merged))

    async def delete_app(self, app_id: AppOrId) -> None:
        """Delete the app, its conversations and its API keys. Requires the editor role.

        Route: DELETE /apps/{id}.

        Raises:
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        await self._caller.call(endpoints.DELETE_APP, (app_id,))

    async def copy_app(
        self,
        app_id: AppOrId,
        *,
        name: str | None = None,
        description: str | None = None,
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> App:
        """Copy the app and return the copy. Fields that you pass replace those of the original.

        Requires the editor role. Route: POST /apps/{id}/copy.

        Raises:
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
            DifyServerError: The server failed, for example because the workflow was never saved.
            DifyUnknownOutcomeError: The app may have been copied; check before you try again.
        """
        app_id = id_of(app_id)
        fields = {
            "name": name,
            "description": description,
            "icon_type": icon_type,
            "icon": icon,
            "icon_background": icon_background,
        }
        _checks.each(_checks.optional_text, **fields)
        body = body_of(**fields)
        return await self._caller.call(endpoints.COPY_APP, (app_id,), body=body)

    async def app_model_config(self, app_id: AppOrId) -> AppModelConfig | None:
        """The app's complete model configuration, or None for apps with a workflow.

        Change it and pass it to `update_app_model_config()`. Unlike `app(id).model_config`, it includes all
        model parameters, and fields that were added in newer Dify versions. Route: GET /apps/{id}.

        Raises:
            DifyNotFoundError: The workspace has no such app.
        """
        app_id = id_of(app_id)
        config = (await self._caller.call(_CONFIGURED, (app_id,))).model_config
        return None if config is None else models.AppModelConfig.of(config)

    async def update_app_model_config(self, app_id: AppOrId, config: AppModelConfig) -> None:
        """Replace the model configuration of a chat, agent-chat or completion app.

        Requires the editor role. Route: POST /apps/{id}/model-config.

        Args:
            app_id: The app.
            config: The result of `app_model_config()` with your changes. Fields that are not set are reset.

        Raises:
            DifyValidationError: The server does not have the model, or a field is missing.
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        _checks.instance("config", config, models.AppModelConfig, "an AppModelConfig")
        await self._caller.call(endpoints.MODEL_CONFIG, (app_id,), body=encoded(config.to_dict()))

    async def enable_app_api(self, app_id: AppOrId, enabled: bool) -> App:  # noqa: FBT001 - the only setting
        """Enable or disable the app's API and return the app, with fewer fields than `app(id)`.

        Requires the admin or owner role. Route: POST /apps/{id}/api-enable.

        Raises:
            DifyConflictError: The app's mode is "agent" and the app was never published; `code` is
                "agent_not_published". From Dify 1.17.
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an admin or owner.
        """
        app_id = id_of(app_id)
        _checks.boolean("enabled", enabled)
        return await self._caller.call(endpoints.ENABLE_API, (app_id,), body=body_of(enable_api=enabled))

    async def enable_app_site(self, app_id: AppOrId, enabled: bool) -> App:  # noqa: FBT001 - the only setting
        """Enable or disable the app's public page and return the app, with fewer fields than `app(id)`.

        Requires the editor role. Route: POST /apps/{id}/site-enable.

        Raises:
            DifyConflictError: The app's mode is "agent" and the app was never published; `code` is
                "agent_not_published". From Dify 1.17.
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
        """
        app_id = id_of(app_id)
        _checks.boolean("enabled", enabled)
        return await self._caller.call(endpoints.ENABLE_SITE, (app_id,), body=body_of(enable_site=enabled))
