"""The routes of all groups, in the order in which they are matched."""

from dify_async.testing._console.handlers import (
    annotations,
    app_changes,
    apps,
    conversations,
    definitions,
    keys,
    knowledge,
    members,
    messages,
    node_executions,
    sign_in,
    statistics,
    system,
    workflow_runs,
    workflows,
    workspace,
)
from dify_async.testing._console.routing import Route

ROUTES: list[Route] = [
    *system.ROUTES,
    *sign_in.ROUTES,
    *workspace.ROUTES,
    *members.ROUTES,
    *apps.ROUTES,
    *app_changes.ROUTES,
    *definitions.ROUTES,
    *workflows.ROUTES,
    *workflow_runs.ROUTES,
    *node_executions.ROUTES,
    *messages.ROUTES,
    *annotations.ROUTES,
    *knowledge.ROUTES,
    *keys.ROUTES,
    *conversations.ROUTES,
    *statistics.ROUTES,
]
