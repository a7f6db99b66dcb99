"""All routes. A new group is a file of its own and a line here."""

from dify_async.testing import (
    _apps,
    _conversations,
    _keys,
    _sign_in,
    _statistics,
    _system,
    _workspace,
)
from dify_async.testing._http import Route

ROUTES: list[Route] = [
    *_system.ROUTES,
    *_sign_in.ROUTES,
    *_workspace.ROUTES,
    *_apps.ROUTES,
    *_keys.ROUTES,
    *_conversations.ROUTES,
    *_statistics.ROUTES,
]
