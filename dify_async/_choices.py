"""The strings that arguments accept, as types: editors complete them, and type checkers reject others."""

from typing import Literal

AppMode = Literal["chat", "agent-chat", "advanced-chat", "workflow", "completion", "agent"]
"""What kind of app it is; "agent" from Dify 1.15."""

AppSort = Literal["last_modified", "recently_created", "earliest_created"]
"""The order of apps, from Dify 1.15."""

ConversationSort = Literal["created_at", "-created_at", "updated_at", "-updated_at"]
"""The order of conversations; with "-", newest first."""

AnnotationStatus = Literal["annotated", "not_annotated", "all"]
"""Whether a conversation has an annotation."""

WorkflowRunStatus = Literal[
    "running", "succeeded", "failed", "stopped", "partial-succeeded", "scheduled", "paused"
]
"""The status of a workflow run; "scheduled" and "paused" in logs only, from Dify 1.11."""

OnError = Literal["raise", "collect"]
"""Whether the first error of an app is raised, or all are collected in the results."""

PeriodName = Literal["today", "yesterday", "last_7_days", "last_30_days", "this_month", "last_month"]
"""A range of whole days in the account's time zone. "last_7_days", "last_30_days" and "this_month" end with
today."""

MetricName = Literal[
    "daily_conversations",
    "daily_end_users",
    "average_session_interactions",
    "tokens_per_second",
    "user_satisfaction_rate",
    "token_costs",
    "daily_messages",
    "average_response_time",
    "workflow_daily_runs",
    "workflow_daily_end_users",
    "workflow_token_costs",
    "workflow_average_interactions",
]
"""The values of `Metric`."""
