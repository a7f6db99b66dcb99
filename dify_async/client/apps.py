"""Apps: list and get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from dify_async import _checks
from dify_async._api.endpoints import APP, APPS
from dify_async._api.paginator import Paginator
from dify_async._api.paging import Pages, Selection, numbered
from dify_async._api.versions import AGENT_APPS, SEPARATE_TAG_IDS, SORTED_APPS, parse_version
from dify_async._choices import AppMode, AppSort
from dify_async._ids import checked_ids, id_of
from dify_async.errors import DifyConfigError, DifyNotFoundError, DifyValidationError

from ._calls import Calls, checked_limit, checked_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dify_async._api.probe import ServerProbe
    from dify_async._http.urls import Query
    from dify_async._ids import AppOrId, Id
    from dify_async.models import App, Page

    AppPages = Pages[App, Page[App]]

_PAGE_SIZE: Final = 100
_MAX_CLOSE_NAMES: Final = 3


class AppCalls(Calls):
    """Apps."""

    def apps(
        self,
        *,
        mode: AppMode | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[Id] | None = None,
        sort_by: AppSort | None = None,
        creator_ids: Iterable[Id] | None = None,
    ) -> Paginator[App, list[App]]:
        """All apps of the workspace that match the filters, without duplicates.

        Sorted by creation, newest first; from Dify 1.15 by last change. Apps of mode "agent" come last.
        The pages are requested concurrently, or one at a time by `async for`. Route: GET /apps.

        Args:
            mode: "chat", "agent-chat", "advanced-chat", "workflow", "completion", or from Dify 1.15 "agent".
                By default, apps of all modes. Dify up to 1.1.2 does not support "advanced-chat" and
                "completion".
            name: Part of the name, case-insensitive; the server uses its first 30 characters. Up to Dify
                1.11.3, "%" and "_" are wildcards.
            is_created_by_me: True for the account's own apps only; False does not filter.
            tag_ids: Up to Dify 1.14 apps with any of these tags, from 1.15 apps with all of them.
            sort_by: "last_modified", "recently_created" or "earliest_created". From Dify 1.15.
            creator_ids: Apps created by any of these accounts. From Dify 1.15.

        Raises:
            DifyValidationError: The server does not support the mode or the order.
            DifyConfigError: An argument is invalid, or the server is too old for it and would ignore it.
        """
        filters = _checked_filters(
            mode=mode,
            name=name,
            is_created_by_me=is_created_by_me,
            tag_ids=tag_ids,
            sort_by=sort_by,
            creator_ids=creator_ids,
        )
        return Paginator(self._all_apps(filters))

    def iter_apps(
        self,
        *,
        mode: AppMode | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[Id] | None = None,
        sort_by: AppSort | None = None,
        creator_ids: Iterable[Id] | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[App]:
        """Iterate over the apps that match the filters, fetching each page when it is needed.

        Sorted by creation, newest first; from Dify 1.15 by last change. Apps of mode "agent" come last. You
        can leave the loop at any time: no connection is held between pages. Route: GET /apps.

        Args:
            mode: "chat", "agent-chat", "advanced-chat", "workflow", "completion", or from Dify 1.15 "agent".
                By default, apps of all modes. Dify up to 1.1.2 does not support "advanced-chat" and
                "completion".
            name: Part of the name, case-insensitive; the server uses its first 30 characters. Up to Dify
                1.11.3, "%" and "_" are wildcards.
            is_created_by_me: True for the account's own apps only; False does not filter.
            tag_ids: Up to Dify 1.14 apps with any of these tags, from 1.15 apps with all of them.
            sort_by: "last_modified", "recently_created" or "earliest_created". From Dify 1.15.
            creator_ids: Apps created by any of these accounts. From Dify 1.15.
            page_size: Rows per request, from 1 to 100.

        Raises:
            DifyValidationError: The server does not support the mode or the order.
            DifyConfigError: An argument is invalid, or the server is too old for it and would ignore it.
        """
        filters = _checked_filters(
            mode=mode,
            name=name,
            is_created_by_me=is_created_by_me,
            tag_ids=tag_ids,
            sort_by=sort_by,
            creator_ids=creator_ids,
        )
        return self._all_apps(filters, checked_limit(page_size, name="page_size")).rows()

    def apps_page(
        self,
        *,
        page: int = 1,
        limit: int = 20,
        mode: AppMode | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[Id] | None = None,
        sort_by: AppSort | None = None,
        creator_ids: Iterable[Id] | None = None,
    ) -> Paginator[App, Page[App]]:
        """One page of the apps that match; a page after the last one is empty.

        `async for` yields the rows of this page and of all later ones, each once.

        Apps created in the same second may appear on two pages. Route: GET /apps.

        Args:
            page: From 1 to 99,999.
            limit: From 1 to 100.
            mode: "chat", "agent-chat", "advanced-chat", "workflow", "completion", or from Dify 1.15 "agent":
                apps of this mode are listed only with this filter. Dify up to 1.1.2 does not support
                "advanced-chat" and "completion".
            name: Part of the name, case-insensitive; the server uses its first 30 characters. Up to Dify
                1.11.3, "%" and "_" are wildcards.
            is_created_by_me: True for the account's own apps only; False does not filter.
            tag_ids: Up to Dify 1.14 apps with any of these tags, from 1.15 apps with all of them.
            sort_by: "last_modified", "recently_created" or "earliest_created". From Dify 1.15.
            creator_ids: Apps created by any of these accounts. From Dify 1.15.

        Raises:
            DifyValidationError: The server does not support the mode or the order.
            DifyConfigError: An argument is invalid, or the server is too old for it and would ignore it.
        """
        filters = _checked_filters(
            mode=mode,
            name=name,
            is_created_by_me=is_created_by_me,
            tag_ids=tag_ids,
            sort_by=sort_by,
            creator_ids=creator_ids,
        )
        pages = self._pages_of_apps(filters, checked_limit(limit), page=checked_page(page))
        return Paginator(pages)

    async def app(self, app_id: AppOrId) -> App:
        """The app with all its fields; lists omit some of them. Route: GET /apps/{id}.

        Raises:
            DifyNotFoundError: The workspace has no such app.
        """
        app_id = id_of(app_id)
        return await self._caller.call(APP, (app_id,))

    async def find_app(self, name: str) -> App:
        """The app of exactly this name, in any mode. Route: GET /apps.

        Raises:
            DifyNotFoundError: No app has this name; the error lists similar names.
            DifyConfigError: Several apps have this name; the error lists their ids.
        """
        _checks.text("name", name)
        apps = await self.apps(name=name)
        if all(app.name != name for app in apps):
            apps = await self.apps()
        found = [app for app in apps if app.name == name]
        if not found:
            raise _no_app(name, apps)
        if len(found) > 1:
            ids = ", ".join(f"{app.id} ({app.mode})" for app in found)
            raise DifyConfigError(
                f"{len(found)} apps are named {_checks.shown(name)}: {ids}; pass one of these ids"
            )
        return found[0]

    def _all_apps(self, filters: _AppFilters, limit: int = _PAGE_SIZE) -> _AllApps:
        listed = self._pages_of_apps(filters, limit)
        agents = None
        if filters.mode is None:
            agents = self._pages_of_apps(structs.replace(filters, mode="agent"), limit)
        return _AllApps(listed, agents, self._probe, self._max_concurrency)

    def _pages_of_apps(self, filters: _AppFilters, limit: int, *, page: int = 1) -> AppPages:
        async def select() -> Selection[App]:
            return Selection(await self._app_query(filters))

        return numbered(self._caller, APPS, (), select, page=page, limit=limit)

    async def _app_query(self, filters: _AppFilters) -> Query:
        tags, creators = filters.tag_ids, filters.creator_ids
        await self._check_version(SORTED_APPS, sort_by=filters.sort_by, creator_ids=creators or None)
        tagged: Query = ()
        if tags:
            are_apart = SEPARATE_TAG_IDS(await self._probe.version())
            tagged = _several("tag_ids", tags) if are_apart else (("tag_ids", ",".join(tags)),)
        return (
            ("mode", filters.mode),
            ("name", filters.name),
            ("is_created_by_me", filters.is_created_by_me),
            ("sort_by", filters.sort_by),
            *tagged,
            *_several("creator_ids", creators),
        )


class _AppFilters(Struct, frozen=True):
    mode: str | None
    name: str | None
    is_created_by_me: bool | None
    tag_ids: list[str]
    sort_by: str | None
    creator_ids: list[str]


def _checked_filters(
    *,
    mode: str | None,
    name: str | None,
    is_created_by_me: bool | None,
    tag_ids: Iterable[Id] | None,
    sort_by: str | None,
    creator_ids: Iterable[Id] | None,
) -> _AppFilters:
    _checks.optional_choice("mode", mode, AppMode)
    _checks.optional_choice("sort_by", sort_by, AppSort)
    return _AppFilters(
        mode=mode,
        name=name,
        is_created_by_me=_checks.optional_boolean("is_created_by_me", is_created_by_me),
        tag_ids=checked_ids("tag_ids", tag_ids),
        sort_by=sort_by,
        creator_ids=checked_ids("creator_ids", creator_ids),
    )


class _AllApps:
    """The apps of the list, and from Dify 1.15 those of mode "agent", which the server lists apart."""

    def __init__(self, listed: AppPages, agents: AppPages | None, probe: ServerProbe, workers: int) -> None:
        self._listed = listed
        self._agents = agents
        self._probe = probe
        self._workers = workers
        self.route = listed.route

    async def result(self) -> list[App]:
        """The apps of all pages."""
        return [app async for app in self.rows(self._workers)]

    async def rows(self, workers: int = 1) -> AsyncIterator[App]:
        """The apps of all pages, each once."""
        seen: set[str] = set()
        async for app in self._listed.rows(workers):
            seen.add(app.id)
            yield app
        version = self._probe.known_version  # from the responses with the first list
        if self._agents is None or not AGENT_APPS(version):
            return
        try:
            async for app in self._agents.rows(workers):
                if app.id not in seen:
                    yield app
        except DifyValidationError:
            if parse_version(version) is not None:
                raise  # otherwise a proxy hides the version, and the server may be older


def _no_app(name: str, apps: list[App]) -> DifyNotFoundError:
    from difflib import get_close_matches  # noqa: PLC0415 - only for errors

    by_name = {app.name.casefold(): app.name for app in apps}
    close = get_close_matches(name.casefold(), by_name, n=_MAX_CLOSE_NAMES)
    hint = f"Did you mean {' or '.join(repr(by_name[one]) for one in close)}?" if close else ""
    if not close:
        hint = "List the names of all apps." if apps else "The account has access to no apps."
    return DifyNotFoundError(
        f"GET /apps: no app is named {_checks.shown(name)}. {hint}",
        status=404,
        code="app_not_found",
        method="GET",
        path="/apps",
    )


def _several(name: str, values: list[str]) -> Query:
    """A filter with several ids, in the form that each version from 1.14.1 reads.

    Up to 1.15 the server reads brackets, and ignores repeated names if there are brackets
    [1.15.0/04_apps_list_tag_ids_bracket_and_plain]; from 1.16 it reads repeated names only
    [1.16.1/04_apps_list_tag_ids_repeated_two_and_bracket_two].
    """
    repeated = ((name, value) for value in values)
    return *repeated, *((f"{name}[{index}]", value) for index, value in enumerate(values))
