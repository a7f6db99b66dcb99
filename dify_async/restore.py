"""Restore apps from a folder of definitions, as `export_apps` writes it.

    plan = await plan_restore(dify, "backup")
    results = await restore_apps(dify, plan)

The plan changes nothing: it says for each file which app would be updated or created. Requires PyYAML, which
is in `dify-async[cli]`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

import anyio
import msgspec
from msgspec import Struct

from dify_async import _checks
from dify_async.backup import MODES_WITH_WORKFLOW, definitions_in
from dify_async.errors import DifyConfigError, DifyError, affects_all_apps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from dify_async.models import App, AppImport

__all__ = ["RestoreAction", "RestoreClient", "RestoreResult", "RestoreStep", "plan_restore", "restore_apps"]

RestoreAction = Literal["update", "create", "skip"]

# "pending" means that the definition's format is newer than the server's.
_PENDING: Final = "pending"
_WARNED: Final = "completed-with-warnings"


class RestoreClient(Protocol):
    """The calls of `AsyncDifyServer` that restoring takes."""

    def apps(self) -> Awaitable[Sequence[App]]:
        """All apps."""

    async def import_app(self, yaml: str, *, app_id: str | None = None) -> AppImport:
        """Create an app, or replace its definition."""

    async def confirm_import(self, import_id: str) -> AppImport:
        """Complete a pending import."""


class RestoreStep(Struct, frozen=True, kw_only=True):
    """What restoring a file does.

    Attributes:
        path: The file.
        app_name: The name in the definition; "" if the file is not a definition.
        mode: The mode in the definition.
        action: "update" replaces the draft of the app with `app_id`; "create" creates an app.
        app_id: The app of the server that the file belongs to, if any.
        reason: Why the file is skipped.
    """

    path: Path
    app_name: str
    mode: str
    action: RestoreAction
    app_id: str | None = None
    reason: str = ""


class RestoreResult(Struct, frozen=True, kw_only=True):
    """The result of a step.

    Attributes:
        step: The step.
        app_id: The app that was updated or created.
        warning: What to check in the app; "" if all is well.
        error: Why the step failed.
    """

    step: RestoreStep
    app_id: str | None = None
    warning: str = ""
    error: DifyError | None = None


class _Shown(Struct, frozen=True):
    name: str
    mode: str


class _Content(Struct, frozen=True):
    app: _Shown


class _Definition(Struct, frozen=True):
    path: Path
    app_id: str  # from the name of the file; "" if there is none
    app: _Shown | None
    problem: str = ""


async def plan_restore(dify: RestoreClient, folder: str | Path, *, copies: bool = False) -> list[RestoreStep]:
    """What `restore_apps` would do with each definition in a folder. Changes nothing.

    A file belongs to the app with the id in its name, or else to the only app with exactly the name in the
    definition. Workflow and advanced-chat apps are updated: the server overwrites no other mode. Files
    without an app create one, and all others are skipped. If an app has a file with secrets and one without,
    the one with secrets is used.

    Args:
        dify: The client.
        folder: The folder.
        copies: Whether to create another app instead of skipping a file.

    Raises:
        DifyConfigError: The folder has no definitions, or PyYAML is not installed.
        DifyError: The apps could not be listed.
        OSError: The folder or a file cannot be read.
    """
    _checks.boolean("copies", copies)
    definitions = await anyio.to_thread.run_sync(_read, Path(folder))
    server = _Server(await dify.apps(), definitions)
    return [server.step(one, copies=copies) for one in definitions]


async def restore_apps(
    dify: RestoreClient,
    steps: Iterable[RestoreStep],
    progress: Callable[[int, int], None] | None = None,
) -> list[RestoreResult]:
    """Carry out a plan, one file after the other. Requires the editor role.

    Updates replace the draft of a workflow: publish it in Dify to use it. After an
    interruption, make a new plan: the apps that were created are found by their names.

    Args:
        dify: The client.
        steps: The steps of `plan_restore`, or some of them.
        progress: Called after each step with the number of finished steps and the total.

    Raises:
        DifyConfigError: An argument is invalid; nothing was changed.
        DifyAuthenticationError: The session was rejected.
        OSError: A file cannot be read.
    """
    _checks.callback("progress", progress)
    wanted = [_checks.instance("each step", step, RestoreStep, "a step of plan_restore()") for step in steps]
    results: list[RestoreResult] = []
    for step in wanted:
        results.append(await _restore(dify, step))
        if progress is not None:
            progress(len(results), len(wanted))
    return results


async def _restore(dify: RestoreClient, step: RestoreStep) -> RestoreResult:
    if step.action == "skip":
        return RestoreResult(step=step, app_id=step.app_id)
    text = await anyio.Path(step.path).read_text(encoding="utf-8")
    try:
        done = await dify.import_app(text, app_id=step.app_id if step.action == "update" else None)
        warning = _warning_of(done)
        if done.status == _PENDING:
            done = await dify.confirm_import(done.id)
    except DifyError as error:
        if affects_all_apps(error):
            raise
        return RestoreResult(step=step, error=error)
    return RestoreResult(step=step, app_id=done.app_id, warning=warning)


def _warning_of(done: AppImport) -> str:
    if done.status not in (_PENDING, _WARNED):
        return ""
    formats = f"its format is {done.imported_dsl_version}, that of the server {done.current_dsl_version}"
    return "; ".join([formats, *(str(one.get("message")) for one in done.warnings or ())])


def _read(folder: Path) -> list[_Definition]:
    found = [_definition(path, app_id) for path, app_id in definitions_in(folder)]
    if not found:
        raise DifyConfigError(f"no app definitions (*.yml) in {folder}")
    return found


def _definition(path: Path, app_id: str) -> _Definition:
    try:
        app = msgspec.yaml.decode(path.read_bytes(), type=_Content).app
    except ImportError:
        raise DifyConfigError("restoring needs PyYAML; install dify-async[cli], which has it") from None
    except msgspec.DecodeError:
        return _Definition(path, app_id, None, "not an app definition")
    return _Definition(path, app_id, app)


class _Server:
    """The apps of the server, and which file belongs to which of them."""

    def __init__(self, apps: Sequence[App], definitions: Sequence[_Definition]) -> None:
        self._by_id = {app.id.lower(): app for app in apps}
        ids = {one.app_id for one in definitions}
        # An app that has a file with its id belongs to no other file.
        self._others = [app for app in apps if app.id.lower() not in ids]
        self._files = Counter(
            one.app.name for one in definitions if one.app and one.app_id not in self._by_id
        )

    def step(self, one: _Definition, *, copies: bool) -> RestoreStep:
        """What restoring a file does."""
        if one.app is None:
            return RestoreStep(path=one.path, app_name="", mode="", action="skip", reason=one.problem)
        app, reason = self._app_of(one.app_id, one.app.name)
        action: RestoreAction = "create"
        if app is not None and app.mode == one.app.mode and app.mode in MODES_WITH_WORKFLOW:
            action = "update"
        elif app is not None:
            reason = f"the server cannot overwrite an app of mode {app.mode}"
        if reason and not copies:
            action = "skip"
        app_id = None if app is None or action == "create" else app.id
        return RestoreStep(
            path=one.path,
            app_name=one.app.name,
            mode=one.app.mode,
            action=action,
            app_id=app_id,
            reason=reason if action == "skip" else "",
        )

    def _app_of(self, app_id: str, name: str) -> tuple[App | None, str]:
        """The app of a file; or None, and why it is not clear which app it is."""
        if app_id in self._by_id:
            return self._by_id[app_id], ""
        found = [app for app in self._others if app.name == name]
        if len(found) == 1 == self._files[name]:
            return found[0], ""
        return None, f"{len(found)} apps and {self._files[name]} files have this name" if found else ""
