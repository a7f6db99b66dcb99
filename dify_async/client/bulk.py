"""One call for each of many apps, with a result for each app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from dify_async import _checks
from dify_async._concurrency import for_each
from dify_async._ids import AppOrId, checked_apps, id_of, unique_apps
from dify_async.errors import DifyError, affects_all_apps
from dify_async.models import App
from dify_async.models.base import DifyModel

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""A function that is called with what is done and the total: a number of apps, or for `usage()` of
conversations."""


class AppResult(DifyModel, Generic[T], frozen=True, kw_only=True):
    """The result for one app: a value or an error.

    Attributes:
        app_id: The app's id.
        app_name: The app's name; "" if the app was given as an id.
        value: The result; None if the call failed.
        error: The error; None if the call succeeded.
    """

    app_id: str
    app_name: str = ""
    value: T | None = None
    error: DifyError | None = None

    def to_dict(self) -> dict[str, object]:
        """The fields as plain Python values, with the error as text.

        If the error has an API key that was created before it, `created_key` is that key, not masked.
        """
        fields = super().to_dict()
        if self.error is not None and self.error.created_key is not None:
            fields["created_key"] = self.error.created_key.to_dict()
        return fields


async def for_apps(
    apps: Iterable[AppOrId],
    call: Callable[[AppOrId], Awaitable[T]],
    progress: Progress | None,
    max_concurrency: int,
    *,
    is_raised: Callable[[DifyError], bool] = affects_all_apps,
) -> list[AppResult[T]]:
    """One result per app, in the order given; by default, errors that affect all apps are raised."""
    _checks.callback("progress", progress)
    wanted = unique_apps(checked_apps(apps))
    results: dict[str, AppResult[T]] = {}

    async def one(app: AppOrId) -> None:
        app_id, name = id_of(app), app.name if isinstance(app, App) else ""
        try:
            results[app_id] = AppResult(app_id=app_id, app_name=name, value=await call(app))
        except DifyError as error:
            if is_raised(error):
                raise
            results[app_id] = AppResult(app_id=app_id, app_name=name, error=error)
        if progress is not None:
            progress(len(results), len(wanted))

    await for_each(wanted.values(), one, max_concurrency)
    return [results[app_id] for app_id in wanted]
