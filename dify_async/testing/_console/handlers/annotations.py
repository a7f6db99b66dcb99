"""Annotations, and the export of feedback."""

import csv
import io
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from dify_async.testing._console import errors
from dify_async.testing._console.handlers.messages import QUESTIONS, answer_of, question_of
from dify_async.testing._console.history import Message, conversation_id
from dify_async.testing._console.http import Call, Reply, json_reply
from dify_async.testing._console.listing import contains, page_body
from dify_async.testing._console.models import FakeApp, make_id
from dify_async.testing._console.params import Params, body_params
from dify_async.testing._console.routing import Route
from dify_async.testing._console.state import State

_ANNOTATIONS = 3
_MAX_FEEDBACK = 30  # the latest ones


def annotations(state: State, call: Call) -> Reply:
    """GET /apps/{id}/annotations."""
    app = state.find_app(call)
    arguments = call.arguments()
    page, limit = int(arguments.get("page", 1)), int(arguments.get("limit", 20))
    rows = [
        {
            "id": make_id(app.id, "annotation", number),
            "question": QUESTIONS[number],
            "answer": f"Annotated answer {number}",
            "hit_count": number,
            "created_at": app.created_at + number,
        }
        for number in range(_ANNOTATIONS)
        if contains(state.rules, QUESTIONS[number], arguments.get("keyword", ""))
    ]
    shown = rows[(page - 1) * limit : page * limit]
    return json_reply(page_body(page, limit, len(rows), shown) | {"has_more": len(shown) == limit})


def annotate(state: State, call: Call) -> Reply:
    """POST /apps/{id}/annotations: the annotation is not stored."""
    app = state.find_app(call)
    params = body_params(state.rules, call, "CreateAnnotationPayload")
    params.check()
    sent = params.values
    body = {
        "id": make_id(app.id, "annotation", sent.get("message_id") or sent.get("question")),
        "question": sent.get("question"),
        "answer": sent.get("answer"),
        "hit_count": 0,
        "created_at": int(time.time()),
    }
    return json_reply(body, 201 if state.rules.annotation_is_201 else 200)


def export_feedback(state: State, call: Call) -> Reply:
    """GET /apps/{id}/feedbacks/export: JSON or CSV, since 1.10.1."""
    app = state.find_app(call)
    arguments = call.arguments()
    params = Params(state.rules, "FeedbackExportQuery", arguments)
    if state.rules.pydantic:
        params.choice("format", ("csv", "json"), "csv")
        params.choice("rating", ("like", "dislike"), "like")
    params.check()
    in_range = feedback_range(arguments)
    liked = [row for row in state.traffic.history(app).liked[-_MAX_FEEDBACK:] if in_range(row.at)]
    rows = [] if arguments.get("rating") == "dislike" else [_feedback(app, row) for row in liked]
    if arguments.get("format", "csv") == "json":
        about = {
            "app_id": app.id,
            "export_date": datetime.now(UTC).replace(tzinfo=None).isoformat(),
            "total_records": len(rows),
            "data_source": "dify_feedback_export",
        }
        return json_reply({"export_info": about, "feedback_data": rows})
    file = io.StringIO()
    columns = _feedback(app, Message(0, 0, 0, 0, 0, 0, None, 0, liked=True))
    writer = csv.DictWriter(file, fieldnames=list(columns))
    writer.writeheader()
    writer.writerows(rows)
    return Reply(200, file.getvalue().encode(), {"Content-Type": "text/csv; charset=utf-8-sig"})


def feedback_range(arguments: Mapping[str, str]) -> Callable[[int], bool]:
    """A test for times from the start of one UTC date to the start of another, both inclusive."""
    start, end = (_start_of_day(arguments, name) for name in ("start_date", "end_date"))
    return lambda at: (start is None or start <= at) and (end is None or at <= end)


def _start_of_day(arguments: Mapping[str, str], name: str) -> float | None:
    text = arguments.get(name)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise errors.bad_request(f"Invalid {name} format: {error}") from None


def _feedback(app: FakeApp, row: Message) -> dict[str, Any]:
    moment = datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "feedback_id": make_id(app.id, "feedback", row.conversation, row.at),
        "app_name": app.name,
        "app_id": app.id,
        "conversation_id": conversation_id(app.id, row.conversation),
        "conversation_name": question_of(row),
        "message_id": make_id(app.id, "message", row.conversation, 0),
        "user_query": question_of(row),
        "ai_response": answer_of(row),
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
    Route("GET", "/apps/<uuid:app_id>/annotations", annotations),
    Route("POST", "/apps/<uuid:app_id>/annotations", annotate),
    Route(
        "GET",
        "/apps/<uuid:app_id>/feedbacks/export",
        export_feedback,
        when=lambda rules: rules.exports_feedback,
    ),
]
