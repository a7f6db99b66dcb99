"""Apps: list and get."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from dify_async import _checks
from dify_async._api.endpoints import APP, APPS
from dify_async._api.paging import iterate_pages
from dify_async._api.versions import SEPARATE_TAG_IDS, SORTED_APPS
from dify_async._choices import AppMode, AppSort
from dify_async._ids import checked_ids, id_of
from dify_async.errors import DifyConfigError, DifyNotFoundError

from ._calls import Calls, page_query, row_limit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dify_async._http.urls import Query
    from dify_async._ids import AppOrId, Id
    from dify_async.models import App, Page

_MAX_CLOSE_NAMES: Final = 3


class AppCalls(Calls):
    """Apps."""

    async def apps(
        self,
        *,
        mode: AppMode | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[Id] | None = None,
        sort_by: AppSort | None = None,
        creator_ids: Iterable[Id] | None = None,
    ) -> list[App]:
        """All apps of the workspace that match the filters, from all pages, without duplicates.

        Sorted by creation, newest first; from Dify 1.15 by last change. Route: GET /apps.

        Args:
            mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion", or from Dify 1.15
                "agent"; agents are listed only with this filter. Dify up to 1.1.2 does not support
                "advanced-chat" and "completion".
            name: Part of the name, case-insensitive; the server uses its first 30 characters. Up to Dify
                1.11.3, "%" and "_" are wildcards.
            is_created_by_me: True for the account's own apps only; False does not filter.
            tag_ids: Up to Dify 1.14 apps with any of these tags, from 1.15 apps with all of them.
            sort_by: "last_modified", "recently_created" or "earliest_created". From Dify 1.15.
            creator_ids: Apps created by any of these accounts. From Dify 1.15.

        Raises:
            DifyValidationError: The server does not support the mode or the order.
            DifyConfigError: The server is too old for an argument and would ignore it.
        """
        _checks.optional_choice("mode", mode, AppMode)
        _checks.optional_choice("sort_by", sort_by, AppSort)
        found = self.iter_apps(
            mode=mode,
            name=name,
            is_created_by_me=is_created_by_me,
            tag_ids=tag_ids,
            sort_by=sort_by,
            creator_ids=creator_ids,
        )
        return [app async for app in found]

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
        """Iterate over the apps that match, without duplicates, fetching each page when it is needed.

        The filters and errors are documented at `apps`. You can leave the loop at any time: no
        connection is held between pages. `page_size` is from 1 to 100. Route: GET /apps.
        """
        _checks.optional_choice("mode", mode, AppMode)
        _checks.optional_choice("sort_by", sort_by, AppSort)
        query = _filters(mode=mode, name=name, is_created_by_me=is_created_by_me)
        tags = checked_ids("tag_ids", tag_ids)
        creators = checked_ids("creator_ids", creator_ids)
        return self._matching_apps(query, tags, sort_by, creators, row_limit("page_size", page_size))

    async def apps_page(
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
    ) -> Page[App]:
        """One page of the apps that match; a page after the last one is empty.

        `page` is from 1 to 99,999 and `limit` from 1 to 100. The filters and errors are documented at
        `apps`. Apps created in the same second may appear on two pages. Route: GET /apps.
        """
        _checks.optional_choice("mode", mode, AppMode)
        _checks.optional_choice("sort_by", sort_by, AppSort)
        query = _filters(mode=mode, name=name, is_created_by_me=is_created_by_me)
        tags = checked_ids("tag_ids", tag_ids)
        creators = checked_ids("creator_ids", creator_ids)
        pages = page_query(page, limit)
        more = await self._filters_by_version(tags, sort_by, creators)
        return await self._caller.call(APPS, query=(*query, *more, *pages))

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

    async def _matching_apps(
        self, query: Query, tags: list[str], sort_by: str | None, creators: list[str], page_size: int
    ) -> AsyncIterator[App]:
        more = await self._filters_by_version(tags, sort_by, creators)
        async for app in iterate_pages(self._caller, APPS, (), (*query, *more), page_size=page_size):
            yield app

    async def _filters_by_version(self, tags: list[str], sort_by: str | None, creators: list[str]) -> Query:
        await self._check_version(SORTED_APPS, sort_by=sort_by, creator_ids=creators or None)
        tagged: Query = ()
        if tags:
            are_apart = SEPARATE_TAG_IDS(await self._probe.version())
            tagged = _several("tag_ids", tags) if are_apart else (("tag_ids", ",".join(tags)),)
        return ("sort_by", sort_by), *tagged, *_several("creator_ids", creators)


def _no_app(name: str, apps: list[App]) -> DifyNotFoundError:
    by_name = {app.name.casefold(): app.name for app in apps}
    close = get_close_matches(name.casefold(), by_name, n=_MAX_CLOSE_NAMES)
    hint = f"Did you mean {' or '.join(repr(by_name[one]) for one in close)}?" if close else ""
    if not close:
        hint = "List the names with apps()." if apps else "The account has access to no apps."
    return DifyNotFoundError(
        f"GET /apps: no app is named {_checks.shown(name)}. {hint}",
        status=404,
        code="app_not_found",
        method="GET",
        path="/apps",
    )


def _filters(*, mode: str | None, name: str | None, is_created_by_me: bool | None) -> Query:
    _checks.optional_boolean("is_created_by_me", is_created_by_me)
    return ("mode", mode), ("name", name), ("is_created_by_me", is_created_by_me)


def _several(name: str, values: list[str]) -> Query:
    """A filter with several ids, in the form that each version from 1.14.1 reads.

    Up to 1.15 the server reads brackets, and ignores repeated names if there are brackets
    [1.15.0/04_apps_list_tag_ids_bracket_and_plain]; from 1.16 it reads repeated names only
    [1.16.1/04_apps_list_tag_ids_repeated_two_and_bracket_two].
    """
    repeated = ((name, value) for value in values)
    return *repeated, *((f"{name}[{index}]", value) for index, value in enumerate(values))
