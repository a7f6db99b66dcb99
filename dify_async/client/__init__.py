"""The client: its calls by group, and the class that has them all."""

from ._client import AsyncDifyServer

__all__ = ["AsyncDifyServer"]
