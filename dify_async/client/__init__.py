"""The client: how it is opened and closed, and its calls, by what they are about."""

from ._client import AsyncDifyServer
from .bulk import AppResult

__all__ = ["AppResult", "AsyncDifyServer"]
