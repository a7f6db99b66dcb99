"""What was said: messages, completion conversations, annotations, feedback."""

import csv
import io
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dify_async.testing._console import errors
from dify_async.testing._console.accounts import make_id
from dify_async.testing._console.history import Message, conversation_id
from dify_async.testing._console.http import Call, Reply, Route, json_reply
from dify_async.testing._console.listing import (
    between,
    contains,
    page_and_limit,
    page_body,
)
from dify_async.testing._console.models import TALKING, FakeApp
from dify_async.testing._console.params import Params, body_params
from dify_async.testing._console.times import time_range

if TYPE_CHECKING:
    from dify_async.testing._console.console import Console

_QUESTIONS = ("Where is my order?", "How can I pay?", "When are you open?")
_ANSWER = "It is on the way."
_ANNOTATIONS = 3
_FEEDBACKS = 30  # the last ones


def messages(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/chat-messages: the last ones, or those before `first_id`; in order of time."""
    rules, arguments = console.rules, call.arguments()
    app = console.find_app(call, TALKING)
    params = Params(rules, "ChatMessagesQuery", arguments)
    wanted = params.required("conversation_id")
    limit = params.integer("limit", 20, high=100)
    params.check()
    said = console.traffic.history(app).by_conversation.get(wanted)
    if said is None:
        raise errors.error(404, "not_found", "Conversation Not Exists.")
    rows = [_message(app, row, place) for place, row in enumerate(said)]
    if first_id := arguments.get("first_id"):
        ids = [row["id"] for row in rows]
        if first_id not in ids:
            raise errors.error(404, "not_found", "First message not found.")
        rows = rows[: ids.index(first_id)]
    if rules.newest_features:
        rows = [row | {"extra_contents": []} for row in rows]
    return json_reply({"limit": limit, "has_more": len(rows) > limit, "data": rows[-limit:]})


def completions(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/completion-conversations: each message is one."""
    rules, arguments = console.rules, call.arguments()
    app = console.find_app(call, ("completion",))
    params = Params(rules, "CompletionConversationQuery", arguments)
    status = params.choice("annotation_status", ("annotated", "not_annotated", "all"), "all")
    page, limit = page_and_limit(params)
    start, end = time_range(console, call, params)
    rows = between(console.traffic.history(app).messages, start, end, moment=lambda row: row.at)[::-1]
    if status == "annotated":
        rows = ()
    if keyword := arguments.get("keyword"):
        matching = {question for question in _QUESTIONS if contains(rules, question, keyword)}
        rows = [row for row in rows if _question(row) in matching]
    shown = [_completion(console, app, row) for row in rows[(page - 1) * limit : page * limit]]
    return json_reply(page_body(page, limit, len(rows), shown))


def annotations(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/annotations."""
    app = console.find_app(call)
    arguments = call.arguments()
    page, limit = int(arguments.get("page", 1)), int(arguments.get("limit", 20))
    rows = [
        {
            "id": make_id(app.id, "annotation", number),
            "question": _QUESTIONS[number],
            "answer": f"Annotated answer {number}",
            "hit_count": number,
            "created_at": app.created_at + number,
        }
        for number in range(_ANNOTATIONS)
        if contains(console.rules, _QUESTIONS[number], arguments.get("keyword", ""))
    ]
    shown = rows[(page - 1) * limit : page * limit]
    return json_reply(page_body(page, limit, len(rows), shown) | {"has_more": len(shown) == limit})


def annotate(console: "Console", call: Call) -> Reply:
    """POST /apps/{id}/annotations: answered, and not kept."""
    app = console.find_app(call)
    params = body_params(console.rules, call, "CreateAnnotationPayload")
    params.check()
    sent = params.values
    body = {
        "id": make_id(app.id, "annotation", sent.get("message_id") or sent.get("question")),
        "question": sent.get("question"),
        "answer": sent.get("answer"),
        "hit_count": 0,
        "created_at": int(time.time()),
    }
    return json_reply(body, 201 if console.rules.annotation_is_201 else 200)


def feedbacks(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/feedbacks/export: JSON or CSV, since 1.10.1."""
    app = console.find_app(call)
    arguments = call.arguments()
    params = Params(console.rules, "FeedbackExportQuery", arguments)
    if console.rules.pydantic:
        params.choice("format", ("csv", "json"), "csv")
        params.choice("rating", ("like", "dislike"), "like")
    params.check()
    liked = [row for row in console.traffic.history(app).messages if row.liked][-_FEEDBACKS:]
    is_meant = feedback_dates(arguments)
    meant = [row for row in liked if is_meant(row.at)]
    rows = [] if arguments.get("rating") == "dislike" else [_feedback(app, row) for row in meant]
    if arguments.get("format", "csv") == "json":
        about = {
            "app_id": app.id,
            "export_date": datetime.now(UTC).replace(tzinfo=None).isoformat(),
            "total_records": len(rows),
            "data_source": "dify_feedback_export",
        }
        return json_reply({"export_info": about, "feedback_data": rows})
    file = io.StringIO()
    nobody = Message(0, 0, 0, 0, 0, 0, None, 0, liked=True)
    writer = csv.DictWriter(file, fieldnames=list(_feedback(app, nobody)))
    writer.writeheader()
    writer.writerows(rows)
    return Reply(200, file.getvalue().encode(), {"Content-Type": "text/csv; charset=utf-8-sig"})


def feedback_dates(arguments: Mapping[str, str]) -> Callable[[int], bool]:
    """Whether a moment is within the days of UTC that were asked for.

    The end is its first moment, and that one is included.
    """
    start, end = (_first_moment(arguments, name) for name in ("start_date", "end_date"))
    return lambda at: (start is None or start <= at) and (end is None or at <= end)


def _first_moment(arguments: Mapping[str, str], name: str) -> float | None:
    text = arguments.get(name)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise errors.bad_request(f"Invalid {name} format: {error}") from None


def _question(row: Message) -> str:
    return _QUESTIONS[row.conversation % len(_QUESTIONS)]


def _message(app: FakeApp, row: Message, place: int) -> dict[str, Any]:
    feedback = {
        "rating": "like",
        "content": None,
        "from_source": "user",
        "from_end_user_id": make_id(app.id, "user", row.user),
        "from_account": None,
    }
    return {
        "id": make_id(app.id, "message", row.conversation, place),
        "conversation_id": conversation_id(app.id, row.conversation),
        "inputs": {},
        "query": _question(row),
        "message": [{"role": "user", "text": _question(row), "files": []}],
        "message_tokens": row.tokens - row.answer_tokens,
        "answer": _ANSWER,
        "answer_tokens": row.answer_tokens,
        "provider_response_latency": row.latency / 1000,
        "from_source": "api",
        "from_end_user_id": make_id(app.id, "user", row.user),
        "from_account_id": None,
        "feedbacks": [feedback] if row.liked else [],
        "workflow_run_id": None,
        "annotation": None,
        "annotation_hit_history": None,
        "created_at": row.at,
        "agent_thoughts": [],
        "message_files": [],
        "metadata": {},
        "status": "normal",
        "error": None,
        "parent_message_id": None,
    }


def _completion(console: "Console", app: FakeApp, row: Message) -> dict[str, Any]:
    by_user = row.user >= 0
    return {
        "id": conversation_id(app.id, row.conversation),
        "status": "normal",
        "from_source": "api" if by_user else "console",
        "from_end_user_id": make_id(app.id, "user", row.user) if by_user else None,
        "from_end_user_session_id": f"user-{row.user:03}" if by_user else None,
        "from_account_id": None if by_user else console.owner.id,
        "from_account_name": None if by_user else console.owner.name,
        "read_at": None,
        "created_at": row.at,
        "updated_at": row.at,
        "annotation": None,
        "model_config": {"model": None, "pre_prompt": app.pre_prompt},
        "user_feedback_stats": {"like": int(row.liked), "dislike": 0},
        "admin_feedback_stats": {"like": 0, "dislike": 0},
        "message": {"inputs": {}, "query": "", "message": _question(row), "answer": _ANSWER},
    }


def _feedback(app: FakeApp, row: Message) -> dict[str, Any]:
    moment = datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "feedback_id": make_id(app.id, "feedback", row.conversation, row.at),
        "app_name": app.name,
        "app_id": app.id,
        "conversation_id": conversation_id(app.id, row.conversation),
        "conversation_name": _question(row),
        "message_id": make_id(app.id, "message", row.conversation, 0),
        "user_query": _question(row),
        "ai_response": _ANSWER,
        "feedback_rating": "\N{THUMBS UP SIGN}",
        "feedback_rating_raw": "like",
        "feedback_comment": "",
        "feedback_source": "user",
        "feedback_date": moment,
        "message_date": moment,
        "from_account_name": "",
        "from_end_user_id": make_id(app.id, "user", row.user),
        "has_comment": "No",
    }


ROUTES: list[Route] = [
    Route("GET", "/apps/<uuid:app_id>/chat-messages", messages),
    Route("GET", "/apps/<uuid:app_id>/completion-conversations", completions),
    Route("GET", "/apps/<uuid:app_id>/annotations", annotations),
    Route("POST", "/apps/<uuid:app_id>/annotations", annotate),
    Route(
        "GET",
        "/apps/<uuid:app_id>/feedbacks/export",
        feedbacks,
        when=lambda rules: rules.exports_feedbacks,
    ),
]
