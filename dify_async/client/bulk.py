"""Many apps at once: their keys, and their definitions as files."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

import anyio.to_thread
from msgspec import Struct

from dify_async._http.urls import quote_id
from dify_async._tasks import for_each
from dify_async.errors import DifyError
from dify_async.models import ApiKey, App
from dify_async.statistics.fan_out import affects_all_apps, checked_apps, id_of, unique_apps

from ._calls import check_callback
from .app_changes import AppChangeCalls
from .keys import KeyCalls

T = TypeVar("T")
Progress = Callable[[int, int], None]

_MAX_NAME_LENGTH = 60
_MAX_NAME_BYTES = 120
_SETTLED_AFTER = 60.0
_ID_LENGTH = 36  # of a UUID
_GRAPHS = ("workflow", "advanced-chat")


class AppResult(Struct, Generic[T], frozen=True, kw_only=True):
    """What came of one app: a value, or an error."""

    app_id: str
    value: T | None = None
    error: DifyError | None = None


class BulkCalls(KeyCalls, AppChangeCalls):
    """Calls for many apps, no more than `max_concurrency` requests at once.

    Each gives a result an app, in the order given, an app that is given twice once; an app that fails
    has its error there. Wrong arguments and a refused session are raised.
    """

    _max_concurrency: int

    async def ensure_app_api_keys(
        self,
        apps: Iterable[App | str],
        *,
        create_if_masked: bool = False,
        progress: Progress | None = None,
    ) -> list[AppResult[ApiKey]]:
        """The newest key of each app, made where there is none.

        If the server masks an app's keys, its result has a DifyMaskedKeyError.

        Args:
            apps: `App`s or ids.
            create_if_masked: Whether to make another key for each app whose keys the server masks.
            progress: Called with how many are done, of how many, as each is.
        """

        async def ensure(app: App | str) -> ApiKey:
            return await self.ensure_app_api_key(id_of(app), create_if_masked=create_if_masked)

        return await self._for_apps(apps, ensure, progress)

    async def export_apps(
        self,
        apps: Iterable[App | str],
        folder: str | Path,
        *,
        include_secret: bool = False,
        progress: Progress | None = None,
    ) -> list[AppResult[Path]]:
        """The definition of each app as a file in a folder, which is made where there is none.

        A file is there whole or not at all. It is named by the app's name and id, in the place of a file
        of the app under an earlier name, and has the time of the app's last change. One that is there
        already with that time is left as it is, so that a backup which was cut short goes on where it
        stopped. Apps with a workflow are always fetched, since publishing does not count as a change of
        the app, and so are those that are given by their ids.

        Args:
            apps: `App`s or ids.
            folder: Where to write.
            include_secret: Whether the values of secret variables stand in the files, in clear; such files
                end with ".secrets.yml".
            progress: Called with how many are done, of how many, as each is.

        Raises:
            OSError: A file cannot be written.
        """
        root = Path(folder)
        ending = ".secrets.yml" if include_secret else ".yml"
        there = await anyio.to_thread.run_sync(_files_by_app, root, ending)

        async def export(app: App | str) -> Path:
            path = root / _file_name(app, ending)
            changed = _changed_at(app)
            # A thread is not abandoned where the call is cancelled, so that no part of a file stays.
            if not await anyio.to_thread.run_sync(_is_of, path, changed):
                text = await self.export_app(id_of(app), include_secret=include_secret)
                await anyio.to_thread.run_sync(_write_whole, path, text, changed)
            earlier = there.get(id_of(app).lower(), set()) - {path}
            if earlier:
                await anyio.to_thread.run_sync(_remove, earlier, path)
            return path

        return await self._for_apps(apps, export, progress)

    async def _for_apps(
        self,
        apps: Iterable[App | str],
        do: Callable[[App | str], Awaitable[T]],
        progress: Progress | None,
    ) -> list[AppResult[T]]:
        check_callback("progress", progress)
        wanted = unique_apps(checked_apps(apps))
        results: dict[str, AppResult[T]] = {}

        async def one(app: App | str) -> None:
            app_id = id_of(app)
            try:
                results[app_id] = AppResult(app_id=app_id, value=await do(app))
            except DifyError as error:
                if affects_all_apps(error):
                    raise
                results[app_id] = AppResult(app_id=app_id, error=error)
            if progress is not None:
                progress(len(results), len(wanted))

        await for_each(wanted.values(), one, self._max_concurrency)
        return [results[app_id] for app_id in wanted]


def _file_name(app: App | str, ending: str) -> str:
    """A name that no file system refuses or takes for a path; the id makes it the app's alone."""
    name = app.name if isinstance(app, App) else ""
    # Cut by bytes: a file's name may have 255 of them on most systems, and a letter up to four.
    readable = (
        re.sub(r"[^\w-]+", "_", name[:_MAX_NAME_LENGTH])
        .strip("_")
        .encode()[:_MAX_NAME_BYTES]
        .decode(errors="ignore")
    )
    app_id = quote_id(id_of(app)).lower()
    return f"{readable}-{app_id}{ending}" if readable else f"{app_id}{ending}"


def _changed_at(app: App | str) -> int | None:
    """When the app's definition changed last; None where that is not known."""
    if not isinstance(app, App) or app.mode in _GRAPHS or app.updated_at is None:
        return None
    # Up to 1.9.1 a new configuration changes its own time alone [1.9.1/app_get__chat].
    config = app.model_config
    return max(app.updated_at, (config and config.updated_at) or 0)


def _is_of(path: Path, changed: int | None) -> bool:
    try:
        return changed is not None and path.stat().st_mtime == changed
    except FileNotFoundError:
        return False


def _files_by_app(root: Path, ending: str) -> dict[str, set[Path]]:
    """What is in the folder, which is made where there is none, by the id at the end of a name."""
    root.mkdir(parents=True, exist_ok=True)
    found: dict[str, set[Path]] = {}
    for path in root.glob(f"*{ending}"):
        found.setdefault(path.name.removesuffix(ending)[-_ID_LENGTH:].lower(), set()).add(path)
    return found


def _remove(earlier: set[Path], path: Path) -> None:
    for other in earlier:
        # Where upper and lower case are one, it may be the same file.
        if other.exists() and not other.samefile(path):
            other.unlink()


def _write_whole(path: Path, text: str, changed: int | None) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a crash may leave the new name without its content
        # Within a second there may be another change, and clocks differ: then it is fetched again.
        if changed is not None and changed < time.time() - _SETTLED_AFTER:
            os.utime(name, (changed, changed))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
