"""Messages of conversations, and completion conversations, which have one message each."""

from typing import Any

from dify_async.testing._console import errors
from dify_async.testing._console.handlers.app_bodies import model_of
from dify_async.testing._console.handlers.people import console_user, end_user_id, sender
from dify_async.testing._console.handlers.pricing import metadata
from dify_async.testing._console.history import Message, conversation_id, run_id
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.listing import between, matcher, page_and_limit, page_body
from dify_async.testing._console.models import CHAT_MODES, FakeApp, make_id
from dify_async.testing._console.params import Params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State
from dify_async.testing._console.times import time_range

QUESTIONS = ("Where is my order?", "How can I pay?", "When are you open?")
ANSWER = "It is on the way."


def messages(state: State, call: Call) -> Reply:
    """GET /apps/{id}/chat-messages: the latest ones, or those before `first_id`; oldest first."""
    rules, arguments = state.rules, call.arguments()
    app = state.find_app(call, CHAT_MODES)
    params = Params(rules, "ChatMessagesQuery", arguments)
    wanted = params.required("conversation_id")
    limit = params.integer("limit", 20, high=100)
    params.check()
    found = state.traffic.history(app).by_conversation.get(wanted)
    if found is None:
        raise errors.error(404, "not_found", "Conversation Not Exists.")
    rows = [_message(state, app, row, place) for place, row in enumerate(found)]
    if first_id := arguments.get("first_id"):
        ids = [row["id"] for row in rows]
        if first_id not in ids:
            raise errors.error(404, "not_found", "First message not found.")
        rows = rows[: ids.index(first_id)]
    if rules.newest_features:
        rows = [row | {"extra_contents": []} for row in rows]
    return json_reply({"limit": limit, "has_more": len(rows) > limit, "data": rows[-limit:]})


def completions(state: State, call: Call) -> Reply:
    """GET /apps/{id}/completion-conversations."""
    rules, arguments = state.rules, call.arguments()
    app = state.find_app(call, ("completion",))
    params = Params(rules, "CompletionConversationQuery", arguments)
    status = params.choice("annotation_status", ("annotated", "not_annotated", "all"), "all")
    page, limit = page_and_limit(params)
    start, end = time_range(state.rules, call.caller, params)
    rows = between(state.traffic.history(app).messages, start, end, key=lambda row: row.at)[::-1]
    if status == "annotated":
        rows = ()
    if keyword := arguments.get("keyword"):
        count = len(QUESTIONS)
        is_found = matcher(rules, keyword)
        matching = {number for number in range(count) if is_found(QUESTIONS[number])}
        rows = [
            row
            for row in rows
            if (is_found(row.question) if row.question else row.conversation % count in matching)
        ]
    shown = [_completion(state, app, row) for row in rows[(page - 1) * limit : page * limit]]
    return json_reply(page_body(page, limit, len(rows), shown))


def question_of(row: Message) -> str:
    """What the user asked."""
    return row.question or QUESTIONS[row.conversation % len(QUESTIONS)]


def answer_of(row: Message) -> str:
    """What the app answered."""
    return row.answer or ANSWER


def _message(state: State, app: FakeApp, row: Message, place: int) -> dict[str, Any]:
    account = console_user(state, row.user) or {}
    feedback = {
        "rating": "like",
        "content": None,
        "from_source": "user",
        "from_end_user_id": end_user_id(app, row.user),
        "from_account": None,
    }
    return {
        "id": make_id(app.id, "message", row.conversation, place),
        "conversation_id": conversation_id(app.id, row.conversation),
        "inputs": {},
        "query": question_of(row),
        "message": [{"role": "user", "text": question_of(row), "files": []}],
        "message_tokens": row.tokens - row.answer_tokens,
        "answer": answer_of(row),
        "answer_tokens": row.answer_tokens,
        "provider_response_latency": row.latency / 1000,
        "from_source": "console" if account else "api",
        "from_end_user_id": end_user_id(app, row.user),
        "from_account_id": account.get("id"),
        "feedbacks": [feedback] if row.liked else [],
        "workflow_run_id": run_id(app.id, row) if app.has_workflow else None,
        "annotation": None,
        "annotation_hit_history": None,
        "created_at": row.at,
        "agent_thoughts": [],
        "message_files": [],
        "metadata": metadata(row),
        "status": "normal",
        "error": None,
        "parent_message_id": None,
    }


def _completion(state: State, app: FakeApp, row: Message) -> dict[str, Any]:
    model = model_of(app) if state.rules.conversation_model else None
    return {
        "id": conversation_id(app.id, row.conversation),
        "status": "normal",
        **sender(state, app, row.user),
        "read_at": None,
        "created_at": row.at,
        "updated_at": row.at,
        "annotation": None,
        "model_config": {"model": model, "pre_prompt": app.pre_prompt},
        "user_feedback_stats": {"like": int(row.liked), "dislike": 0},
        "admin_feedback_stats": {"like": 0, "dislike": 0},
        "message": {"inputs": {}, "query": "", "message": question_of(row), "answer": answer_of(row)},
    }


ROUTES: list[Route] = [
    Route("GET", "/apps/<uuid:app_id>/chat-messages", messages),
    Route("GET", "/apps/<uuid:app_id>/completion-conversations", completions),
]
