"""The statistics of many apps at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dify_async._tasks import for_each
from dify_async.errors import DifyAuthenticationError, DifyConfigError, DifyError
from dify_async.models import App

from .results import AppStatistics, Metric, applicable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from .results import Row

    GetRows = Callable[[Metric, str], Awaitable[Sequence[Row]]]
    Done = Callable[[int, AppStatistics], None]
    Run = Callable[[Done], Awaitable[None]]

OnError = Literal["raise", "collect"]


def affects_all_apps(error: DifyError) -> bool:
    """Whether it is no app's own failure: who asked wrong, or has no session, gets it raised."""
    return isinstance(error, DifyConfigError | DifyAuthenticationError) or type(error) is DifyError


def unique_apps(apps: Iterable[App | str]) -> dict[str, App | str]:
    """Each app once, by its id, of which the server takes any case."""
    found: dict[str, App | str] = {}
    for app in apps:
        found.setdefault(id_of(app).lower(), app)
    return {id_of(app): app for app in found.values()}


def id_of(app: App | str) -> str:
    """The id of an app that is given either way."""
    return app.id if isinstance(app, App) else str(app)


class _Gathering:
    """The statistics of one app, as they come in."""

    __slots__ = ("app", "app_id", "errors", "index", "left", "rows")

    def __init__(self, index: int, app: App | str) -> None:
        self.index = index
        self.app = app if isinstance(app, App) else None
        self.app_id = app.id if isinstance(app, App) else app
        self.rows: dict[Metric, Sequence[Row]] = {}
        self.errors: dict[Metric, DifyError] = {}
        self.left = 0

    def result(self) -> AppStatistics:
        app = self.app
        name, mode = (app.name, app.mode) if app is not None else ("", "")
        statistics = AppStatistics(app_id=self.app_id, app_name=name, mode=mode, errors=self.errors)
        for metric, rows in self.rows.items():
            setattr(statistics, metric, rows)
        # Handed over: a dashboard makes them into series, and a thousand apps have many rows.
        self.rows = {}
        return statistics


class FanOut:
    """Gets the metrics that apply to each app, and hands on each app as it is complete."""

    def __init__(
        self,
        *,
        metrics: frozenset[Metric],
        on_error: OnError,
        workers: int,
        get_app: Callable[[str], Awaitable[App]],
        get_rows: GetRows,
    ) -> None:
        if on_error not in {"raise", "collect"}:
            raise DifyConfigError(f'on_error is {on_error!r}; it is "raise" or "collect"')
        self._metrics = metrics
        self._on_error = on_error
        self._workers = workers
        self._get_app = get_app
        self._get_rows = get_rows

    async def run(self, apps: Iterable[App | str], done: Done) -> None:
        """Call `done` with the place of each app and its statistics, in the order of arrival."""
        gatherings = [_Gathering(index, app) for index, app in enumerate(apps)]
        await for_each((one for one in gatherings if one.app is None), self._look_up, self._workers)
        jobs = []
        for one in gatherings:
            wanted = [] if one.app is None else [m for m in applicable(one.app.mode) if m in self._metrics]
            one.left = len(wanted)
            jobs += [(one, metric) for metric in wanted]
            if not wanted:
                done(one.index, one.result())

        async def get(job: tuple[_Gathering, Metric]) -> None:
            one, metric = job
            try:
                one.rows[metric] = await self._get_rows(metric, one.app_id)
            except DifyError as error:
                one.errors[metric] = self._collected(error)
            one.left -= 1
            if not one.left:
                done(one.index, one.result())

        await for_each(jobs, get, self._workers)

    async def _look_up(self, one: _Gathering) -> None:
        try:
            one.app = await self._get_app(one.app_id)
        except DifyError as error:
            one.errors = dict.fromkeys(sorted(self._metrics), self._collected(error))

    def _collected(self, error: DifyError) -> DifyError:
        """The error, where it is this app's own."""
        if affects_all_apps(error) or self._on_error == "raise":
            raise error
        return error
