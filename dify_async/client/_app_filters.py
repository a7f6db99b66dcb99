"""The filters of the list of apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dify_async import _checks
from dify_async._choices import AppMode, AppSort
from dify_async._ids import checked_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async._http.urls import Query
    from dify_async._ids import Id


class AppFilters(Struct, frozen=True):
    """Filters, with ids as strings."""

    mode: str | None
    name: str | None
    is_created_by_me: bool | None
    tag_ids: list[str]
    sort_by: str | None
    creator_ids: list[str]

    def query(self, *, separate_tag_ids: bool) -> Query:
        """The filters in the form that the server reads."""
        tags: Query = (("tag_ids", ",".join(self.tag_ids) or None),)
        return (
            ("mode", self.mode),
            ("name", self.name),
            ("is_created_by_me", self.is_created_by_me),
            ("sort_by", self.sort_by),
            *(_several("tag_ids", self.tag_ids) if separate_tag_ids else tags),
            *_several("creator_ids", self.creator_ids),
        )


def checked_filters(
    *,
    mode: str | None,
    name: str | None,
    is_created_by_me: bool | None,
    tag_ids: Iterable[Id] | None,
    sort_by: str | None,
    creator_ids: Iterable[Id] | None,
) -> AppFilters:
    """Check the filters that a caller passed.

    Raises:
        DifyConfigError: One of them is invalid.
    """
    _checks.optional_choice("mode", mode, AppMode)
    _checks.optional_choice("sort_by", sort_by, AppSort)
    return AppFilters(
        mode=mode,
        name=name,
        is_created_by_me=_checks.optional_boolean("is_created_by_me", is_created_by_me),
        tag_ids=checked_ids("tag_ids", tag_ids),
        sort_by=sort_by,
        creator_ids=checked_ids("creator_ids", creator_ids),
    )


def _several(name: str, values: list[str]) -> Query:
    """A filter with several ids, in the form that each version from 1.14.1 reads.

    Up to 1.15 the server reads brackets, and ignores repeated names if there are brackets
    [1.15.0/04_apps_list_tag_ids_bracket_and_plain]; from 1.16 it reads repeated names only
    [1.16.1/04_apps_list_tag_ids_repeated_two_and_bracket_two].
    """
    repeated = ((name, value) for value in values)
    return *repeated, *((f"{name}[{index}]", value) for index, value in enumerate(values))
