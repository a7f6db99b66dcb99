"""Reads the usage of one app."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dify_async._api import endpoints
from dify_async._concurrency import for_each_async
from dify_async.errors import DifyError, affects_all_apps

from . import routes
from .lists import AppLists
from .reconcile import metrics_of, unexplained
from .rows import is_pending, is_pending_run, model_of, models_in, person_of, person_of_run, tokens_of
from .tally import AppTally, ModelTokens, Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from dify_async._api.caller import Caller
    from dify_async._choices import AppMode
    from dify_async._times import Span
    from dify_async.models import App, Page
    from dify_async.models.usage import UsageConversation, UsageLog
    from dify_async.statistics.fan_out import GetApp, GetRows
    from dify_async.statistics.metrics import Metric, Row

    from .mark import Reading
    from .models import UsageRow
    from .progress import AppProgress
    from .query import UsageQuery

T = TypeVar("T")


class UsageSource(NamedTuple):
    """The requests that a usage report needs."""

    caller: Caller
    now: Callable[[], datetime]
    get_zone: Callable[[], Awaitable[ZoneInfo]]
    list_apps: Callable[[AppMode | None, str | None], Awaitable[list[App]]]
    get_app: GetApp
    get_rows: Callable[[Span, Metric, str], Awaitable[list[Row]]]
    filters_logs: Callable[[], Awaitable[bool]]
    max_concurrency: int


class AppUsage(NamedTuple):
    """The usage of one app, what its statistics have more or less, and why they could not be read."""

    tally: AppTally
    unexplained: list[UsageRow]
    error: DifyError | None


class AppReader:
    """Reads the usage of one app, with as many requests at once as the client allows."""

    def __init__(
        self,
        source: UsageSource,
        query: UsageQuery,
        app: App,
        zone: ZoneInfo,
        *,
        reading: Reading,
        progress: AppProgress,
    ) -> None:
        self._source = source
        self._lists = AppLists(source.caller, app.id, zone)
        self._needs_models = query.needs_models
        self._app = app
        self._zone = zone
        self._reading = reading
        self._progress = progress
        self._tally = AppTally(app, query.by)

    async def read(self, get_rows: GetRows | None) -> AppUsage:
        """The usage, compared with the app's statistics unless `get_rows` is None."""
        statistics: list[Row] | None = None
        error: DifyError | None = None
        if get_rows is not None:  # first, since messages that arrive later are read by the next report too
            try:
                statistics = await self._statistics(get_rows)
            except DifyError as failure:
                if affects_all_apps(failure):
                    raise
                error = failure
        try:
            await self._read_rows()
        finally:
            self._progress.finish()
        rest = [] if statistics is None else unexplained(self._app, self._tally.days, statistics)
        return AppUsage(self._tally, rest, error)

    async def _statistics(self, get_rows: GetRows) -> list[Row]:
        rows: list[Row] = []
        for metric in metrics_of(self._app.mode):
            rows += await get_rows(metric, self._app.id)
        return rows

    async def _read_rows(self) -> None:
        start, end = self._reading.start, self._reading.end
        if self._app.mode == "workflow":
            bounds = (start, end) if await self._source.filters_logs() else None
            await self._each(self._lists.logs(routes.LOGS, bounds, start, self._on_logs), self._read_run)
        elif self._app.mode == "completion":
            rows = self._lists.completions(routes.COMPLETIONS, start, end, self._on_conversations)
            await self._each(rows, self._read_completion)
        else:
            rows = self._lists.conversations(routes.CONVERSATIONS, start, self._on_conversations)
            await self._each(rows, self._read_conversation)

    async def _each(self, rows: AsyncGenerator[T], read: Callable[[T], Awaitable[None]]) -> None:
        async def one(row: T) -> None:
            await read(row)
            self._progress.advance()

        await for_each_async(rows, one, self._source.max_concurrency)

    def _on_conversations(self, page: Page[UsageConversation]) -> None:
        self._begin(page.total, [row.updated_at for row in page.data[:1]])

    def _on_logs(self, page: Page[UsageLog]) -> None:
        self._begin(page.total, [log.created_at for log in page.data[:1]])

    def _begin(self, total: int, times: list[int | None]) -> None:
        self._progress.announce(total)
        for newest in filter(None, times):
            self._reading.begin(newest)

    async def _read_conversation(self, conversation: UsageConversation) -> None:
        if conversation.created_at is not None and conversation.created_at >= self._reading.end:
            return
        tally = self._tally.conversation(person_of(conversation), model_of(conversation, self._app))
        batches = self._lists.messages(routes.MESSAGES, conversation.id, self._reading.start)
        async for batch in batches:
            for message in batch:
                at = message.created_at
                if at is None or not self._reading.is_new(message.id, at, is_pending=is_pending(message)):
                    continue
                run_id = message.workflow_run_id
                models = await self._models_of(run_id) if run_id and self._needs_models else ()
                tally.add(self._day_of(at), tokens_of(message), models, messages=1, runs=run_id is not None)

    async def _read_completion(self, conversation: UsageConversation) -> None:
        at = conversation.created_at
        if at is not None and self._reading.is_new(conversation.id, at):
            tally = self._tally.conversation(person_of(conversation), model_of(conversation, self._app))
            # Only a call that marks the conversation as read has the tokens.
            tally.add(self._day_of(at), Tokens(), messages=1)

    async def _read_run(self, log: UsageLog) -> None:
        run = log.workflow_run
        if run is None or run.created_at is None:
            return
        at, is_running = run.created_at, is_pending_run(run)
        if self._reading.is_new(log.id, at, listed_at=log.created_at, is_pending=is_running):
            models = await self._models_of(run.id) if self._needs_models else ()
            tokens = Tokens(total=run.total_tokens or 0)
            self._tally.conversation(person_of_run(log)).add(self._day_of(at), tokens, models, runs=1)

    async def _models_of(self, run_id: str) -> Sequence[ModelTokens]:
        nodes = await self._source.caller.call(endpoints.NODE_EXECUTIONS, (self._app.id, run_id))
        return models_in(nodes.data)

    def _day_of(self, at: int) -> date:
        return datetime.fromtimestamp(at, self._zone).date()
