"""The tokens and prices of messages and of the nodes of workflow runs, which add up to the statistics."""

from decimal import Decimal
from typing import Any

from dify_async.testing._console.history import Message


def metadata(row: Message) -> dict[str, Any]:
    """The metadata of a message; empty if its price is unknown."""
    if row.price is None:
        return {}
    usage = usage_of(row.tokens - row.answer_tokens, row.answer_tokens, row.price, row.latency)
    return {"annotation_reply": None, "retriever_resources": [], "usage": usage}


def usage_of(prompt: int, answer: int, price: int, latency: int) -> dict[str, Any]:
    """The usage of a call of a model, with its price in 0.0000001 USD and its time in milliseconds."""
    return {
        "prompt_tokens": prompt,
        "prompt_unit_price": "0.15",
        "prompt_price_unit": "0.000001",
        "prompt_price": _text(price // 2),
        "completion_tokens": answer,
        "completion_unit_price": "0.6",
        "completion_price_unit": "0.000001",
        "completion_price": _text(price - price // 2),
        "total_tokens": prompt + answer,
        "total_price": _text(price),
        "currency": "USD",
        "latency": latency / 1000,
    }


def _text(price: int) -> str:
    return str(Decimal(price).scaleb(-7))
