"""`dify-async keys`: the API keys of apps."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TextIO

import anyio
from cyclopts import App, Parameter
from rich.console import Console

from dify_async._concurrency import complete
from dify_async._ids import is_api_key
from dify_async._tables import write_table
from dify_async.client import AsyncDifyServer
from dify_async.client.rotation import CREATED
from dify_async.errors import DifyError, DifyNotFoundError, affects_all_apps
from dify_async.models import ApiKey
from dify_async.models import App as DifyApp

from .connection import Client, Connection
from .console import OK, SOME_FAILED, AsJson, UsageError, Yes, confirm, note, progress, short
from .key_tables import COLUMNS_WITH_KEYS, Row, print_without_keys, row_of

_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

All = Annotated[bool, Parameter(name="--all", show_default=False)]
Output = Annotated[Path | None, Parameter(name=("--output", "-o"))]
Stdout = Annotated[bool, Parameter(show_default=False)]

keys: Final[App] = App(name="keys", help="List, create and rotate the API keys of apps.")


@keys.command(name="list")
def list_keys(
    *apps: str,
    output: Output = None,
    stdout: Stdout = False,
    as_json: AsJson = False,
    connection: Connection = Connection(),
) -> int:
    """List the API keys of apps, by default of all apps.

    The keys themselves are secret, and not shown unless you pass --output or --stdout.

    Args:
        apps: Names or ids of apps.
        output: Write CSV with the keys to this new file, which only you can read (mode 0600).
        stdout: Print CSV with the keys.
        as_json: Print JSON, with one object per key, and without the keys.
        connection: The server.
    """
    if as_json and (output is not None or stdout):
        raise UsageError("--json cannot be combined with --output or --stdout, which write CSV")
    if output is None and not stdout:
        with connection.client() as client:
            rows: list[Row] = []
            code = _for_each(client, _chosen(client, apps, all_apps=not apps), _keys_of, rows.append)
        print_without_keys(rows, as_json=as_json)
        return code
    return _written(connection, apps, _keys_of, output, stdout=stdout, all_apps=not apps)


@keys.command
def create(
    *apps: str,
    all_apps: All = False,
    output: Output = None,
    stdout: Stdout = False,
    connection: Connection = Connection(),
) -> int:
    """Create an API key for each of these apps.

    Args:
        apps: Names or ids of apps.
        all_apps: All apps of the workspace.
        output: Write CSV with the new keys to this new file, which only you can read (mode 0600).
        stdout: Print CSV with the new keys.
        connection: The server.
    """
    return _written(connection, apps, _created, output, stdout=stdout, all_apps=all_apps)


@keys.command
def rotate(
    *apps: str,
    all_apps: All = False,
    yes: Yes = False,
    output: Output = None,
    stdout: Stdout = False,
    connection: Connection = Connection(),
) -> int:
    """Replace all API keys of each of these apps by one new key.

    The new key is created before the old ones are deleted, unless the app has ten, the maximum. Each new key
    is written at once, so an interruption loses none. Programs that use an old key fail from then on, so
    --all asks first.

    Args:
        apps: Names or ids of apps.
        all_apps: All apps of the workspace.
        yes: Do not ask.
        output: Write CSV with the new keys to this new file, which only you can read (mode 0600).
        stdout: Print CSV with the new keys.
        connection: The server.
    """
    asks = all_apps and not yes
    return _written(connection, apps, _rotated, output, stdout=stdout, all_apps=all_apps, asks=asks)


Call = Callable[[AsyncDifyServer, DifyApp], Awaitable[tuple[Sequence[ApiKey], DifyError | None]]]


async def _keys_of(dify: AsyncDifyServer, app: DifyApp) -> tuple[Sequence[ApiKey], DifyError | None]:
    return sorted(await dify.app_api_keys(app), key=lambda key: key.created_at or 0), None


async def _created(dify: AsyncDifyServer, app: DifyApp) -> tuple[Sequence[ApiKey], DifyError | None]:
    return [await dify.create_app_api_key(app)], None


async def _rotated(dify: AsyncDifyServer, app: DifyApp) -> tuple[Sequence[ApiKey], DifyError | None]:
    (result,) = await dify.rotate_app_api_keys([app])
    # If an old key could not be deleted, the error has the new one.
    key = result.value or (result.error and result.error.created_key)
    return [key] if key else [], result.error


def _written(
    connection: Connection,
    names: Sequence[str],
    call: Call,
    output: Path | None,
    *,
    stdout: bool,
    all_apps: bool,
    asks: bool = False,
) -> int:
    """Write the keys that a call returns, app by app. If `asks`, confirm before anything is changed."""
    if (output is None) != stdout:
        raise UsageError("keys are secret: pass either --output FILE or --stdout")
    if bool(names) == all_apps:
        raise UsageError("give either names or ids of apps, or --all")
    console = Console()
    with connection.client() as client:
        chosen = _chosen(client, names, all_apps=all_apps)
        if asks and chosen:
            question = f"Replace all API keys of every app ({len(chosen)} in total)?"
            confirm(question, otherwise="rotate --all replaces the keys of every app")
        with _opened(output) as file:
            writer = csv.writer(file, lineterminator="\n")
            write_table(writer, COLUMNS_WITH_KEYS, ())
            written = masked = 0

            def write(row: Row) -> None:
                nonlocal written, masked
                writer.writerow(row)
                file.flush()
                if row[-1]:
                    written += 1
                else:
                    masked += 1

            code = _for_each(client, chosen, call, write, hides_progress=stdout and console.is_terminal)
    if output is not None and console.is_terminal:
        console.print(
            f"wrote {written} API key{'s' * (written != 1)} to {output}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if masked:
        note(f"the server masks API keys: {masked} are missing; use the ones that were saved")
        return SOME_FAILED
    return code


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        # An existing file could have other permissions, or keys that are still needed.
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{output} exists already; give the name of a new file") from None
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        yield file


def _for_each(
    client: Client,
    apps: Sequence[DifyApp],
    call: Call,
    write: Callable[[Row], object],
    *,
    hides_progress: bool = False,
) -> int:
    """Write the keys of each app as soon as they are there. Ctrl-C lets the current app finish."""
    code = OK

    async def one(dify: AsyncDifyServer, app: DifyApp) -> None:
        nonlocal code
        try:
            found, error = await call(dify, app)
        except DifyError as failure:
            if affects_all_apps(failure):
                raise
            found, error = (), failure
        for key in found:
            await anyio.to_thread.run_sync(write, row_of(app, key))
        if error is not None:
            code = SOME_FAILED
            text = str(error).replace(CREATED, "The new key was written; delete the old ones in Dify")
            note(f"{short(app.name) or app.id}: {text}")

    async def task(dify: AsyncDifyServer) -> None:
        with progress("apps", is_hidden=hides_progress) as count:
            for done, app in enumerate(apps, 1):
                await complete(one(dify, app))
                count(done, len(apps))

    client.run(task)
    return code


def _chosen(client: Client, names: Sequence[str], *, all_apps: bool) -> list[DifyApp]:
    """The apps with these names or ids, in the order given."""

    async def task(dify: AsyncDifyServer) -> list[DifyApp]:
        if all_apps:
            return await dify.apps()
        return list({app.id: app for name in names for app in [await _app(dify, name)]}.values())

    return client.run(task)


async def _app(dify: AsyncDifyServer, text: str) -> DifyApp:
    if is_api_key(text):
        raise UsageError("give the name or id of an app, not an API key")
    try:
        return await (dify.app(text) if _ID.fullmatch(text) else dify.find_app(text))
    except DifyNotFoundError as error:
        raise UsageError(f"{str(error).rstrip('.')} (see `dify-async report`)") from None
