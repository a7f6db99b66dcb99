"""All routes. A new group is a file of its own and a line here."""

from dify_async.testing import (
    _app_changes,
    _apps,
    _conversations,
    _definitions,
    _keys,
    _knowledge,
    _members,
    _messages,
    _sign_in,
    _statistics,
    _system,
    _workflows,
    _workspace,
)
from dify_async.testing._http import Route

ROUTES: list[Route] = [
    *_system.ROUTES,
    *_sign_in.ROUTES,
    *_workspace.ROUTES,
    *_members.ROUTES,
    *_apps.ROUTES,
    *_app_changes.ROUTES,
    *_definitions.ROUTES,
    *_workflows.ROUTES,
    *_messages.ROUTES,
    *_knowledge.ROUTES,
    *_keys.ROUTES,
    *_conversations.ROUTES,
    *_statistics.ROUTES,
]
