"""API keys, of an app and of the workspace's knowledge bases."""

import secrets
import string
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from dify_async.testing._console import errors
from dify_async.testing._console.http import (
    Call,
    Refusal,
    Reply,
    Route,
    empty_reply,
    json_reply,
)
from dify_async.testing._console.models import is_unpublished_agent

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

CAP = 10
_ADMINS = ("owner", "admin")
_EDITORS = (*_ADMINS, "editor")
_ALPHABET = string.ascii_letters + string.digits


@dataclass(slots=True, kw_only=True)
class ApiKey:
    """A key; the lists show the whole token, or a mask of it."""

    type: str
    token: str = field(repr=False)
    id: str = field(default_factory=lambda: str(uuid4()))
    last_used_at: int | None = None
    created_at: int = field(default_factory=lambda: int(time.time()))


def list_keys(console: "Console", call: Call) -> Reply:
    """GET: all at once."""
    if console.rules.guarded_key_lists:
        _check_role(call, _EDITORS if _kind(call) == "app" else _ADMINS)
    rows = [asdict(key) for key in _keys(console, call)]
    if console.masks_keys:
        rows = [row | {"token": f"{row['token'][:5]}...{row['token'][-4:]}"} for row in rows]
    return json_reply({"data": rows})


def make_key(console: "Console", call: Call) -> Reply:
    """POST: 201 for an app, 200 for the knowledge bases; the body does not matter."""
    keys, rules = _keys(console, call), console.rules
    kind = _kind(call)
    _check_role(call, _EDITORS if kind == "app" else _ADMINS)
    if kind == "app" and rules.agents_must_be_published and is_unpublished_agent(console.find_app(call)):
        raise errors.agent_not_published()
    if len(keys) >= CAP:
        crashes = rules.app_key_cap_crashes if kind == "app" else rules.dataset_key_cap_crashes
        raise errors.key_cap(rules, crashes=crashes)
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(24))
    key = ApiKey(type=kind, token=f"{kind}-{letters}")
    keys.append(key)
    return json_reply(asdict(key), 201 if kind == "app" else 200)


def delete_key(console: "Console", call: Call) -> Reply:
    """DELETE: 204, and 404 from then on."""
    keys = _keys(console, call)
    _check_role(call, _ADMINS)
    for key in keys:
        if key.id == call.ids["key_id"]:
            keys.remove(key)
            return empty_reply()
    raise errors.key_not_found(console.rules)


def _check_role(call: Call, roles: tuple[str, ...]) -> None:
    if call.owner.role not in roles:
        raise errors.forbidden()


def _kind(call: Call) -> str:
    return "app" if "app_id" in call.ids else "dataset"


def _keys(console: "Console", call: Call) -> list[ApiKey]:
    owner = ""
    if _kind(call) == "app":
        try:
            owner = console.find_app(call).id
        except Refusal:
            raise errors.key_not_found(console.rules, "App not found.") from None
    return console.keys.setdefault(owner, [])


ROUTES: list[Route] = [
    Route(method, path + tail, handler)
    for path in ("/apps/<uuid:app_id>/api-keys", "/datasets/api-keys")
    for method, tail, handler in (
        ("GET", "", list_keys),
        ("POST", "", make_key),
        ("DELETE", "/<uuid:key_id>", delete_key),
    )
]
