"""Knowledge bases, which the API calls datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_async._api import endpoints
from dify_async._api.paginator import Paginator
from dify_async._api.paging import AllRows, fixed, numbered
from dify_async._ids import checked_id, checked_ids

from ._calls import Calls, body_of, checked_limit, checked_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_async._api.paging import Select
    from dify_async._ids import Id
    from dify_async.models import Dataset, IndexingStatus, Page

_PAGE_SIZE: Final = 100


class KnowledgeCalls(Calls):
    """Knowledge bases."""

    def datasets(
        self, *, keyword: str | None = None, tag_ids: Iterable[Id] | None = None
    ) -> Paginator[Dataset, list[Dataset]]:
        """All matching knowledge bases that the account has access to, newest first, without duplicates.

        The pages are requested concurrently, or one at a time by `async for`. Route: GET /datasets.

        Args:
            keyword: Part of the name, case-insensitive.
            tag_ids: Knowledge bases with any of these tags.
        """
        pages = numbered(self._caller, endpoints.DATASETS, (), _filters(keyword, tag_ids), limit=_PAGE_SIZE)
        return Paginator(AllRows(pages, self._max_concurrency))

    def datasets_page(
        self,
        *,
        page: int = 1,
        limit: int = 20,
        keyword: str | None = None,
        tag_ids: Iterable[Id] | None = None,
    ) -> Paginator[Dataset, Page[Dataset]]:
        """One page of the matching knowledge bases, newest first.

        `async for` yields the rows of this page and of all later ones, each once.

        Route: GET /datasets.

        Args:
            page: From 1 to 99,999; a page after the last one is empty.
            limit: From 1 to 100.
            keyword: Part of the name, case-insensitive.
            tag_ids: Knowledge bases with any of these tags.
        """
        select = _filters(keyword, tag_ids)
        number, size = checked_page(page), checked_limit(limit)
        return Paginator(numbered(self._caller, endpoints.DATASETS, (), select, page=number, limit=size))

    async def dataset_indexing_status(self, dataset_id: Id) -> list[IndexingStatus]:
        """The indexing progress of each document of a knowledge base.

        Slow for large knowledge bases, since the server counts the segments of each document.
        Route: GET /datasets/{id}/indexing-status.

        Raises:
            DifyNotFoundError: The knowledge base does not exist; Dify up to 1.16 returns an empty list.
        """
        dataset_id = checked_id("dataset_id", dataset_id)
        return (await self._caller.call(endpoints.DATASET_INDEXING_STATUS, (dataset_id,))).data

    async def document_indexing_status(self, dataset_id: Id, document_id: Id) -> IndexingStatus:
        """The indexing progress of a document.

        Route: GET /datasets/{id}/documents/{id}/indexing-status.

        Raises:
            DifyNotFoundError: The knowledge base or the document does not exist.
        """
        dataset_id = checked_id("dataset_id", dataset_id)
        document_id = checked_id("document_id", document_id)
        return await self._caller.call(endpoints.DOCUMENT_INDEXING_STATUS, (dataset_id, document_id))

    async def dataset_error_documents(self, dataset_id: Id) -> list[IndexingStatus]:
        """The documents whose indexing failed or is paused. Route: GET /datasets/{id}/error-docs.

        Raises:
            DifyNotFoundError: The knowledge base does not exist.
        """
        dataset_id = checked_id("dataset_id", dataset_id)
        return (await self._caller.call(endpoints.ERROR_DOCUMENTS, (dataset_id,))).data

    async def retry_document_indexing(self, dataset_id: Id, document_ids: Iterable[Id]) -> None:
        """Retry the indexing of failed documents. Route: POST /datasets/{id}/retry.

        The server ignores ids of unknown, archived and completed documents.

        Raises:
            DifyNotFoundError: The knowledge base does not exist.
            DifyValidationError: One of the documents is already being retried.
        """
        dataset_id = checked_id("dataset_id", dataset_id)
        body = body_of(document_ids=checked_ids("document_ids", document_ids))
        await self._caller.call(endpoints.RETRY_DOCUMENTS, (dataset_id,), body=body)


def _filters(keyword: str | None, tag_ids: Iterable[Id] | None) -> Select[Dataset]:
    tags = checked_ids("tag_ids", tag_ids)
    return fixed((("keyword", keyword), *(("tag_ids", tag) for tag in tags)))
