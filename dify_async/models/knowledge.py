"""Knowledge bases, which the API calls datasets. Times are Unix seconds."""

from __future__ import annotations

from msgspec import Struct

from .apps import Tag
from .base import DifyModel


class Dataset(DifyModel, frozen=True, kw_only=True):
    """A knowledge base.

    Attributes:
        provider: "vendor" if Dify stores the documents, "external" for an external knowledge base.
        permission: "only_me", "all_team_members" or "partial_members".
        data_source_type: Where the documents come from, such as "upload_file"; None if there are none.
        indexing_technique: "high_quality" or "economy"; None if there are no documents.
        app_count: The number of apps that use it.
        document_count: The number of documents.
        word_count: The number of words in the documents.
        embedding_model: The embedding model, such as "text-embedding-3-large".
        embedding_model_provider: The provider of the embedding model.
        embedding_available: Whether the workspace has the embedding model.
        retrieval_model_dict: How the knowledge base is searched.
        doc_form: How documents are split, such as "text_model"; None if there are no documents.
        external_knowledge_info: The API of an external knowledge base.
        external_retrieval_model: How an external knowledge base is searched.
        doc_metadata: The metadata fields of the documents.
        built_in_field_enabled: Whether the documents have Dify's own metadata fields.
        pipeline_id: The id of its knowledge pipeline, if it has one.
        icon_info: The icon.
        is_published: Whether its knowledge pipeline is published.
        total_documents: The number of documents.
        total_available_documents: The number of documents that are indexed, enabled and not archived.
        is_multimodal: From Dify 1.11.2.
        partial_member_list: The members who may use it if the permission is "partial_members".
        summary_index_setting: From Dify 1.15.
        permission_keys: The account's permissions, such as "dataset.acl.edit". From Dify 1.15.
        maintainer: The account that maintains the knowledge base. From Dify 1.15.
    """

    id: str
    name: str
    description: str | None = None
    provider: str | None = None
    permission: str | None = None
    data_source_type: str | None = None
    indexing_technique: str | None = None
    app_count: int | None = None
    document_count: int | None = None
    word_count: int | None = None
    created_by: str | None = None
    author_name: str | None = None
    created_at: int | None = None
    updated_by: str | None = None
    updated_at: int | None = None
    embedding_model: str | None = None
    embedding_model_provider: str | None = None
    embedding_available: bool | None = None
    retrieval_model_dict: dict[str, object] | None = None
    tags: list[Tag] | None = None
    doc_form: str | None = None
    external_knowledge_info: dict[str, object] | None = None
    external_retrieval_model: dict[str, object] | None = None
    doc_metadata: list[dict[str, object]] | None = None
    built_in_field_enabled: bool | None = None
    pipeline_id: str | None = None
    runtime_mode: str | None = None
    chunk_structure: str | None = None
    icon_info: dict[str, object] | None = None
    is_published: bool | None = None
    total_documents: int | None = None
    total_available_documents: int | None = None
    enable_api: bool | None = None
    is_multimodal: bool | None = None
    partial_member_list: list[object] | None = None
    summary_index_setting: dict[str, object] | None = None
    permission_keys: list[str] | None = None
    maintainer: str | None = None


class IndexingStatus(DifyModel, frozen=True, kw_only=True):
    """The indexing progress of a document.

    Attributes:
        id: The document's id.
        indexing_status: "waiting", "parsing", "cleaning", "splitting", "indexing", "paused", "error" or
            "completed".
        processing_started_at: When indexing started.
        parsing_completed_at: When the text had been extracted.
        cleaning_completed_at: When the text had been cleaned.
        splitting_completed_at: When the text had been split into segments.
        completed_at: When indexing was completed.
        paused_at: When indexing was paused.
        error: Why indexing failed.
        stopped_at: When indexing was stopped.
        completed_segments: The number of indexed segments; None in lists of failed documents.
        total_segments: The number of segments; None in lists of failed documents.
        error_code: A code for the error. From Dify 1.17.
        estimated_vector_space_mb: From Dify 1.17.
        vector_space_limit_mb: From Dify 1.17.
    """

    id: str
    indexing_status: str
    processing_started_at: int | None = None
    parsing_completed_at: int | None = None
    cleaning_completed_at: int | None = None
    splitting_completed_at: int | None = None
    completed_at: int | None = None
    paused_at: int | None = None
    error: str | None = None
    stopped_at: int | None = None
    completed_segments: int | None = None
    total_segments: int | None = None
    error_code: str | None = None
    estimated_vector_space_mb: int | None = None
    vector_space_limit_mb: int | None = None


class ErrorDocuments(Struct, frozen=True):
    """The envelope of failed documents."""

    data: list[IndexingStatus]
    total: int = 0
