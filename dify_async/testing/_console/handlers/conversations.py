"""The conversations of an app, derived from the same messages as its statistics."""

from collections.abc import Iterable, Sequence
from typing import Any

from dify_async.testing._console.handlers.app_bodies import model_of
from dify_async.testing._console.handlers.people import sender
from dify_async.testing._console.history import Conversation, conversation_id, session_id
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.listing import between, matcher, page_and_limit, page_body
from dify_async.testing._console.models import CHAT_MODES, FakeApp
from dify_async.testing._console.params import Params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.rules import Rules
from dify_async.testing._console.state import State
from dify_async.testing._console.times import time_range

# The title and the first question
_TOPICS = (
    ("Where is my order?", "Where is my order #1042?"),
    ("Refund request", "How do I get a refund?"),
    ("Invoice copy", "Please send the invoice again."),
    ("\u9000\u8d27\u653f\u7b56", "\u8fd9\u4e2a\u8ba2\u5355\u53ef\u4ee5\u9000\u8d27\u5417?"),
    ("Opening hours", "When are you open on public holidays?"),
    ("\u0414\u043e\u0441\u0442\u0430\u0432\u043a\u0430", "100% wool, or mixed?"),
)
_SORTS = ("created_at", "-created_at", "updated_at", "-updated_at")


def list_conversations(state: State, call: Call) -> Reply:
    """GET /apps/{id}/chat-conversations."""
    rules, arguments = state.rules, call.arguments()
    app = state.find_app(call, CHAT_MODES)
    params = Params(rules, "ChatConversationQuery", arguments)
    status = params.choice("annotation_status", ("annotated", "not_annotated", "all"), "all")
    page, limit = page_and_limit(params)
    sort = params.choice("sort_by", _SORTS, "-updated_at")
    start, end = time_range(state.rules, call.caller, params)
    history = state.traffic.history(app)
    if app.mode == "advanced-chat":  # the server lists none from the editor
        history = history.without_debug
    if sort.endswith("created_at"):
        rows = between(history.conversations, start, end, key=lambda row: row.created_at)
    else:
        rows = between(history.updated_conversations, start, end, key=lambda row: row.updated_at)
    if status != "all":
        rows = [row for row in rows if _is_annotated(row) == (status == "annotated")]
    if keyword := arguments.get("keyword"):
        rows = _search(rules, rows, history.by_user, keyword)
    if sort.startswith("-"):
        rows = rows[::-1]
    shown = [_row(state, app, row) for row in rows[(page - 1) * limit : page * limit]]
    return json_reply(page_body(page, limit, len(rows), shown))


def _search(
    rules: Rules, rows: Sequence[Conversation], users: Iterable[int], keyword: str
) -> list[Conversation]:
    is_found = matcher(rules, keyword)
    topics = {number for number, texts in enumerate(_TOPICS) if any(map(is_found, texts))}
    matching = {user for user in users if user >= 0 and is_found(session_id(user))}
    count = len(_TOPICS)
    return [
        row
        for row in rows
        if row.user in matching or (is_found(row.question) if row.question else row.number % count in topics)
    ]


def _is_annotated(row: Conversation) -> bool:
    """Whether an answer has an annotation."""
    return row.number % 11 == 0


def _row(state: State, app: FakeApp, row: Conversation) -> dict[str, Any]:
    rules = state.rules
    name, summary = (row.question,) * 2 if row.question else _TOPICS[row.number % len(_TOPICS)]
    model = model_of(app) if rules.conversation_model else None
    return {
        "id": conversation_id(app.id, row.number),
        "status": "normal",
        **sender(state, app, row.user),
        "name": name,
        "summary": summary,
        "read_at": row.updated_at + 3600 if row.number % 5 == 0 else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "annotated": _is_annotated(row),
        "model_config": {"model": model, "pre_prompt": app.pre_prompt},
        "message_count": row.messages,
        "user_feedback_stats": {"like": row.likes, "dislike": int(row.number % 13 == 0)},
        "admin_feedback_stats": {"like": 0, "dislike": 0},
        "status_count": _status_count(rules, app, row),
    }


def _status_count(rules: Rules, app: FakeApp, row: Conversation) -> dict[str, int | None] | None:
    if app.has_workflow:
        failed = int(row.number % 7 == 0)
        counts: dict[str, int | None] = {
            "success": row.messages - failed,
            "failed": failed,
            "partial_success": 0,
        }
        return counts | {"paused": 0} if rules.paused_count else counts
    if rules.null_status_count:
        return None
    empty = None if rules.null_counts else 0
    counts = dict.fromkeys(("success", "failed", "partial_success"), empty)
    return counts | {"paused": empty} if rules.paused_count else counts


ROUTES: list[Route] = [Route("GET", "/apps/<uuid:app_id>/chat-conversations", list_conversations)]
