"""Apps: list and get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._api.endpoints import APP, APPS
from dify_async._api.paging import iterate_pages
from dify_async._api.versions import SEPARATE_TAG_IDS, SORTED_APPS

from ._calls import Calls, check_switches, checked_limit, checked_page, given_texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dify_async._http.urls import Query
    from dify_async.models import App, Page

# [1.11.2/04_apps_list_sort_by_*]


class AppCalls(Calls):
    """Calls on apps."""

    async def apps(
        self,
        *,
        mode: str | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[str] | None = None,
        sort_by: str | None = None,
        creator_ids: Iterable[str] | None = None,
    ) -> list[App]:
        """All apps of the workspace that match, each once, over all pages.

        Newest first, from Dify 1.15 last changed first. Route: GET /apps.

        Args:
            mode: "chat", "agent-chat", "advanced-chat", "workflow" or "completion"; from 1.15
                "agent", which is in no other list. Dify up to 1.1.2 does not know "advanced-chat"
                and "completion".
            name: A part of the name in any case; "%" and "_" match anything up to 1.11.3. The server
                looks at its first 30 characters.
            is_created_by_me: True for the account's own apps; False is no filter.
            tag_ids: Any of these tags up to Dify 1.14, all of them from 1.15.
            sort_by: "last_modified", "recently_created" or "earliest_created", from Dify 1.15.
            creator_ids: Of any of these accounts, from Dify 1.15.

        Raises:
            DifyValidationError: The server does not know the mode or the order.
            DifyConfigError: The server is older than 1.15, and would ignore an order or creators.
        """
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
        mode: str | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[str] | None = None,
        sort_by: str | None = None,
        creator_ids: Iterable[str] | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[App]:
        """The same as `apps`, page by page as they are used.

        Nothing is open between two pages, so the loop may be left at any time.
        """
        query = _filters(mode=mode, name=name, is_created_by_me=is_created_by_me)
        tags, creators = given_texts("tag_ids", tag_ids), given_texts("creator_ids", creator_ids)
        return self._matching_apps(query, tags, sort_by, creators, checked_limit(page_size))

    async def apps_page(
        self,
        *,
        page: int = 1,
        limit: int = 20,
        mode: str | None = None,
        name: str | None = None,
        is_created_by_me: bool | None = None,
        tag_ids: Iterable[str] | None = None,
        sort_by: str | None = None,
        creator_ids: Iterable[str] | None = None,
    ) -> Page[App]:
        """One page of `apps`: `page` from 1 to 99,999, `limit` from 1 to 100.

        A page past the end is empty. Apps made in one second may stand on two pages.
        Route: GET /apps.
        """
        query = _filters(mode=mode, name=name, is_created_by_me=is_created_by_me)
        tags, creators = given_texts("tag_ids", tag_ids), given_texts("creator_ids", creator_ids)
        pages = checked_page(page, limit)
        more = await self._filters_by_version(tags, sort_by, creators)
        return await self._caller.call(APPS, query=(*query, *more, *pages))

    async def app(self, app_id: str) -> App:
        """The app with all that the server tells of it. Route: GET /apps/{id}.

        Raises:
            DifyNotFoundError: There is none in this workspace.
        """
        return await self._caller.call(APP, (app_id,))

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


def _filters(*, mode: str | None, name: str | None, is_created_by_me: bool | None) -> Query:
    check_switches(is_created_by_me=is_created_by_me)
    return ("mode", mode), ("name", name), ("is_created_by_me", is_created_by_me)


def _several(name: str, values: list[str]) -> Query:
    """A filter of several ids, as each version from 1.14.1 reads it.

    Up to 1.15 brackets are read, and repeated names are ignored if there are brackets
    [1.15.0/04_apps_list_tag_ids_bracket_and_plain]; from 1.16 repeated names alone are read
    [1.16.1/04_apps_list_tag_ids_repeated_two_and_bracket_two].
    """
    repeated = ((name, value) for value in values)
    return *repeated, *((f"{name}[{index}]", value) for index, value in enumerate(values))
