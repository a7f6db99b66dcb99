"""The client, and its methods in groups."""

from ._client import AsyncDifyServer
from .bulk import AppResult, Progress

__all__ = ["AppResult", "AsyncDifyServer", "Progress"]
