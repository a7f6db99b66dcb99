"""All routes. A new group is a file of its own and a line here."""

from dify_async.testing._console.handlers import (
    app_changes as _app_changes,
)
from dify_async.testing._console.handlers import (
    apps as _apps,
)
from dify_async.testing._console.handlers import (
    conversations as _conversations,
)
from dify_async.testing._console.handlers import (
    definitions as _definitions,
)
from dify_async.testing._console.handlers import (
    keys as _keys,
)
from dify_async.testing._console.handlers import (
    knowledge as _knowledge,
)
from dify_async.testing._console.handlers import (
    members as _members,
)
from dify_async.testing._console.handlers import (
    messages as _messages,
)
from dify_async.testing._console.handlers import (
    sign_in as _sign_in,
)
from dify_async.testing._console.handlers import (
    statistics as _statistics,
)
from dify_async.testing._console.handlers import (
    system as _system,
)
from dify_async.testing._console.handlers import (
    workflows as _workflows,
)
from dify_async.testing._console.handlers import (
    workspace as _workspace,
)
from dify_async.testing._console.http import Route

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
