"""Reads the usage of all apps: their statistics, conversations, messages and runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dify_async._concurrency import for_each
from dify_async._ids import id_of, unique_apps
from dify_async._times import span_of
from dify_async.dashboard.period import on_clock
from dify_async.errors import DifyError, affects_all_apps
from dify_async.models import App

from .app import AppReader
from .mark import Reading, UsageMark
from .models import UsageError
from .progress import AppProgress, Progress
from .tally import merge, rows_of
from .usage import Usage

if TYPE_CHECKING:
    from dify_async._ids import AppOrId

    from .app import UsageSource
    from .mark import AppMark
    from .models import Group, UsageRow
    from .query import UsageQuery
    from .tally import Sums


async def read(source: UsageSource, query: UsageQuery) -> Usage:
    """The usage of all apps. Those that fail are in `Usage.errors`."""
    now, zone = source.now(), await source.get_zone()
    period = query.period(zone, now)
    start, end = int(period.start.timestamp()), int(period.end.timestamp())
    earliest = start if query.since is None else max(start, query.since.start)
    marks: dict[str, AppMark] = {} if query.since is None else dict(query.since.apps)
    get_rows = None if query.since else partial(source.get_rows, span_of(*on_clock(period), zone))
    apps = unique_apps(await source.list_apps(None, None) if query.apps is None else query.apps)
    progress = Progress(query.progress)
    groups: dict[Group, Sums] = {}
    rest: dict[str, list[UsageRow]] = {}
    errors: dict[str, UsageError] = {}

    async def read_app(given: AppOrId) -> None:
        app_id, app = id_of(given), given if isinstance(given, App) else None
        try:
            app = app or await source.get_app(app_id)
            reading = Reading(earliest, end, marks.get(app.id), int(now.timestamp()))
            reader = AppReader(source, query, app, zone, reading=reading, progress=AppProgress(progress))
            found = await reader.read(get_rows)
        except DifyError as error:
            if affects_all_apps(error):
                raise
            errors[app_id] = UsageError(app_id=app_id, app_name=app.name if app else "", error=error)
            return
        if found.error is not None:
            errors[app_id] = UsageError(app_id=app_id, app_name=app.name, error=found.error, has_rows=True)
        merge(groups, found.tally)
        rest[app_id] = found.unexplained
        if (mark := reading.mark()) is not None:
            marks[app.id] = mark

    await for_each(apps.values(), read_app, source.max_concurrency)
    return Usage(
        period=period,
        by=query.by,
        rows=rows_of(groups, query.by),
        unexplained=[row for app_id in apps for row in rest.get(app_id, ())],
        errors=[errors[app_id] for app_id in apps if app_id in errors],
        mark=UsageMark(
            start=start if query.since is None else query.since.start, apps=dict(sorted(marks.items()))
        ),
    )
