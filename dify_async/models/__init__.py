"""Data from the server: frozen msgspec Structs that ignore unknown fields."""

from typing import TYPE_CHECKING

from dify_async._lazy import lazy_names

from .apps import App, CompletionParams, Model, ModelConfig, Site, Tag, WorkflowSummary
from .base import CursorPage, Page
from .statistics import (
    AverageResponseTime,
    AverageSessionInteractions,
    DailyConversations,
    DailyEndUsers,
    DailyMessages,
    TokenCosts,
    TokensPerSecond,
    UserSatisfactionRate,
    WorkflowDailyRuns,
    WorkflowTokenCosts,
)

if TYPE_CHECKING:
    from .account import Account, Features, Quota, RateQuota, SetupStatus, SystemFeatures
    from .conversations import ChatConversation, FeedbackStats, StatusCount
    from .definitions import AppImport, AppModelConfig
    from .keys import ApiKey, DatasetApiKey
    from .knowledge import Dataset, IndexingStatus
    from .messages import (
        Annotation,
        ChatMessage,
        CompletionConversation,
        CompletionMessage,
        Feedback,
        MessageAnnotation,
    )
    from .people import EndUser, WorkspaceUser
    from .usage import Message, TokenUsage
    from .workflows import RunSummary, Workflow, WorkflowAppLog, WorkflowRun, WorkflowRunDetail
    from .workspace import InvitationResult, Member, Role, Workspace

__all__ = [
    "Account",
    "Annotation",
    "ApiKey",
    "App",
    "AppImport",
    "AppModelConfig",
    "AverageResponseTime",
    "AverageSessionInteractions",
    "ChatConversation",
    "ChatMessage",
    "CompletionConversation",
    "CompletionMessage",
    "CompletionParams",
    "CursorPage",
    "DailyConversations",
    "DailyEndUsers",
    "DailyMessages",
    "Dataset",
    "DatasetApiKey",
    "EndUser",
    "Features",
    "Feedback",
    "FeedbackStats",
    "IndexingStatus",
    "InvitationResult",
    "Member",
    "Message",
    "MessageAnnotation",
    "Model",
    "ModelConfig",
    "Page",
    "Quota",
    "RateQuota",
    "Role",
    "RunSummary",
    "SetupStatus",
    "Site",
    "StatusCount",
    "SystemFeatures",
    "Tag",
    "TokenCosts",
    "TokenUsage",
    "TokensPerSecond",
    "UserSatisfactionRate",
    "Workflow",
    "WorkflowAppLog",
    "WorkflowDailyRuns",
    "WorkflowRun",
    "WorkflowRunDetail",
    "WorkflowSummary",
    "WorkflowTokenCosts",
    "Workspace",
    "WorkspaceUser",
]


# Modules that few programs need, and their names: imported when one of them is first used.
_LAZY = {
    "account": ("Account", "Features", "Quota", "RateQuota", "SetupStatus", "SystemFeatures"),
    "conversations": ("ChatConversation", "FeedbackStats", "StatusCount"),
    "definitions": ("AppImport", "AppModelConfig"),
    "keys": ("ApiKey", "DatasetApiKey"),
    "knowledge": ("Dataset", "IndexingStatus"),
    "messages": (
        "Annotation",
        "ChatMessage",
        "CompletionConversation",
        "CompletionMessage",
        "Feedback",
        "MessageAnnotation",
    ),
    "people": ("EndUser", "WorkspaceUser"),
    "usage": ("Message", "TokenUsage"),
    "workflows": ("RunSummary", "Workflow", "WorkflowAppLog", "WorkflowRun", "WorkflowRunDetail"),
    "workspace": ("InvitationResult", "Member", "Role", "Workspace"),
}

if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__, __dir__ = lazy_names(__name__, _LAZY)
