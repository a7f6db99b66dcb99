"""The web page: the costs, statistics and conversations of all apps, as an aiohttp application."""

from .app import create_app

__all__ = ["create_app"]
