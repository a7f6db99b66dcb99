"""A folder of app definitions, with one file per app."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import anyio

from dify_async._http.urls import quote_id
from dify_async._ids import id_of
from dify_async.models import App

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dify_async._ids import AppOrId

_MAX_NAME_LENGTH = 60
_MAX_NAME_BYTES = 120
_SETTLED_AFTER = 60.0
_ID_LENGTH = 36  # of a UUID
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MODES_WITH_WORKFLOW = ("workflow", "advanced-chat")


_ENDING, _ENDING_WITH_SECRETS = ".yml", ".secrets.yml"


class BackupFolder:
    """Writes and updates the files. Each file exists in full or not at all."""

    def __init__(self, root: Path, ending: str, files: dict[str, set[Path]]) -> None:
        self._root = root
        self._ending = ending
        self._files = files

    @classmethod
    async def open(cls, folder: str | Path, *, with_secrets: bool) -> Self:
        """The folder, created if it does not exist."""
        root, ending = Path(folder), _ENDING_WITH_SECRETS if with_secrets else _ENDING
        return cls(root, ending, await anyio.to_thread.run_sync(_files_by_app, root, ending))

    async def update(self, app: AppOrId, export: Callable[[str], Awaitable[str]]) -> Path:
        """The app's file, exported again only if the app may have changed."""
        path = self._root / _file_name(app, self._ending)
        changed = _changed_at(app)
        # If the call is cancelled, it still waits for the thread, so that no partial file remains.
        if not await anyio.to_thread.run_sync(_is_current, path, changed):
            text = await export(id_of(app))
            await anyio.to_thread.run_sync(_write_whole, path, text, changed)
        earlier = self._files.get(id_of(app).lower(), set()) - {path}
        if earlier:
            await anyio.to_thread.run_sync(_remove, earlier, path)
        return path


def definitions_in(folder: Path) -> list[tuple[Path, str]]:
    """The files of a folder with the app ids in their names, by name; "" for a name without an id.

    If an app has a file with secrets and one without, only the one with secrets.
    """
    found: dict[str, tuple[Path, str]] = {}
    if not folder.is_dir():
        number = errno.ENOTDIR if folder.exists() else errno.ENOENT
        raise OSError(number, os.strerror(number), str(folder))
    for path in sorted(folder.glob(f"*{_ENDING}"), key=lambda path: path.name):
        stem = path.name.removesuffix(_ENDING_WITH_SECRETS).removesuffix(_ENDING)
        app_id = stem[-_ID_LENGTH:].lower()
        is_id = _ID.fullmatch(app_id) is not None
        key = app_id if is_id else stem
        if key not in found or path.name.endswith(_ENDING_WITH_SECRETS):
            found[key] = path, app_id if is_id else ""
    return sorted(found.values())


def _file_name(app: AppOrId, ending: str) -> str:
    """A file name that every file system accepts; the id makes it unique."""
    name = app.name if isinstance(app, App) else ""
    # Most systems allow 255 bytes per file name, and a character takes up to four.
    readable = (
        re.sub(r"[^\w-]+", "_", name[:_MAX_NAME_LENGTH])
        .strip("_")
        .encode()[:_MAX_NAME_BYTES]
        .decode(errors="ignore")
    )
    app_id = quote_id(id_of(app)).lower()
    return f"{readable}-{app_id}{ending}" if readable else f"{app_id}{ending}"


def _changed_at(app: AppOrId) -> int | None:
    """When the app's definition last changed; None if unknown."""
    if not isinstance(app, App) or app.mode in MODES_WITH_WORKFLOW or app.updated_at is None:
        return None
    # Up to 1.9.1 a new configuration updates only its own timestamp [1.9.1/app_get__chat].
    config = app.model_config
    return max(app.updated_at, (config and config.updated_at) or 0)


def _is_current(path: Path, changed: int | None) -> bool:
    try:
        return changed is not None and path.stat().st_mtime == changed
    except FileNotFoundError:
        return False


def _files_by_app(root: Path, ending: str) -> dict[str, set[Path]]:
    """The folder's files by the app id in their names; creates the folder if it does not exist."""
    root.mkdir(parents=True, exist_ok=True)
    found: dict[str, set[Path]] = {}
    for path in root.glob(f"*{ending}"):
        found.setdefault(path.name.removesuffix(ending)[-_ID_LENGTH:].lower(), set()).add(path)
    return found


def _remove(earlier: set[Path], path: Path) -> None:
    for other in earlier:
        # On a case-insensitive file system it may be the same file.
        if other.exists() and not other.samefile(path):
            other.unlink()


def _write_whole(path: Path, text: str, changed: int | None) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # otherwise a crash may leave the new name without its content
        # The app may change again within the same second, and clocks differ: then export it again.
        if changed is not None and changed < time.time() - _SETTLED_AFTER:
            os.utime(name, (changed, changed))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
