"""Who used what: the messages of an app, and the usage of all apps."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from dify_async._api.paginator import Paginator
from dify_async._api.versions import WORKFLOW_LOG_RANGE
from dify_async._ids import id_of
from dify_async._ranges import is_empty
from dify_async._times import instant
from dify_async.errors import DifyConfigError
from dify_async.models import App

from .dashboard import DashboardCalls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async._choices import PeriodName
    from dify_async._ids import AppOrId
    from dify_async._times import When
    from dify_async.models import Message
    from dify_async.usage import Usage, UsageDimension, UsageMark
    from dify_async.usage.app import UsageSource
    from dify_async.usage.messages import MessageRange

    from .bulk import Progress


class UsageCalls(DashboardCalls):
    """Calls for who used what."""

    def messages(
        self, app: AppOrId, start: When | None = None, end: When | None = None
    ) -> Paginator[Message, list[Message]]:
        """Every message of an app in a range, over all of its conversations, each once.

        `async for` yields the messages of one conversation after the other.

        The conversation that was updated last comes first; in each, the newest message comes first. Each
        conversation takes one request per 100 messages, and is not marked as read.

        Requires the editor role. Route: GET /apps/{id}/chat-messages, after the list of conversations.

        Args:
            app: An `App`, or its id, which costs one more request. Of any mode except workflow; the messages
                of completion apps have no id, tokens or usage.
            start: Inclusive, in the account's time zone if naive. By default, since the beginning.
            end: Exclusive. By default, until now.

        Raises:
            DifyConfigError: A bound is invalid, or the app's mode is workflow.
            DifyNotFoundError: The app does not exist.
            DifyPermissionError: The account is not an editor.
        """
        from dify_async.usage.messages import AppMessages  # noqa: PLC0415 - see `_LAZY` of the package

        id_of(app)
        is_empty(start, end)
        return Paginator(AppMessages(partial(self._message_range, app, start, end), self._max_concurrency))

    async def _message_range(self, app: AppOrId, start: When | None, end: When | None) -> MessageRange | None:
        from dify_async.usage.messages import MessageRange  # noqa: PLC0415

        if is_empty(start, end):
            return None
        found = app if isinstance(app, App) else await self._get_app(id_of(app))
        if found.mode == "workflow":
            raise DifyConfigError(
                f"app {found.name!r} is a workflow, which has runs but no messages; use workflow_app_logs()"
            )
        zone = await self._account_zone()
        first, last = (None if bound is None else instant(bound, zone).timestamp() for bound in (start, end))
        if first is not None and last is not None and first > last:
            raise DifyConfigError(f"start must not be after end, got {start} and {end}")
        return MessageRange(
            self._caller,
            found,
            zone,
            start=None if first is None else math.floor(first),
            end=None if last is None else math.ceil(last),
        )

    async def usage(
        self,
        start: When | None = None,
        end: When | None = None,
        *,
        apps: Iterable[AppOrId] | None = None,
        days: int | None = None,
        period: PeriodName | None = None,
        by: Iterable[UsageDimension] = ("app",),
        since: UsageMark | None = None,
        progress: Progress | None = None,
    ) -> Usage:
        """Messages, tokens and costs by user, model, source and day.

        Reads every message in the range, at most `max_concurrency` requests at once: one request per
        conversation (and 100 messages), one per 100 workflow runs or completions, and two or three
        statistics per app. With "model" or "provider" in `by`, it also takes one request per workflow run
        and per message of an advanced-chat app: 10,000 of them take about a minute at 50 ms each. No
        conversation is marked as read. Memory grows with the groups, not with the messages.

        Requires the editor role. Days are calendar days in the account's time zone.

        Args:
            start: Inclusive: a datetime, a date or an ISO 8601 string. By default, `days` before the end.
            end: Exclusive. By default, `days` after the start, or the next midnight, so that today is
                included.
            apps: Only these apps, each an `App` or its id. By default all, including those of mode "agent".
            days: The number of days from the start or up to the end; 30 by default if no start is given.
            period: A named period instead: "today", "yesterday", "last_7_days" and "last_30_days" (both
                include today), "this_month" (until the end of today) or "last_month".
            by: What to group by: any of "app", "mode", "day", "user", "account", "source", "model" and
                "provider". Up to Dify 1.14, the model of chat, agent-chat and completion apps is the app's
                present one.
            since: The `Usage.mark` of an earlier report, to read only what is new since then, each message
                once. Without a range, everything since then; what is new but before a later `start` is in
                no report. `Usage.unexplained` is empty.
            progress: A function that is called with the number of conversations done and the total known so
                far; a run counts as a conversation.

        Raises:
            DifyConfigError: An argument is wrong, or the account has no time zone.
            DifyError: The apps could not be listed, or the session was rejected. Errors of single apps are
                in `Usage.errors`.
        """
        from dify_async.usage.query import checked_query  # noqa: PLC0415
        from dify_async.usage.reader import read  # noqa: PLC0415

        query = checked_query(
            start=start,
            end=end,
            days=days,
            period=period,
            apps=apps,
            by=by,
            since=since,
            progress=progress,
        )
        return await read(self._usage_source(), query)

    def _usage_source(self) -> UsageSource:
        from dify_async.usage.app import UsageSource  # noqa: PLC0415

        return UsageSource(
            caller=self._caller,
            now=self._now,
            get_zone=self._account_zone,
            list_apps=self._list_apps,
            get_app=self._get_app,
            get_rows=self._statistic_rows,
            filters_logs=self._filters_logs,
            max_concurrency=self._max_concurrency,
        )

    async def _filters_logs(self) -> bool:
        return await self._probe.supports(WORKFLOW_LOG_RANGE)
