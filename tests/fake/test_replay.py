"""What was sent to running servers is sent to the fake, which answers it in the same way.

Of the routes that change apps and of those about workflows and messages: the same status, and the same
fields as deep as both have something there. The rest of the fake is compared in the other files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from yarl import URL

from tests.captures import Capture, captures

from .user import User

ROUTES: Final = re.compile(
    r"POST /apps|(PUT|DELETE) /apps/ID"
    r"|POST /apps/ID/(copy|api-enable|site-enable|model-config|workflows/publish)"
    r"|GET /apps/ID/(export|workflow-runs|workflow-app-logs|completion-conversations|annotations)"
    r"|GET /apps/ID/feedbacks/export|POST /apps/imports"
)
ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
LEFT_OUT: Final = re.compile(
    # The captures do not tell the content type of what was sent.
    r"content_type|_form$|empty_body|no_body|utf8|json_type|array_body|json_null|bad_json"
    # What came before is not sent, and the fake reads no address.
    r"|_again|no_draft|without_draft|_page_2|url_not_allowed|unknown_workflow_id"
)
# What a model or a workflow says in its own words.
FREE: Final = {"completion_params", "inputs", "metadata", "features", "graph"}


async def test_what_servers_were_sent(user: User, version: str) -> None:
    apps = _apps_of(version)
    seen = 0
    for capture in captures(version):
        asks = ROUTES.fullmatch(f"{capture.method} {ID.sub('ID', capture.route)}")
        # A 401 or 403 is about who asks.
        if not asks or capture.status in {401, 403} or LEFT_OUT.search(capture.case):
            continue
        seen += 1
        app_id = capture.route.split("/")[2] if capture.route.count("/") > 1 else ""
        if app_id in apps and app_id not in {app.id for app in user.fake.apps}:
            name, mode = apps[app_id]
            user.fake.add_app(name, mode, id=app_id, messages_per_day=1)
        status, text = await _sent(user, capture)
        assert status == capture.status, f"{capture}: {text:.300}"
        _assert_same(_read(capture.body), _read(text), str(capture))
    assert seen > 15


def _apps_of(version: str) -> dict[str, tuple[str, str]]:
    """The name and the mode of each app that an answer tells of."""
    found: dict[str, tuple[str, str]] = {}
    for capture in captures(version):
        for one in _dicts(_read(capture.body)):
            if isinstance(one.get("id"), str) and isinstance(one.get("mode"), str) and "name" in one:
                found[one["id"]] = one["name"], one["mode"]
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
