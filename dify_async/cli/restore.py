"""`dify-async restore`: apps from a folder of definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from dify_async._tables import ColumnType
from dify_async.client import AsyncDifyServer
from dify_async.restore import RestoreResult, RestoreStep, plan_restore, restore_apps

from .connection import Connection
from .console import (
    OK,
    SOME_FAILED,
    AsJson,
    Yes,
    chosen_format,
    confirm,
    note,
    print_rows,
    progress,
    short,
)

_COLUMNS: Final[dict[str, ColumnType]] = {
    "file": "text",
    "app_name": "text",
    "mode": "text",
    "action": "text",
    "app_id": "text",
    "problem": "text",
}


def restore(
    folder: Path,
    /,
    *,
    copies: Annotated[bool, Parameter(show_default=False)] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    connection: Connection = Connection(),
) -> int:
    """Restore apps from a folder that `backup` wrote.

    Each file belongs to the app with the id in its name, or else to the only app with exactly its name.
    Workflow and advanced-chat apps are updated: their draft is replaced, which you then publish in Dify.
    Missing apps are created. Existing apps of other modes are skipped, since the server cannot overwrite
    them, and the exit code is 1. It asks before it changes anything. After an interruption, run it again.

    Args:
        folder: The folder.
        copies: Create another app for each file that would be skipped.
        yes: Do not ask.
        as_json: Print JSON, with one object per file.
        connection: The server.
    """
    console = Console()
    kind = chosen_format(console, as_csv=False, as_json=as_json)
    with connection.client() as client:
        plan = client.run(partial(plan_restore, folder=folder, copies=copies))
        _print_plan(plan)
        if any(step.action != "skip" for step in plan) and not yes:
            confirm("Restore these apps?", otherwise="restore changes apps")

        async def task(dify: AsyncDifyServer) -> list[RestoreResult]:
            with progress("apps") as count:
                return await restore_apps(dify, plan, count)

        results = client.run(task)
    if kind == "table":
        done = sum(result.error is None and result.step.action != "skip" for result in results)
        console.print(f"{done} of {len(results)} files were restored", markup=False)
    else:
        print_rows(kind, _COLUMNS, _rows(results))
    copyable = sum(_is_copyable(result.step) for result in results)
    for result in results:
        problem = _problem(result)
        if problem and not _is_copyable(result.step):  # the plan has their reasons
            note(f"{short(result.step.app_name) or result.step.path.name}: {problem}")
    if copyable:
        note(f"skipped files: {copyable}; --copies creates another app for each of them")
    return SOME_FAILED if any(one.error or one.step.action == "skip" for one in results) else OK


def _print_plan(plan: Iterable[RestoreStep]) -> None:
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for heading in ("app", "mode", "restore"):
        table.add_column(heading, overflow="fold")
    for step in plan:
        action = f"skip: {step.reason}" if step.action == "skip" else step.action
        table.add_row(short(step.app_name) or step.path.name, step.mode, action)
    Console(stderr=True, markup=False).print(table)


def _is_copyable(step: RestoreStep) -> bool:
    """Whether the file is skipped, but not with --copies. Files that are not app definitions have no mode."""
    return step.action == "skip" and bool(step.mode)


def _problem(result: RestoreResult) -> str:
    if result.error is not None:
        return str(result.error)
    if result.step.action == "skip":
        return f"skipped: {result.step.reason}"
    return f"check the app: {result.warning}" if result.warning else ""


def _rows(results: Iterable[RestoreResult]) -> Iterator[tuple[object, ...]]:
    for result in results:
        step = result.step
        app_id = result.app_id or step.app_id
        yield str(step.path), step.app_name, step.mode, step.action, app_id, _problem(result)
