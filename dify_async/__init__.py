"""Asyncio client for the console API of Dify."""

__version__ = "0.1.0"
