"""Knowledge bases and how far their documents are."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dify_async.testing._console import errors
from dify_async.testing._console.accounts import make_id
from dify_async.testing._console.http import (
    Call,
    Reply,
    Route,
    empty_reply,
    json_reply,
)
from dify_async.testing._console.listing import contains
from dify_async.testing._console.params import body_params, is_uuid

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

_NAMES = ("Manuals", "Prices", "Opening hours", "Contracts", "Produkt-Handb\u00fccher")
_STATES = ("completed", "error", "paused", "indexing")
_ERROR = "[openai] Rate limit exceeded"


@dataclass(slots=True, kw_only=True)
class FakeDocument:
    """A document; `status` as the server names it."""

    id: str
    status: str
    is_retried: bool = False


@dataclass(slots=True, kw_only=True)
class FakeDataset:
    """A knowledge base."""

    id: str
    name: str
    created_at: int
    documents: list[FakeDocument] = field(default_factory=list)


def generate_datasets(seed: int, now: int) -> list[FakeDataset]:
    """A few, with documents in each state but for the first, which has none."""
    return [
        FakeDataset(
            id=make_id(seed, "dataset", number),
            name=name,
            created_at=now - number * 3600,
            documents=[
                FakeDocument(id=make_id(seed, "document", number, place), status=status)
                for place, status in enumerate(_STATES if number else ())
            ],
        )
        for number, name in enumerate(_NAMES)
    ]


def datasets(console: "Console", call: Call) -> Reply:
    """GET /datasets: neither page nor limit is checked up to 1.14."""
    arguments = call.arguments()
    page, limit = (_number(arguments.get(name), default) for name, default in (("page", 1), ("limit", 20)))
    tags = [value for name, value in call.parameters() if name == "tag_ids"]
    found = [] if tags else console.datasets
    found = [one for one in found if contains(console.rules, one.name, arguments.get("keyword", ""))]
    rows = [_row(console, one) for one in found[(page - 1) * limit : page * limit]]
    # A full page says that there is more, whether there is or not.
    body = {"has_more": len(rows) == limit, "limit": limit, "total": len(found), "page": page}
    return json_reply({"data": rows, **body})


def all_statuses(console: "Console", call: Call) -> Reply:
    """GET /datasets/{id}/indexing-status: of an unknown one nothing, or a 404 since 1.17."""
    if console.rules.unknown_dataset_is_404:
        _dataset(console, call)
    found = next((one for one in console.datasets if one.id == call.ids["dataset_id"]), None)
    documents = found.documents if found else []
    return json_reply({"data": [_status(console, document) for document in documents]})


def one_status(console: "Console", call: Call) -> Reply:
    """GET /datasets/{id}/documents/{id}/indexing-status."""
    for document in _dataset(console, call).documents:
        if document.id == call.ids["document_id"]:
            return json_reply(_status(console, document))
    raise errors.error(404, "not_found", "Document not found.")


def failed(console: "Console", call: Call) -> Reply:
    """GET /datasets/{id}/error-docs."""
    rows = [
        _times(document) | {"completed_segments": None, "total_segments": None}
        for document in _dataset(console, call).documents
        if document.status in ("error", "paused")
    ]
    return json_reply({"data": rows, "total": len(rows)})


def retry(console: "Console", call: Call) -> Reply:
    """POST /datasets/{id}/retry: 204 for ids of nothing, too."""
    rules = console.rules
    dataset = _dataset(console, call)
    params = body_params(rules, call, "DocumentRetryPayload")
    wanted = params.required("document_ids")
    if rules.pydantic and not isinstance(params.values.get("document_ids", []), list):
        params.wrong("document_ids", "", "list_type", "Input should be a valid list")
    params.check()
    if rules.document_ids_are_uuids and not all(map(is_uuid, wanted)):
        raise errors.internal(rules)
    for document in dataset.documents:
        if document.id in wanted and document.status in ("error", "paused"):
            if document.is_retried:
                message = "Document is being retried, please try again later"
                raise errors.error(400, "invalid_param", message)
            document.is_retried = True
    return empty_reply()


def _dataset(console: "Console", call: Call) -> FakeDataset:
    for one in console.datasets:
        if one.id == call.ids["dataset_id"]:
            return one
    raise errors.error(404, "not_found", "Dataset not found.")


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else default


def _status(console: "Console", document: FakeDocument) -> dict[str, Any]:
    more = ("error_code", "estimated_vector_space_mb", "vector_space_limit_mb")
    return _times(document) | (dict.fromkeys(more) if console.rules.document_error_code else {})


def _times(document: FakeDocument) -> dict[str, Any]:
    at = 1_760_000_000
    return {
        "id": document.id,
        "indexing_status": document.status,
        "processing_started_at": at,
        "parsing_completed_at": at,
        "cleaning_completed_at": at,
        "splitting_completed_at": at,
        "completed_at": at if document.status == "completed" else None,
        "paused_at": at if document.status == "paused" else None,
        "error": _ERROR if document.status == "error" else None,
        "stopped_at": at if document.status == "error" else None,
        "completed_segments": 4 if document.status == "completed" else 1,
        "total_segments": 4,
    }


def _row(console: "Console", dataset: FakeDataset) -> dict[str, Any]:
    owner = console.owner.id
    row: dict[str, Any] = {
        "id": dataset.id,
        "name": dataset.name,
        "description": "",
        "provider": "vendor",
        "permission": "only_me",
        "data_source_type": "upload_file" if dataset.documents else None,
        "indexing_technique": "economy" if dataset.documents else None,
        "app_count": 0,
        "document_count": len(dataset.documents),
        "word_count": 100 * len(dataset.documents),
        "created_by": owner,
        "created_at": dataset.created_at,
        "updated_by": owner,
        "updated_at": dataset.created_at,
        "embedding_model": None,
        "embedding_model_provider": None,
        "embedding_available": True,
        "tags": [],
        "doc_form": "text_model" if dataset.documents else None,
    }
    if console.rules.pydantic:
        row |= {"author_name": console.owner.name, "is_multimodal": False}
    if console.rules.app_permissions:
        row |= {"permission_keys": [], "maintainer": owner}
    return row


ROUTES: list[Route] = [
    Route("GET", "/datasets", datasets),
    Route("GET", "/datasets/<uuid:dataset_id>/indexing-status", all_statuses),
    Route("GET", "/datasets/<uuid:dataset_id>/documents/<uuid:document_id>/indexing-status", one_status),
    Route("GET", "/datasets/<uuid:dataset_id>/error-docs", failed),
    Route("POST", "/datasets/<uuid:dataset_id>/retry", retry),
]
