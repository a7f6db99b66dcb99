"""`dify-async backup`: the definition of every app, in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console

from dify_async._tables import ColumnType
from dify_async.client import AppResult, AsyncDifyServer

from .connection import Connection
from .console import OK, SOME_FAILED, AsJson, UsageError, chosen_format, note, print_rows, progress, short

_COLUMNS: Final[dict[str, ColumnType]] = {
    "app_id": "text",
    "app_name": "text",
    "file": "text",
    "error": "text",
}


def backup(
    folder: Path,
    /,
    *,
    include_secret: Annotated[bool, Parameter(name="--include-secrets", show_default=False)] = False,
    as_json: AsJson = False,
    connection: Connection = Connection(),
) -> int:
    """Back up the definition of every app to a folder, one file per app.

    Run it again to update the folder: only apps that have changed, and apps with a workflow, are exported
    again. Files of deleted apps stay. In a pipe, it prints CSV with one row per app.

    Args:
        folder: The folder, created if it does not exist.
        include_secret: Include the values of secret variables, in plain text, in files that end in
            .secrets.yml.
        as_json: Print JSON, with one object per app.
        connection: The server.
    """
    kind = chosen_format(Console(), as_csv=False, as_json=as_json)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")

    async def task(dify: AsyncDifyServer) -> list[AppResult[Path]]:
        with progress("apps") as count:
            apps = await dify.apps()
            return await dify.export_apps(apps, folder, include_secret=include_secret, progress=count)

    with connection.client() as client:
        results = client.run(task)
    failed = [result for result in results if result.error is not None]
    if kind == "table":
        Console().print(f"{len(results) - len(failed)} of {len(results)} apps are in {folder}", markup=False)
    else:
        print_rows(kind, _COLUMNS, _rows(results))
    for result in failed:
        note(f"{short(result.app_name) or result.app_id}: {result.error}")
    return SOME_FAILED if failed else OK


def _rows(results: list[AppResult[Path]]) -> Iterator[tuple[object, ...]]:
    for result in results:
        file = result.value and str(result.value)
        yield result.app_id, result.app_name, file, result.error and str(result.error)
