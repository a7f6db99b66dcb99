"""Export and import app definitions as YAML."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dify_async import _checks
from dify_async._api import endpoints
from dify_async._api.versions import EXPORTED_VERSION
from dify_async._ids import checked_id, id_of, optional_id

from ._calls import Calls, body_of
from .bulk import AppResult, Progress, for_apps

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dify_async._ids import AppOrId, Id
    from dify_async.models import AppImport


class DefinitionCalls(Calls):
    """Methods that export and import app definitions."""

    async def export_app(
        self, app_id: AppOrId, workflow_id: Id | None = None, *, include_secret: bool = False
    ) -> str:
        """The app's definition as YAML. Requires the editor role. Route: GET /apps/{id}/export.

        Args:
            app_id: The app.
            workflow_id: The published version of the workflow to export; by default, the draft. Requires Dify
                1.9.
            include_secret: Whether to include the values of secret variables, in plain text.

        Raises:
            DifyConfigError: `workflow_id` is given, and the server is too old to support it.
            DifyNotFoundError: The workspace has no such app.
            DifyPermissionError: The account is not an editor.
            DifyServerError: The server failed, for example because the workflow was never saved or the app
                has no version with `workflow_id`.
        """
        app_id = id_of(app_id)
        workflow_id = optional_id("workflow_id", workflow_id)
        _checks.boolean("include_secret", include_secret)
        await self._check_version(EXPORTED_VERSION, workflow_id=workflow_id)
        # Servers newer than 1.17.1 return a ZIP archive unless `format` is given; older servers ignore it
        # [1.16.1/08_app_export_format_*].
        query = (("format", "yaml"), ("include_secret", include_secret), ("workflow_id", workflow_id))
        return (await self._caller.call(endpoints.EXPORT_APP, (app_id,), query)).data

    async def export_apps(
        self,
        apps: Iterable[AppOrId],
        folder: str | Path,
        *,
        include_secret: bool = False,
        progress: Progress | None = None,
    ) -> list[AppResult[Path]]:
        """Export the definition of each app to a file in a folder. Requires the editor role.

        Returns one result per app, in the order of `apps` and without duplicates. If an app fails, its
        result contains the error.

        The folder is created if it does not exist. The name of each file contains the app's name and id.
        If an app was renamed, the new file replaces the old one. The modification time of the file is the
        time of the app's last change. An app that has not changed since then is not exported again, so an
        interrupted backup continues where it stopped. Apps with a workflow and apps given by id are always
        exported, because the time of their last change is unknown.

        Args:
            apps: The apps, each an `App` or its id.
            folder: The folder to write to.
            include_secret: Whether to include the values of secret variables, in plain text; such files
                end in ".secrets.yml".
            progress: Called after each app with the number of finished apps and the total number.

        Raises:
            DifyConfigError: An argument is invalid.
            DifyAuthenticationError: The session was rejected.
            OSError: A file cannot be written.
        """
        _checks.boolean("include_secret", include_secret)
        from dify_async.backup import BackupFolder  # noqa: PLC0415 - few programs make backups

        backup = await BackupFolder.open(folder, with_secrets=include_secret)
        export = partial(self.export_app, include_secret=include_secret)
        return await for_apps(apps, lambda app: backup.update(app, export), progress, self._max_concurrency)

    async def import_app(
        self,
        yaml: str,
        *,
        app_id: AppOrId | None = None,
        name: str | None = None,
        description: str | None = None,
        icon_type: str | None = None,
        icon: str | None = None,
        icon_background: str | None = None,
    ) -> AppImport:
        """Create an app from its definition, or replace the definition of the app with `app_id`.

        The result's status is "pending" if the definition's format is newer than the server's (0.6.0 in
        Dify 1.15, 0.7.0 from 1.16): nothing changes until you call `confirm_import()`, within ten minutes.
        The status is "completed-with-warnings" if the format is older. Requires the editor role.

        Route: POST /apps/imports.

        Raises:
            DifyValidationError: The definition is invalid; the message states where.
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The app may have been imported; check before you try again.
        """
        app_id = None if app_id is None else id_of(app_id)
        _checks.text("yaml", yaml)
        fields = {
            "app_id": app_id,
            "name": name,
            "description": description,
            "icon_type": icon_type,
            "icon": icon,
            "icon_background": icon_background,
        }
        _checks.each(_checks.optional_text, **fields)
        body = body_of(mode="yaml-content", yaml_content=yaml, **fields)
        return await self._caller.call(endpoints.IMPORT_APP, body=body)

    async def confirm_import(self, import_id: Id) -> AppImport:
        """Complete a pending import. Requires the editor role. Route: POST /apps/imports/{id}/confirm.

        Raises:
            DifyValidationError: The import has expired or, from Dify 1.17, belongs to another member.
            DifyPermissionError: The account is not an editor.
            DifyUnknownOutcomeError: The app may have been imported; check before you try again.
        """
        import_id = checked_id("import_id", import_id)
        return await self._caller.call(endpoints.CONFIRM_IMPORT, (import_id,), body=b"{}")
