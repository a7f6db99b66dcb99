"""API keys of an app, and of the workspace's knowledge bases."""

from dataclasses import asdict

from dify_async.testing._console import errors
from dify_async.testing._console.http import Call, HTTPError, Reply, empty_reply, json_reply
from dify_async.testing._console.models import ApiKey, is_unpublished_agent, new_key
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State

MAX_KEYS = 10
_ADMINS = ("owner", "admin")
_EDITORS = (*_ADMINS, "editor")


def list_keys(state: State, call: Call) -> Reply:
    """GET: all keys, without paging."""
    if state.rules.key_lists_need_role:
        _check_role(call, _EDITORS if _kind(call) == "app" else _ADMINS)
    rows = [asdict(key) for key in _keys(state, call)]
    if state.masks_keys:
        rows = [row | {"token": f"{row['token'][:5]}...{row['token'][-4:]}"} for row in rows]
    return json_reply({"data": rows})


def create_key(state: State, call: Call) -> Reply:
    """POST: 201 for an app, 200 for the knowledge bases; the body is ignored."""
    keys, rules = _keys(state, call), state.rules
    kind = _kind(call)
    _check_role(call, _EDITORS if kind == "app" else _ADMINS)
    if kind == "app" and rules.agents_must_be_published and is_unpublished_agent(state.find_app(call)):
        raise errors.agent_not_published()
    if len(keys) >= MAX_KEYS:
        crashes = rules.app_key_limit_crashes if kind == "app" else rules.dataset_key_limit_crashes
        raise errors.key_limit(rules, crashes=crashes)
    key = new_key(kind)
    keys.append(key)
    return json_reply(asdict(key), 201 if kind == "app" else 200)


def delete_key(state: State, call: Call) -> Reply:
    """DELETE: a 204, and a 404 from then on."""
    keys = _keys(state, call)
    _check_role(call, _ADMINS)
    for key in keys:
        if key.id == call.ids["key_id"]:
            keys.remove(key)
            return empty_reply()
    raise errors.key_not_found(state.rules)


def _check_role(call: Call, roles: tuple[str, ...]) -> None:
    if call.caller.role not in roles:
        raise errors.forbidden()


def _kind(call: Call) -> str:
    return "app" if "app_id" in call.ids else "dataset"


def _keys(state: State, call: Call) -> list[ApiKey]:
    owner = ""
    if _kind(call) == "app":
        try:
            owner = state.find_app(call).id
        except HTTPError:
            raise errors.key_not_found(state.rules, "App not found.") from None
    return state.keys.setdefault(owner, [])


ROUTES: list[Route] = [
    Route(method, path + tail, handler)
    for path in ("/apps/<uuid:app_id>/api-keys", "/datasets/api-keys")
    for method, tail, handler in (
        ("GET", "", list_keys),
        ("POST", "", create_key),
        ("DELETE", "/<uuid:key_id>", delete_key),
    )
]
