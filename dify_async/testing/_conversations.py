"""The conversations of an app, made out of the same messages as its statistics."""

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_async.testing._accounts import make_id
from dify_async.testing._app_bodies import MODEL
from dify_async.testing._http import Call, Reply, Route, json_reply
from dify_async.testing._listing import contains, page_and_limit, page_body
from dify_async.testing._models import TALKING, FakeApp
from dify_async.testing._params import Params
from dify_async.testing._rules import Rules
from dify_async.testing._times import time_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_async.testing._console import Console

_TOPICS = (
    ("Where is my order?", "Where is my order #1042?"),
    ("Refund request", "How do I get a refund?"),
    ("Invoice copy", "Please send the invoice again."),
    ("\u9000\u8d27\u653f\u7b56", "\u8fd9\u4e2a\u8ba2\u5355\u53ef\u4ee5\u9000\u8d27\u5417?"),
    ("Opening hours", "When are you open on public holidays?"),
    ("\u0414\u043e\u0441\u0442\u0430\u0432\u043a\u0430", "100% wool, or mixed?"),
)
_SORTS = ("created_at", "-created_at", "updated_at", "-updated_at")


class Conversation(NamedTuple):
    """A conversation; what is not here follows from its number."""

    number: int
    user: int
    created_at: int
    updated_at: int
    messages: int
    likes: int

    @property
    def name(self) -> str:
        """Its title."""
        return _TOPICS[self.number % len(_TOPICS)][0]

    @property
    def summary(self) -> str:
        """The first question."""
        return _TOPICS[self.number % len(_TOPICS)][1]

    @property
    def session_id(self) -> str | None:
        """The end user's own id; None for somebody in the console."""
        return f"user-{self.user:03}" if self.user >= 0 else None

    @property
    def annotated(self) -> bool:
        """Whether a colleague has put an answer right."""
        return self.number % 11 == 0

    def has(self, rules: Rules, keyword: str) -> bool:
        """Whether a search finds it."""
        texts = (self.name, self.summary, self.session_id or "")
        return any(contains(rules, text, keyword) for text in texts)


def list_conversations(console: "Console", call: Call) -> Reply:
    """GET /apps/{id}/chat-conversations."""
    rules, arguments = console.rules, call.arguments()
    app = console.find_app(call, TALKING)
    params = Params(rules, "ChatConversationQuery", arguments)
    status = params.choice("annotation_status", ("annotated", "not_annotated", "all"), "all")
    page, limit = page_and_limit(params)
    sort = params.choice("sort_by", _SORTS, "-updated_at")
    start, end = time_range(console, call, params)
    moment: Callable[[Conversation], int] = attrgetter(sort.removeprefix("-"))
    rows = [row for row in _conversations(console, app) if _in_range(moment(row), start, end)]
    if status != "all":
        rows = [row for row in rows if row.annotated == (status == "annotated")]
    if keyword := arguments.get("keyword"):
        rows = [row for row in rows if row.has(rules, keyword)]
    rows.sort(key=moment, reverse=sort.startswith("-"))
    shown = [_row(console, app, row) for row in rows[(page - 1) * limit : page * limit]]
    return json_reply(page_body(page, limit, len(rows), shown))


def _in_range(at: int, start: int | None, end: int | None) -> bool:
    # Both ends are included, and the end with its whole minute; statistics leave the end out.
    return (start is None or at >= start) and (end is None or at <= end + 59)


def _conversations(console: "Console", app: FakeApp) -> list[Conversation]:
    key = (app.id, app.messages_per_day)
    if key not in console.conversations:
        found: dict[int, Conversation] = {}
        for row in console.traffic.messages(app):
            talk = found.get(row.conversation)
            if talk is None:
                talk = Conversation(row.conversation, row.user, row.at, row.at, 0, 0)
            found[row.conversation] = talk._replace(
                updated_at=row.at, messages=talk.messages + 1, likes=talk.likes + row.liked
            )
        console.conversations[key] = list(found.values())
    return console.conversations[key]


def _row(console: "Console", app: FakeApp, row: Conversation) -> dict[str, Any]:
    rules = console.rules
    by_user = row.session_id is not None
    has_model = rules.conversation_model and not app.has_workflow
    return {
        "id": make_id(app.id, "conversation", row.number),
        "status": "normal",
        "from_source": "api" if by_user else "console",
        "from_end_user_id": make_id(app.id, "user", row.user) if by_user else None,
        "from_end_user_session_id": row.session_id,
        "from_account_id": None if by_user else console.owner.id,
        "from_account_name": None if by_user else console.owner.name,
        "name": row.name,
        "summary": row.summary,
        "read_at": row.updated_at + 3600 if row.number % 5 == 0 else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "annotated": row.annotated,
        "model_config": {"model": MODEL if has_model else None, "pre_prompt": app.pre_prompt},
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
