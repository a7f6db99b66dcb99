"""Who sent a message or started a run: an end user or a console user."""

from typing import Any

from dify_async.testing._console.history import CONSOLE_USERS, session_id
from dify_async.testing._console.models import FakeApp, make_id
from dify_async.testing._console.state import State


def end_user_id(app: FakeApp, user: int) -> str | None:
    """The id of an end user; None for console users."""
    return make_id(app.id, "user", user) if user >= 0 else None


def console_user(state: State, user: int) -> dict[str, str] | None:
    """The id, name and email address of a console user; None for end users."""
    if user >= 0:
        return None
    if user == -1:
        return {"id": state.owner.id, "name": state.owner.name, "email": state.owner.email}
    name = CONSOLE_USERS[-1 - user]
    email = f"{name.partition(' ')[0].lower()}@example.com"
    return {"id": make_id(state.seed, "account", email), "name": name, "email": email}


def sender(state: State, app: FakeApp, user: int) -> dict[str, Any]:
    """The fields of a conversation that say who began it."""
    account = console_user(state, user) or {}
    return {
        "from_source": "console" if account else "api",
        "from_end_user_id": end_user_id(app, user),
        "from_end_user_session_id": None if account else session_id(user),
        "from_account_id": account.get("id"),
        "from_account_name": account.get("name"),
    }


def creator(state: State, app: FakeApp, user: int) -> dict[str, Any]:
    """The fields of a run that say who started it."""
    account = console_user(state, user)
    end_user = {
        "id": end_user_id(app, user),
        "type": "service_api",
        "is_anonymous": False,
        "session_id": session_id(user),
    }
    return {
        "created_by_role": "account" if account else "end_user",
        "created_by_account": account,
        "created_by_end_user": None if account else end_user,
    }
