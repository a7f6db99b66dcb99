"""Knowledge bases, which the API calls datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_async._api import endpoints
from dify_async._api.paging import iterate_pages

from ._calls import (
    Calls,
    body_of,
    checked_limit,
    checked_page,
    checked_texts,
    given_texts,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dify_async._http.urls import Query
    from dify_async.models import Dataset, IndexingStatus, Page


class KnowledgeCalls(Calls):
    """Calls on knowledge bases."""

    async def datasets(
        self, *, keyword: str | None = None, tag_ids: Iterable[str] | None = None
    ) -> list[Dataset]:
        """All knowledge bases that the account may see and that match, each once, the newest first.

        Route: GET /datasets.

        Args:
            keyword: A part of the name, in any case.
            tag_ids: Any of these tags.
        """
        return [dataset async for dataset in self.iter_datasets(keyword=keyword, tag_ids=tag_ids)]

    def iter_datasets(
        self, *, keyword: str | None = None, tag_ids: Iterable[str] | None = None, page_size: int = 100
    ) -> AsyncIterator[Dataset]:
        """The same as `datasets`, page by page as they are used."""
        query = _filters(keyword, tag_ids)
        return iterate_pages(self._caller, endpoints.DATASETS, (), query, page_size=checked_limit(page_size))

    async def datasets_page(
        self,
        *,
        page: int = 1,
        limit: int = 20,
        keyword: str | None = None,
        tag_ids: Iterable[str] | None = None,
    ) -> Page[Dataset]:
        """One page of `datasets`: `page` from 1, `limit` from 1 to 100, which the server does not check."""
        query = (*_filters(keyword, tag_ids), *checked_page(page, limit))
        return await self._caller.call(endpoints.DATASETS, query=query)

    async def dataset_indexing_status(self, dataset_id: str) -> list[IndexingStatus]:
        """How far each document of a knowledge base is.

        The server counts each document's segments, so it is slow where there are many.
        Route: GET /datasets/{id}/indexing-status.

        Raises:
            DifyNotFoundError: No such knowledge base. Dify up to 1.16 answers an empty list for it.
        """
        return (await self._caller.call(endpoints.DATASET_INDEXING_STATUS, (dataset_id,))).data

    async def document_indexing_status(self, dataset_id: str, document_id: str) -> IndexingStatus:
        """How far a document is. Route: GET /datasets/{id}/documents/{id}/indexing-status.

        Raises:
            DifyNotFoundError: No such knowledge base or document.
        """
        return await self._caller.call(endpoints.DOCUMENT_INDEXING_STATUS, (dataset_id, document_id))

    async def dataset_error_documents(self, dataset_id: str) -> list[IndexingStatus]:
        """The documents that failed or are paused. Route: GET /datasets/{id}/error-docs.

        Raises:
            DifyNotFoundError: No such knowledge base.
        """
        return (await self._caller.call(endpoints.ERROR_DOCUMENTS, (dataset_id,))).data

    async def retry_document_indexing(self, dataset_id: str, document_ids: Iterable[str]) -> None:
        """Index documents again that failed. Route: POST /datasets/{id}/retry.

        Ids of no document, of archived ones and of those that are done are passed over silently.

        Raises:
            DifyNotFoundError: No such knowledge base.
            DifyValidationError: One of them is being retried already.
        """
        body = body_of(document_ids=checked_texts("document_ids", document_ids))
        await self._caller.call(endpoints.RETRY_DOCUMENTS, (dataset_id,), body=body)


def _filters(keyword: str | None, tag_ids: Iterable[str] | None) -> Query:
    tags = given_texts("tag_ids", tag_ids)
    return (("keyword", keyword), *(("tag_ids", tag) for tag in tags))
