"""Prebuilt answers in the format of Dify 1.11.2."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Final

FIRST_DAY: Final = date(2026, 8, 1)
DAYS: Final = 90
START: Final = "2026-08-01 00:00"
END: Final = "2026-10-30 00:00"

_NUMBERS: Final[dict[str, dict[str, object]]] = {
    "daily-messages": {"message_count": 128},
    "daily-conversations": {"conversation_count": 51},
    "daily-end-users": {"terminal_count": 37},
    "token-costs": {"token_count": 60123, "total_price": "0.0123450", "currency": "USD"},
    "average-session-interactions": {"interactions": 2.51},
    "user-satisfaction-rate": {"rate": 187.5},
    "tokens-per-second": {"tps": 33.6874},
}


def app_id(number: int) -> str:
    return f"{number:08x}-5c29-4b1e-9a53-6a1f0d6a2c11"


def statistics() -> dict[str, bytes]:
    """90 days per statistic, by the last part of the path."""
    days = [str(FIRST_DAY + timedelta(days=number)) for number in range(DAYS)]
    return {
        name: json.dumps({"data": [{"date": day, **numbers} for day in days]}).encode()
        for name, numbers in _NUMBERS.items()
    }


def apps_page(page: int, limit: int, total: int) -> bytes:
    numbers = range((page - 1) * limit, min(page * limit, total))
    body = {
        "page": page,
        "limit": limit,
        "total": total,
        "has_more": page * limit < total,
        "data": [_app(number) for number in numbers],
    }
    return json.dumps(body).encode()


def _app(number: int) -> dict[str, object]:
    return {
        "id": app_id(number),
        "max_active_requests": None,
        "name": f"Support assistant {number}",
        "description": "Answers customers' questions about orders, deliveries and returns.",
        "mode": "chat",
        "icon_type": "emoji",
        "icon": "\N{ROBOT FACE}",
        "icon_background": "#FFEAD5",
        "icon_url": None,
        "model_config": {
            "model": {"provider": "openai", "name": "gpt-4o", "mode": "chat", "completion_params": {}},
            "pre_prompt": "You are a helpful assistant.",
            "created_by": app_id(10**6),
            "created_at": 1761000000,
            "updated_by": app_id(10**6),
            "updated_at": 1761000000,
        },
        "workflow": None,
        "use_icon_as_answer_icon": False,
        "created_by": app_id(10**6),
        "created_at": 1761000000 + number,
        "updated_by": app_id(10**6),
        "updated_at": 1761000000 + number,
        "tags": [],
        "access_mode": None,
        "create_user_name": "Owner",
        "author_name": "Owner",
        "has_draft_trigger": None,
    }
