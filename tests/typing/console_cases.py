"""Conversations, messages, workflows, knowledge bases and the workspace."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import assert_type

from dify_async import (
    Account,
    Annotation,
    AsyncDifyServer,
    ChatConversation,
    ChatMessage,
    CompletionConversation,
    Cursor,
    Dataset,
    IndexingStatus,
    InvitationResult,
    Member,
    Page,
    Workflow,
    WorkflowAppLog,
    WorkflowRun,
    WorkflowRunDetail,
    Workspace,
)

START, END = date(2026, 10, 1), datetime(2026, 10, 8, tzinfo=UTC)


async def conversations(dify: AsyncDifyServer) -> None:
    assert_type(
        await dify.chat_conversations(
            "id",
            page=2,
            limit=50,
            start=START,
            end=END,
            sort_by="-created_at",
            annotation_status="annotated",
            keyword="a",
        ),
        Page[ChatConversation],
    )
    assert_type(
        dify.iter_chat_conversations(
            "id",
            start="2026-10-01 00:00",
            end=END,
            sort_by="created_at",
            annotation_status="all",
            keyword="a",
            page_size=50,
        ),
        AsyncIterator[ChatConversation],
    )
    assert_type(
        await dify.completion_conversations(
            "id", page=2, limit=50, start=START, end=END, annotation_status="all", keyword="a"
        ),
        Page[CompletionConversation],
    )
    assert_type(
        dify.iter_completion_conversations(
            "id", start=START, end=END, annotation_status="all", keyword="a", page_size=50
        ),
        AsyncIterator[CompletionConversation],
    )


async def messages(dify: AsyncDifyServer) -> None:
    assert_type(await dify.chat_messages("id", "id", first_id="id", limit=50), Cursor[ChatMessage])
    assert_type(dify.iter_chat_messages("id", "id", page_size=50), AsyncIterator[ChatMessage])
    assert_type(await dify.annotations("id", page=2, limit=50, keyword="a"), Page[Annotation])
    assert_type(
        await dify.export_feedbacks(
            "id",
            format="csv",
            rating="like",
            from_source="user",
            has_comment=True,
            start_date="2026-10-01",
            end_date="2026-10-08",
        ),
        bytes,
    )


async def workflows(dify: AsyncDifyServer) -> None:
    assert_type(await dify.publish_workflow("id", marked_name="a", marked_comment="b"), None)
    assert_type(await dify.published_workflow("id"), Workflow | None)
    assert_type(
        await dify.workflow_runs("id", status="failed", triggered_from="debugging", last_id="id", limit=50),
        Cursor[WorkflowRun],
    )
    assert_type(
        dify.iter_workflow_runs("id", status="failed", triggered_from="app-run", page_size=50),
        AsyncIterator[WorkflowRun],
    )
    assert_type(await dify.workflow_run("id", "id"), WorkflowRunDetail)
    assert_type(
        await dify.workflow_app_logs(
            "id",
            page=2,
            limit=50,
            keyword="a",
            status="failed",
            start=START,
            end=END,
            session_id="id",
            account="a@example.com",
            detail=True,
        ),
        Page[WorkflowAppLog],
    )
    assert_type(
        dify.iter_workflow_app_logs(
            "id",
            keyword="a",
            status="failed",
            start=START,
            end=END,
            session_id="id",
            account="a@example.com",
            detail=True,
            page_size=50,
        ),
        AsyncIterator[WorkflowAppLog],
    )


async def knowledge(dify: AsyncDifyServer) -> None:
    assert_type(await dify.datasets(keyword="a", tag_ids=["id"]), list[Dataset])
    assert_type(dify.iter_datasets(keyword="a", tag_ids=("id",), page_size=50), AsyncIterator[Dataset])
    assert_type(await dify.datasets_page(page=2, limit=50, keyword="a", tag_ids={"id"}), Page[Dataset])
    assert_type(await dify.dataset_indexing_status("id"), list[IndexingStatus])
    assert_type(await dify.document_indexing_status("id", "id"), IndexingStatus)
    assert_type(await dify.dataset_error_documents("id"), list[IndexingStatus])
    assert_type(await dify.retry_document_indexing("id", ["id"]), None)


async def workspace(dify: AsyncDifyServer) -> None:
    assert_type(await dify.workspaces(), list[Workspace])
    assert_type(await dify.current_workspace(), Workspace)
    assert_type(await dify.switch_workspace("id"), Workspace)
    assert_type(await dify.members(), list[Member])
    assert_type(
        await dify.invite_members(["a@example.com"], "normal", language="en-US"), list[InvitationResult]
    )
    assert_type(await dify.set_timezone("Europe/Berlin"), Account)
