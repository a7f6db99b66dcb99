"""Workflows and their runs. Times are Unix seconds."""

from __future__ import annotations

from msgspec import Struct

from .base import DifyModel
from .people import EndUser, WorkspaceUser


class Published(Struct, frozen=True, kw_only=True):
    """The result of publishing a workflow."""

    result: str
    created_at: int | None = None


class Workflow(DifyModel, frozen=True, kw_only=True):
    """A published workflow.

    Attributes:
        graph: The nodes and edges.
        features: The settings of the app, such as its opening statement and file upload.
        hash: A hash of the graph and the features.
        version: The time of publication, as a string.
        tool_published: Whether the workflow is published as a tool.
        environment_variables: The variables that are set in the workflow.
        conversation_variables: The variables that keep their values during a conversation.
        marked_name: The name of this version. From Dify 1.0.
        marked_comment: The comment on this version. From Dify 1.0.
        version_number: From Dify 1.17.
    """

    id: str
    graph: dict[str, object] | None = None
    features: dict[str, object] | None = None
    hash: str | None = None
    version: str | None = None
    created_by: WorkspaceUser | None = None
    created_at: int | None = None
    updated_by: WorkspaceUser | None = None
    updated_at: int | None = None
    tool_published: bool | None = None
    environment_variables: list[object] | None = None
    conversation_variables: list[object] | None = None
    marked_name: str | None = None
    marked_comment: str | None = None
    rag_pipeline_variables: list[object] | None = None
    version_number: int | None = None


class WorkflowRun(DifyModel, frozen=True, kw_only=True):
    """A run in a list of runs.

    Attributes:
        status: "running", "succeeded", "failed", "stopped" or "partial-succeeded".
        elapsed_time: The duration in seconds.
        created_by_account: The user who ran it in the console; None for end users.
    """

    id: str
    version: str | None = None
    status: str | None = None
    elapsed_time: float | None = None
    total_tokens: int | None = None
    total_steps: int | None = None
    created_by_account: WorkspaceUser | None = None
    created_at: int | None = None
    finished_at: int | None = None
    exceptions_count: int | None = None
    retry_index: int | None = None


class WorkflowRunDetail(DifyModel, frozen=True, kw_only=True):
    """A run with its inputs and outputs.

    Attributes:
        graph: The nodes and edges.
        outputs: The results.
        error: Why the run failed.
        created_by_role: "end_user" or "account".
        created_by_account: The console user who ran it; None for end users.
        created_by_end_user: The end user who ran it; None for console users.
    """

    id: str
    version: str | None = None
    graph: dict[str, object] | None = None
    inputs: object = None
    status: str | None = None
    outputs: object = None
    error: str | None = None
    elapsed_time: float | None = None
    total_tokens: int | None = None
    total_steps: int | None = None
    created_by_role: str | None = None
    created_by_account: WorkspaceUser | None = None
    created_by_end_user: EndUser | None = None
    created_at: int | None = None
    finished_at: int | None = None
    exceptions_count: int | None = None


class RunSummary(DifyModel, frozen=True, kw_only=True):
    """The run of a log row.

    Attributes:
        error: Why the run failed.
        triggered_from: How it was started; "app-run" if the app was called. From Dify 1.10.
    """

    id: str
    version: str | None = None
    status: str | None = None
    error: str | None = None
    elapsed_time: float | None = None
    total_tokens: int | None = None
    total_steps: int | None = None
    created_at: int | None = None
    finished_at: int | None = None
    exceptions_count: int | None = None
    triggered_from: str | None = None


class WorkflowAppLog(DifyModel, frozen=True, kw_only=True):
    """A row of a workflow app's log.

    Attributes:
        workflow_run: The run.
        created_from: "service-api", "web-app" or "installed-app".
        created_by_role: "end_user" or "account".
        created_by_account: The console user who ran it; None for end users.
        created_by_end_user: The end user who ran it; None for console users.
        details: Set only if requested with `detail=True`. From Dify 1.10.
    """

    id: str
    workflow_run: RunSummary | None = None
    details: dict[str, object] | None = None
    created_from: str | None = None
    created_by_role: str | None = None
    created_by_account: WorkspaceUser | None = None
    created_by_end_user: EndUser | None = None
    created_at: int | None = None
