"""The list of apps, and a single app."""

from collections.abc import Callable
from uuid import UUID

from dify_async.testing._console import errors
from dify_async.testing._console.handlers.app_bodies import app_body, app_row
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.listing import contains, page_and_limit, page_body
from dify_async.testing._console.models import FakeApp
from dify_async.testing._console.params import Params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State

_SORTS: dict[str, Callable[[FakeApp], int]] = {
    "last_modified": lambda app: -app.updated_at,
    "recently_created": lambda app: -app.created_at,
    "earliest_created": lambda app: app.created_at,
}


def list_apps(state: State, call: Call) -> Reply:
    """GET /apps."""
    rules, arguments = state.rules, call.arguments()
    params = Params(rules, "AppListQuery", arguments)
    page, limit = page_and_limit(params)
    mode = params.choice("mode", _mode_choices(rules), "all")
    only_own = params.flag("is_created_by_me")
    tag_ids = _tag_ids(rules, call, params)
    sort = params.choice("sort_by", list(_SORTS), "last_modified") if rules.sorts_apps else "recently_created"
    creators = _ids(rules, call, params, "creator_ids") if rules.sorts_apps else []
    params.check()
    apps = sorted((app for app in state.apps if _matches_mode(rules, app, mode)), key=_SORTS[sort])
    if (only_own and call.caller is not state.owner) or (creators and state.owner.id not in creators):
        apps = []
    if "\0" in arguments.get("name", ""):
        raise errors.nul_character()
    if name := arguments.get("name", "")[:30]:
        apps = [app for app in apps if contains(rules, app.name, name)]
    if tag_ids:
        if not (rules.indexed_tag_ids or any(_has_tags(rules, app, tag_ids) for app in state.apps)):
            # The server answers this page whichever was requested.
            return json_reply(page_body(1, 20, 0, []))
        apps = [app for app in apps if _has_tags(rules, app, tag_ids)]
    rows = [app_row(state, app) for app in apps[(page - 1) * limit : page * limit]]
    return json_reply(page_body(page, limit, len(apps), rows))


def app_detail(state: State, call: Call) -> Reply:
    """GET /apps/{id}."""
    return json_reply(app_body(state, call, state.find_app(call)))


def _mode_choices(rules: Rules) -> list[str]:
    if rules.few_mode_filters:
        return ["chat", "workflow", "agent-chat", "channel", "all"]
    modes = ["completion", "chat", "advanced-chat", "workflow", "agent-chat"]
    return [*modes, *(["agent"] if rules.agent_mode else []), "channel", "all"]


def _matches_mode(rules: Rules, app: FakeApp, mode: str) -> bool:
    if mode == "all":
        return app.mode != "agent"
    if mode == "channel":
        return rules.channel_is_all
    if rules.few_mode_filters and mode == "chat":
        return app.mode in ("chat", "advanced-chat")
    if rules.few_mode_filters and mode == "workflow":
        return app.mode in ("workflow", "completion")
    return app.mode == mode


def _tag_ids(rules: Rules, call: Call, params: Params) -> list[str]:
    if rules.indexed_tag_ids:
        return _ids(rules, call, params, "tag_ids")
    plain = params.values.get("tag_ids", "")
    return _uuids(params, "tag_ids", plain.split(",") if plain else [], plain)


def _ids(rules: Rules, call: Call, params: Params, name: str) -> list[str]:
    """NAME=…&NAME=… since 1.16, which ignores names with brackets.

    Before, NAME[0]=…&NAME[1]=…; a 400 without brackets, and ignored without an index.
    """
    if rules.repeated_ids:
        texts = [text for key, text in call.parameters() if key == name and text]
        return _uuids(params, name, texts, texts)
    texts = [text for key, text in call.parameters() if _is_indexed(key, name)]
    if params.values.get(name) and not texts:
        params.reject(name, "", "value_error", f"Value error, Unsupported {name} type.")
    return _uuids(params, name, texts, texts)


def _uuids(params: Params, name: str, texts: list[str], sent: object) -> list[str]:
    try:
        return [str(UUID(text)) for text in texts]
    except ValueError:
        problem = f"Invalid UUID format in {name}."
        params.reject(name, problem, "value_error", f"Value error, {problem}", sent)
        return []


def _is_indexed(name: str, base: str) -> bool:
    return name.startswith(f"{base}[") and name.endswith("]") and name[len(base) + 1 : -1].isdecimal()


def _has_tags(rules: Rules, app: FakeApp, tag_ids: list[str]) -> bool:
    own = {tag.id for tag in app.tags}
    return own.issuperset(tag_ids) if rules.needs_all_tags else not own.isdisjoint(tag_ids)


ROUTES: list[Route] = [Route("GET", "/apps", list_apps), Route("GET", "/apps/<uuid:app_id>", app_detail)]
