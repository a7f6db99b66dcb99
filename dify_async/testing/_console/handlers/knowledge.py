"""Knowledge bases, and the indexing status of their documents."""

from typing import Any

from dify_async.testing._console import errors
from dify_async.testing._console.http import Call, Reply, empty_reply, json_reply
from dify_async.testing._console.listing import contains
from dify_async.testing._console.models import FakeDataset, FakeDocument
from dify_async.testing._console.params import body_params, is_uuid
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State

_ERROR = "[openai] Rate limit exceeded"


def datasets(state: State, call: Call) -> Reply:
    """GET /datasets: up to 1.14, page and limit are not checked."""
    arguments = call.arguments()
    page, limit = (_number(arguments.get(name), default) for name, default in (("page", 1), ("limit", 20)))
    tags = [value for name, value in call.parameters() if name == "tag_ids"]
    found = [] if tags else state.datasets
    found = [row for row in found if contains(state.rules, row.name, arguments.get("keyword", ""))]
    rows = [_row(state, row) for row in found[(page - 1) * limit : page * limit]]
    # As on the server, a full page claims that there are more.
    body = {"has_more": len(rows) == limit, "limit": limit, "total": len(found), "page": page}
    return json_reply({"data": rows, **body})


def all_statuses(state: State, call: Call) -> Reply:
    """GET /datasets/{id}/indexing-status: no rows for an unknown knowledge base; a 404 since 1.17."""
    if state.rules.unknown_dataset_is_404:
        _dataset(state, call)
    found = next((one for one in state.datasets if one.id == call.ids["dataset_id"]), None)
    documents = found.documents if found else []
    return json_reply({"data": [_status(state, document) for document in documents]})


def one_status(state: State, call: Call) -> Reply:
    """GET /datasets/{id}/documents/{id}/indexing-status."""
    for document in _dataset(state, call).documents:
        if document.id == call.ids["document_id"]:
            return json_reply(_status(state, document))
    raise errors.error(404, "not_found", "Document not found.")


def failed_documents(state: State, call: Call) -> Reply:
    """GET /datasets/{id}/error-docs."""
    rows = [
        _progress(document) | {"completed_segments": None, "total_segments": None}
        for document in _dataset(state, call).documents
        if document.status in ("error", "paused")
    ]
    return json_reply({"data": rows, "total": len(rows)})


def retry_documents(state: State, call: Call) -> Reply:
    """POST /datasets/{id}/retry: a 204 even for unknown ids."""
    rules = state.rules
    dataset = _dataset(state, call)
    params = body_params(rules, call, "DocumentRetryPayload")
    document_ids = params.required("document_ids")
    if rules.pydantic and not isinstance(params.values.get("document_ids", []), list):
        params.reject("document_ids", "", "list_type", "Input should be a valid list")
    params.check()
    if rules.document_ids_are_uuids and not all(map(is_uuid, document_ids)):
        raise errors.internal(rules)
    for document in dataset.documents:
        if document.id in document_ids and document.status in ("error", "paused"):
            if document.is_retried:
                message = "Document is being retried, please try again later"
                raise errors.error(400, "invalid_param", message)
            document.is_retried = True
    return empty_reply()


def _dataset(state: State, call: Call) -> FakeDataset:
    for one in state.datasets:
        if one.id == call.ids["dataset_id"]:
            return one
    raise errors.error(404, "not_found", "Dataset not found.")


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else default


def _status(state: State, document: FakeDocument) -> dict[str, Any]:
    extra = ("error_code", "estimated_vector_space_mb", "vector_space_limit_mb")
    return _progress(document) | (dict.fromkeys(extra) if state.rules.document_error_code else {})


def _progress(document: FakeDocument) -> dict[str, Any]:
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


def _row(state: State, dataset: FakeDataset) -> dict[str, Any]:
    owner = state.owner.id
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
    if state.rules.pydantic:
        row |= {"author_name": state.owner.name, "is_multimodal": False}
    if state.rules.app_permissions:
        row |= {"permission_keys": [], "maintainer": owner}
    return row


ROUTES: list[Route] = [
    Route("GET", "/datasets", datasets),
    Route("GET", "/datasets/<uuid:dataset_id>/indexing-status", all_statuses),
    Route("GET", "/datasets/<uuid:dataset_id>/documents/<uuid:document_id>/indexing-status", one_status),
    Route("GET", "/datasets/<uuid:dataset_id>/error-docs", failed_documents),
    Route("POST", "/datasets/<uuid:dataset_id>/retry", retry_documents),
]
