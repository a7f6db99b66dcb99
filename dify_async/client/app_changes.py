"""Apps: make, change, copy and delete; and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType

from dify_async._api import endpoints
from dify_async._api.versions import MAX_ACTIVE_REQUESTS
from dify_async._http.retry import SAFE
from dify_async.errors import DifyConfigError
from dify_async.models import AppModelConfig
from dify_async.models.definitions import Configured

from ._calls import (
    Calls,
    body_of,
    check_required,
    check_switches,
    check_texts,
    encoded,
)

if TYPE_CHECKING:
    from dify_async.models import App, AppImport

_CONFIGURED: Final[endpoints.Endpoint[Configured]] = endpoints.Endpoint(
    "GET", endpoints.APP.path, endpoints.decoder_of(Configured), SAFE
)


class AppChangeCalls(Calls):
    """Calls that change apps. They need an editor; `enable_app_api` needs an admin or the owner.

    Raises:
        DifyNotFoundError: No such app in this workspace.
        DifyPermissionError: The account's role does not allow it.
        DifyUnknownOutcomeError: The change may have been made; look before you repeat it.
    """

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
        """A new app; before Dify 1.15 with fewer fields than `app(id)` gives. Route: POST /apps.

        Args:
            name: At most 255 characters: a longer one is a 500 of the server.
            mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion".
            description: At most 400 characters.
            icon_type: "emoji", or "image" for an uploaded file.
            icon: The emoji, or the id of the file.
            icon_background: As "#FFEAD5".
        """
        check_required(name=name, mode=mode)
        check_texts(description=description, icon_type=icon_type, icon=icon, icon_background=icon_background)
        body = body_of(
            name=name,
            mode=mode,
            description=description,
            icon_type=icon_type,
            icon=icon,
            icon_background=icon_background,
        )
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
        """The app with what is given; what is not stays as it was. Route: PUT /apps/{id}.

        The server replaces everything, so the app is read first; what somebody else changes between
        the two is overwritten.

        Args:
            app_id: The app.
            name: Its new name.
            description: At most 400 characters.
            icon_type: "emoji", or "image" for an uploaded file.
            icon: The emoji, or the id of the file.
            icon_background: As "#FFEAD5".
            use_icon_as_answer_icon: Whether the icon stands beside answers.
            max_active_requests: Requests at once; None or 0 for no limit. From Dify 1.7.

        Raises:
            DifyConfigError: Nothing is given, or the server is older and would ignore the limit.
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
            raise DifyConfigError("update_app is given nothing to change")
        texts = ("description", "icon_type", "icon", "icon_background")
        check_texts(**{field: new[field] for field in texts if new[field] is not UNSET})
        if name is not UNSET:
            check_required(name=name)
        if use_icon_as_answer_icon is not UNSET:
            check_switches(use_icon_as_answer_icon=use_icon_as_answer_icon, may_be_none=False)
        limit = None if max_active_requests is UNSET else "given"
        await self._check_version(MAX_ACTIVE_REQUESTS, max_active_requests=limit)
        app = await self._caller.call(endpoints.APP, (app_id,))
        whole = {field: getattr(app, field) if value is UNSET else value for field, value in new.items()}
        # A 500 where one of these three is missing [1.9.1/app_put__name_only].
        whole["description"] = whole["description"] or ""
        # 1.11 writes "" where there is no icon, and 1.15 reads it as a kind of icon that it does not know.
        whole["icon_type"] = whole["icon_type"] or None
        whole["use_icon_as_answer_icon"] = bool(whole["use_icon_as_answer_icon"])
        return await self._caller.call(endpoints.UPDATE_APP, (app_id,), body=body_of(**whole))

    async def delete_app(self, app_id: str) -> None:
        """Delete the app with its conversations and keys. Route: DELETE /apps/{id}."""
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
        """A copy of the app, with what is given in the place of its own name and the rest.

        Route: POST /apps/{id}/copy.

        Raises:
            DifyServerError: Among others, if the app has a workflow that was never saved [1.16.1].
        """
        fields = {
            "name": name,
            "description": description,
            "icon_type": icon_type,
            "icon": icon,
            "icon_background": icon_background,
        }
        check_texts(**fields)
        body = body_of(**fields)
        return await self._caller.call(endpoints.COPY_APP, (app_id,), body=body)

    async def app_model_config(self, app_id: str) -> AppModelConfig | None:
        """The configuration of an app, whole, to be changed and written; None for apps with a workflow.

        Unlike `app(id).model_config` it keeps all parameters of the model, and what is new in a server.
        Route: GET /apps/{id}.
        """
        config = (await self._caller.call(_CONFIGURED, (app_id,))).model_config
        return None if config is None else AppModelConfig.of(config)

    async def update_app_model_config(self, app_id: str, config: AppModelConfig) -> None:
        """Replace the whole configuration of an app of mode chat, agent-chat or completion.

        Route: POST /apps/{id}/model-config.

        Args:
            app_id: The app.
            config: As `app_model_config` reads it, with your changes; what is not set is reset.

        Raises:
            DifyConfigError: It is no AppModelConfig.
            DifyValidationError: The server does not know the model, or something is missing.
            DifyNotFoundError: No such app, or one of another mode.
        """
        if not isinstance(config, AppModelConfig):
            raise DifyConfigError(f"config is of type {type(config).__name__}; it is an AppModelConfig")
        await self._caller.call(endpoints.MODEL_CONFIG, (app_id,), body=encoded(config.to_body()))

    async def enable_app_api(self, app_id: str, enabled: bool) -> App:  # noqa: FBT001 - the one thing it sets
        """Let the app be called by its API keys, or not; gives it with fewer fields than `app(id)`.

        Route: POST /apps/{id}/api-enable.

        Raises:
            DifyConflictError: An app of mode agent that was never published cannot be enabled; `code` is
                "agent_not_published". From Dify 1.17.
        """
        check_switches(enabled=enabled, may_be_none=False)
        return await self._caller.call(endpoints.ENABLE_API, (app_id,), body=body_of(enable_api=enabled))

    async def enable_app_site(self, app_id: str, enabled: bool) -> App:  # noqa: FBT001 - likewise
        """Let the app be used on its public page, or not; gives it with fewer fields than `app(id)`.

        Route: POST /apps/{id}/site-enable.

        Raises:
            DifyConflictError: An app of mode agent that was never published cannot be enabled; `code` is
                "agent_not_published". From Dify 1.17.
        """
        check_switches(enabled=enabled, may_be_none=False)
        return await self._caller.call(endpoints.ENABLE_SITE, (app_id,), body=body_of(enable_site=enabled))

    async def export_app(self, app_id: str, *, include_secret: bool = False) -> str:
        """The app's definition as YAML. Route: GET /apps/{id}/export.

        Args:
            app_id: The app.
            include_secret: Whether the values of secret variables stand in it, in clear.

        Raises:
            DifyServerError: Among others, if the app has a workflow that was never saved [1.15.0].
        """
        check_switches(include_secret=include_secret)
        # After 1.17.1 a ZIP comes without it; older servers ignore it [1.16.1/08_app_export_format_*].
        query = (("format", "yaml"), ("include_secret", include_secret))
        return (await self._caller.call(endpoints.EXPORT_APP, (app_id,), query)).data

    async def import_app(
        self,
        yaml: str,
        *,
        app_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> AppImport:
        """An app by its definition: a new one, or with `app_id` in the place of that one's.

        Route: POST /apps/imports. The status is "pending" if the definition's format is newer than the
        server's (0.6.0 in Dify 1.15, 0.7.0 from 1.16): nothing is made until `confirm_import`, within ten
        minutes. A definition of an older format is "completed-with-warnings".

        Raises:
            DifyValidationError: It cannot be read; the text says where.
        """
        check_required(yaml=yaml)
        fields = {
            "app_id": app_id,
            "name": name,
            "description": description,
            "icon_type": icon_type,
            "icon": icon,
            "icon_background": icon_background,
        }
        check_texts(**fields)
        body = body_of(mode="yaml-content", yaml_content=yaml, **fields)
        return await self._caller.call(endpoints.IMPORT_APP, body=body)

    async def confirm_import(self, import_id: str) -> AppImport:
        """Finish an import that is pending. Route: POST /apps/imports/{id}/confirm.

        Raises:
            DifyValidationError: It is no longer there; from Dify 1.17 also if another member began it.
        """
        return await self._caller.call(endpoints.CONFIRM_IMPORT, (import_id,), body=b"{}")
