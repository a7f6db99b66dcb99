"""Data from the server: frozen msgspec Structs that ignore unknown fields."""

from .account import Account, Features, Quota, RateQuota, SetupStatus, SystemFeatures
from .apps import App, CompletionParams, Model, ModelConfig, Site, Tag, WorkflowSummary
from .base import CursorPage, Page
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
