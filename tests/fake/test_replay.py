"""What was sent to running servers is sent to the fake, which answers it in the same way.

The same status, and the same fields as deep as both have something there. What depends on the rows of a
server's database (knowledge bases, messages, statistics) is compared in the other files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from yarl import URL

from tests.captures import Capture

from .user import User, captured

ROUTES: Final = re.compile(
    r"POST /apps|(PUT|DELETE) /apps/ID"
    r"|POST /apps/ID/(copy|api-enable|site-enable|model-config|workflows/publish)"
    r"|GET /apps/ID/(export|workflow-runs|workflow-app-logs|completion-conversations|annotations)"
    r"|GET /apps/ID/feedbacks/export|POST /apps/imports"
    r"|GET /apps|GET /apps/ID|POST /apps/ID/annotations|GET /apps/ID/chat-conversations"
    r"|POST /login|POST /email-code-login(/validity)?|(GET|PATCH) /account/profile|POST /account/timezone"
    r"|(GET|POST) /workspaces/current|GET /workspaces(/current/(summary|members))?|POST /info"
    r"|POST /workspaces/current/members/invite-email|GET /(system-features|features|version|setup)"
    r"|GET /(apps/ID|datasets)/api-keys"
)
ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
LEFT_OUT: Final = re.compile(
    # The captures do not tell the content type of what was sent.
    r"content_type|_form$|form_encoded|text_plain|empty_body|no_body|utf8|json_type|bad_json"
    # What came before is not sent, and the fake reads no address and keeps no drafts.
    r"|_again|no_draft|without_draft|workflow_unpublished|_page_2|url_not_allowed"
    r"|lockout|after_model_config|not_started|after_delete|__deleted|channel_with_agent_app"
    # Accounts and workspaces that are rows of the server's database.
    r"|login__(\w+_)?ok|login__invalid_invite_token|login__null_password"
    r"|banned|without_workspace|archived|of_other_workspace|uninitialized|timezone_null"
    # Sent by another account, with an admin key, or to a server without its database.
    r"|^(10|11)_"
    # Another parser of HTTP.
    r"|unknown_verb|long_query|long_url"
    # A filter that 1.11 removed; some releases before it crash.
    r"|message_count_gte|__all_parameters"
)
# What a model or a workflow says in its own words.
FREE: Final = {"completion_params", "inputs", "metadata", "features", "graph"}


async def test_what_servers_were_sent(user: User, version: str) -> None:
    apps, configs = _apps_of(version), _configs_of(version)
    seen = 0
    for capture in captured(version):
        asks = ROUTES.fullmatch(f"{capture.method} {ID.sub('ID', capture.route)}")
        # A 401 or 403 is about who asks.
        if not asks or capture.status in {401, 403} or LEFT_OUT.search(capture.case):
            continue
        seen += 1
        app_id = capture.route.split("/")[2].lower() if capture.route.count("/") > 1 else ""
        if app_id in apps and app_id not in {app.id for app in user.fake.apps}:
            name, mode = apps[app_id]
            config = configs.get(app_id, {})
            user.fake.add_app(name, mode, id=app_id, messages_per_day=1, config=config)
        status, text = await _sent(user, capture)
        assert status == capture.status, f"{capture}: {text:.300}"
        _assert_same(_read(capture.body), _read(text), str(capture))
    assert seen > 60


def _apps_of(version: str) -> dict[str, tuple[str, str]]:
    """The name and the mode of each app in an answer."""
    found: dict[str, tuple[str, str]] = {}
    for capture in captured(version):
        for one in _dicts(_read(capture.body)):
            if isinstance(one.get("id"), str) and isinstance(one.get("mode"), str) and "name" in one:
                found[one["id"]] = one["name"], one["mode"]
    return found


def _configs_of(version: str) -> dict[str, dict[str, object]]:
    """What was saved of each app's settings."""
    found: dict[str, dict[str, object]] = {}
    for capture in captured(version):
        for one in _dicts(_read(capture.body)):
            config = one.get("model_config")
            if isinstance(config, dict) and "agent_mode" in config and isinstance(one.get("id"), str):
                found.setdefault(one["id"], config)
    return found


def _read(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _dicts(inner)


async def _sent(user: User, capture: Capture) -> tuple[int, str]:
    target = capture.route + (f"?{capture.query}" if capture.query else "")
    url = URL(f"{user.fake.base_url}/console/api{target}", encoded=True)
    headers = user.headers | ({"Content-Type": "application/json"} if capture.sent else {})
    body = capture.sent.encode() or None
    async with user.session.request(capture.method, url, headers=headers, data=body) as answer:
        return answer.status, await answer.text()


def _assert_same(real: Any, fake: Any, where: str) -> None:
    if isinstance(real, dict) and isinstance(fake, dict):
        assert real.keys() == fake.keys(), where
        for key in real.keys() - FREE:
            _assert_same(real[key], fake[key], f"{where}.{key}")
    elif isinstance(real, list) and isinstance(fake, list) and real and fake:
        _assert_same(real[0], fake[0], f"{where}[0]")
    else:
        assert type(real) is type(fake) or real is None or fake is None, where
