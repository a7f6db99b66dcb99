"""The list of apps, and one app."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from dify_async.testing._console import errors
from dify_async.testing._console.app_bodies import app_body, app_row
from dify_async.testing._console.http import Call, Reply, Route, json_reply
from dify_async.testing._console.listing import contains, page_and_limit, page_body
from dify_async.testing._console.models import FakeApp
from dify_async.testing._console.params import Params
from dify_async.testing._console.rules import Rules

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

_SORTS: dict[str, Callable[[FakeApp], int]] = {
    "last_modified": lambda app: -app.updated_at,
    "recently_created": lambda app: -app.created_at,
    "earliest_created": lambda app: app.created_at,
}


def list_apps(console: "Console", call: Call) -> Reply:
    """GET /apps."""
    rules, arguments = console.rules, call.arguments()
    params = Params(rules, "AppListQuery", arguments)
    page, limit = page_and_limit(params)
    mode = params.choice("mode", _mode_choices(rules), "all")
    mine = params.flag("is_created_by_me")
    tag_ids = _tag_ids(rules, call, params)
    sort = (
        params.choice("sort_by", list(_SORTS), "last_modified") if rules.sorted_apps else "recently_created"
    )
    creators = _ids(rules, call, params, "creator_ids") if rules.sorted_apps else []
    params.check()
    apps = sorted((app for app in console.apps if _is_of_mode(rules, app, mode)), key=_SORTS[sort])
    if (mine and call.owner is not console.owner) or (creators and console.owner.id not in creators):
        apps = []
    if "\0" in arguments.get("name", ""):
        raise errors.nul_character()
    if name := arguments.get("name", "")[:30]:
        apps = [app for app in apps if contains(rules, app.name, name)]
    if tag_ids:
        if not (rules.indexed_tag_ids or any(_has_tags(rules, app, tag_ids) for app in console.apps)):
            # Not the page that was asked for, but always this one.
            return json_reply(page_body(1, 20, 0, []))
        apps = [app for app in apps if _has_tags(rules, app, tag_ids)]
    rows = [app_row(console, app) for app in apps[(page - 1) * limit : page * limit]]
    return json_reply(page_body(page, limit, len(apps), rows))


def app_detail(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}."""
    return json_reply(app_body(console, call, console.find_app(call)))


def _mode_choices(rules: Rules) -> list[str]:
    if rules.few_modes:
        return ["chat", "workflow", "agent-chat", "channel", "all"]
    modes = ["completion", "chat", "advanced-chat", "workflow", "agent-chat"]
    return [*modes, *(["agent"] if rules.agent_mode else []), "channel", "all"]


def _is_of_mode(rules: Rules, app: FakeApp, mode: str) -> bool:
    if mode == "all":
        return app.mode != "agent"
    if mode == "channel":
        return rules.channel_is_all
    if rules.few_modes and mode == "chat":
        return app.mode in ("chat", "advanced-chat")
    if rules.few_modes and mode == "workflow":
        return app.mode in ("workflow", "completion")
    return app.mode == mode


def _tag_ids(rules: Rules, call: Call, params: Params) -> list[str]:
    if rules.indexed_tag_ids:
        return _ids(rules, call, params, "tag_ids")
    plain = params.values.get("tag_ids", "")
    return _uuids(params, "tag_ids", plain.split(",") if plain else [], plain)


def _ids(rules: Rules, call: Call, params: Params, name: str) -> list[str]:
    """NAME=…&NAME=… since 1.16, which passes over brackets.

    Before, NAME[0]=…&NAME[1]=…; without the brackets a 400, without an index nothing.
    """
    if rules.repeated_ids:
        texts = [text for sent_as, text in call.parameters() if sent_as == name and text]
        return _uuids(params, name, texts, texts)
    texts = [text for sent_as, text in call.parameters() if _is_indexed(sent_as, name)]
    if params.values.get(name) and not texts:
        params.wrong(name, "", "value_error", f"Value error, Unsupported {name} type.")
    return _uuids(params, name, texts, texts)


def _uuids(params: Params, name: str, texts: list[str], sent: object) -> list[str]:
    try:
        return [str(UUID(text)) for text in texts]
    except ValueError:
        problem = f"Invalid UUID format in {name}."
        params.wrong(name, problem, "value_error", f"Value error, {problem}", sent)
        return []


def _is_indexed(name: str, base: str) -> bool:
    return name.startswith(f"{base}[") and name.endswith("]") and name[len(base) + 1 : -1].isdecimal()


def _has_tags(rules: Rules, app: FakeApp, tag_ids: list[str]) -> bool:
    has = {tag.id for tag in app.tags}
    return has.issuperset(tag_ids) if rules.every_tag else not has.isdisjoint(tag_ids)


ROUTES: list[Route] = [
    Route("GET", "/apps", list_apps),
    Route("GET", "/apps/<uuid:app_id>", app_detail),
]
