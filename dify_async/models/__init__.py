"""What the server answers: frozen msgspec Structs that ignore fields they do not know."""

from ._base import Page
from .account import Account, SystemFeatures
from .apps import App, CompletionParams, Model, ModelConfig, Site, Tag, WorkflowSummary
from .conversations import ChatConversation, FeedbackStats, StatusCount
from .keys import ApiKey, DatasetApiKey
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

__all__ = [
    "Account",
    "ApiKey",
    "App",
    "AverageResponseTime",
    "AverageSessionInteractions",
    "ChatConversation",
    "CompletionParams",
    "DailyConversations",
    "DailyEndUsers",
    "DailyMessages",
    "DatasetApiKey",
    "FeedbackStats",
    "Model",
    "ModelConfig",
    "Page",
    "Site",
    "StatusCount",
    "SystemFeatures",
    "Tag",
    "TokenCosts",
    "TokensPerSecond",
    "UserSatisfactionRate",
    "WorkflowDailyRuns",
    "WorkflowSummary",
    "WorkflowTokenCosts",
]
