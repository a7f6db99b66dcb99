"""Apps: create, change, copy and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType

from dify_async import _checks
from dify_async._api import endpoints
from dify_async._api.versions import MAX_ACTIVE_REQUESTS
from dify_async._http.retry import SAFE
from dify_async._http.wire import decoder_of
from dify_async.errors import DifyConfigError
from dify_async.models import AppModelConfig
from dify_async.models.definitions import Configured

from ._calls import Calls, body_of, encoded

if TYPE_CHECKING:
    from dify_async.models import App

_CONFIGURED: Final[endpoints.Endpoint[Configured]] = endpoints.Endpoint(
    "GET", endpoints.APP.path, decoder_of(Configured), SAFE
)


class AppChangeCalls(Calls):
    """Changes of apps."""

    async def create_app(
        self,
        name: str,
        mode: str,
        *,
        description: str = "",
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> App:
        """Create an app and return it; before Dify 1.15 with fewer fields than `app(id)` returns.

        Requires the editor role. Route: POST /apps.

        Args:
            name: At most 255 characters; the server answers a longer name with a 500.
            mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion".
            description: At most 400 characters.
            icon_type: "emoji", or "image" for an uploaded file.
            icon: The emoji, or the id of the file.
            icon_background: A color such as "#FFEAD5".

        Raises:
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The app may have been created; check before you try again.
        """
        _checks.each(_checks.text, name=name, mode=mode)
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
        app_id: str,
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
        the two requests is overwritten. Requires the editor role. Route: PUT /apps/{id}.

        Args:
            app_id: The app.
            name: The new name.
            description: At most 400 characters.
            icon_type: "emoji", or "image" for an uploaded file.
            icon: The emoji, or the id of the file.
            icon_background: A color such as "#FFEAD5".
            use_icon_as_answer_icon: Whether answers show the icon.
            max_active_requests: The limit of concurrent requests; None or 0 for no limit. From Dify 1.7.

        Raises:
            DifyConfigError: No field is given, or the server is too old for the limit and would ignore it.
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
        """
        new: dict[str, object] = {
            "name": name,
            "description": description,
            "icon_type": icon_type,
            "icon": icon,
            "icon_background": icon_background,
            "use_icon_as_answer_icon": use_icon_as_answer_icon,
            "max_active_requests": max_active_requests,
        }
        if all(value is UNSET for value in new.values()):
            raise DifyConfigError("update_app must be given at least one field to change")
        texts = ("description", "icon_type", "icon", "icon_background")
        for field in texts:
            if new[field] is not UNSET:
                _checks.optional_text(field, new[field])
        if name is not UNSET:
            _checks.text("name", name)
        if use_icon_as_answer_icon is not UNSET:
            _checks.boolean("use_icon_as_answer_icon", use_icon_as_answer_icon)
        limit = None if max_active_requests is UNSET else "given"
        await self._check_version(MAX_ACTIVE_REQUESTS, max_active_requests=limit)
        app = await self._caller.call(endpoints.APP, (app_id,))
        whole = {field: getattr(app, field) if value is UNSET else value for field, value in new.items()}
        # If one of these three is missing, the server answers 500 [1.9.1/app_put__name_only].
        whole["description"] = whole["description"] or ""
        # 1.11 stores "" if there is no icon, which 1.15 rejects as an unknown type of icon.
        whole["icon_type"] = whole["icon_type"] or None
        whole["use_icon_as_answer_icon"] = bool(whole["use_icon_as_answer_icon"])
        return await self._caller.call(endpoints.UPDATE_APP, (app_id,), body=body_of(**whole))

    async def delete_app(self, app_id: str) -> None:
        """Delete the app with its conversations and keys. Requires the editor role.

        Route: DELETE /apps/{id}.

        Raises:
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
        """
        await self._caller.call(endpoints.DELETE_APP, (app_id,))

    async def copy_app(
        self,
        app_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> App:
        """Copy the app and return the copy. Given fields replace those of the original.

        Requires the editor role. Route: POST /apps/{id}/copy.

        Raises:
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
            DifyServerError: The server failed, for example because the workflow was never saved [1.16.1].
            DifyUnknownOutcomeError: The app may have been copied; check before you try again.
        """
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

    async def app_model_config(self, app_id: str) -> AppModelConfig | None:
        """The app's complete model configuration, to change and write back; None for apps with a workflow.

        Unlike `app(id).model_config`, it includes all parameters of the model, and fields that only a newer
        server has. Route: GET /apps/{id}.

        Raises:
            DifyNotFoundError: The workspace has no such app.
        """
        config = (await self._caller.call(_CONFIGURED, (app_id,))).model_config
        return None if config is None else AppModelConfig.of(config)

    async def update_app_model_config(self, app_id: str, config: AppModelConfig) -> None:
        """Replace the model configuration of a chat, agent-chat or completion app.

        Requires the editor role. Route: POST /apps/{id}/model-config.

        Args:
            app_id: The app.
            config: The result of `app_model_config` with your changes; fields that are not set are reset.

        Raises:
            DifyValidationError: The server does not have the model, or a field is missing.
            DifyNotFoundError: The app does not exist or has another mode.
            DifyPermissionError: The account is not an editor.
        """
        _checks.instance("config", config, AppModelConfig, "an AppModelConfig")
        await self._caller.call(endpoints.MODEL_CONFIG, (app_id,), body=encoded(config.to_body()))

    async def enable_app_api(self, app_id: str, enabled: bool) -> App:  # noqa: FBT001 - the only setting
        """Enable or disable the app's API, and return the app with fewer fields than `app(id)`.

        Requires the admin or owner role. Route: POST /apps/{id}/api-enable.

        Raises:
            DifyConflictError: The app is of mode agent and was never published; `code` is
                "agent_not_published". From Dify 1.17.
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an admin or owner.
        """
        _checks.boolean("enabled", enabled)
        return await self._caller.call(endpoints.ENABLE_API, (app_id,), body=body_of(enable_api=enabled))

    async def enable_app_site(self, app_id: str, enabled: bool) -> App:  # noqa: FBT001 - the only setting
        """Enable or disable the app's public page, and return the app with fewer fields than `app(id)`.

        Requires the editor role. Route: POST /apps/{id}/site-enable.

        Raises:
            DifyConflictError: The app is of mode agent and was never published; `code` is
                "agent_not_published". From Dify 1.17.
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
        """
        _checks.boolean("enabled", enabled)
        return await self._caller.call(endpoints.ENABLE_SITE, (app_id,), body=body_of(enable_site=enabled))
