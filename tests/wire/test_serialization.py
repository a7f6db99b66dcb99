"""Answers as plain Python values and as JSON."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

import dify_async
from dify_async import (
    ApiKey,
    AppStatistics,
    CursorPage,
    DailyMessages,
    DifyConfigError,
    DifyServerError,
    Metric,
    Page,
    TokenCosts,
    TokensPerSecond,
    models,
)
from dify_async.models.base import Rows
from dify_async.models.serialization import Serializable
from tests.captures import VERSIONS, of_our_routes


def is_plain(value: object) -> bool:
    """Whether a value consists of exact types of JSON, which every encoder accepts."""
    if type(value) is dict:
        return all(type(key) is str and is_plain(one) for key, one in value.items())
    if type(value) is list:
        return all(map(is_plain, value))
    return type(value) in {str, int, float, bool, type(None)}


def test_every_answer_has_to_dict() -> None:
    """FastAPI cannot return a msgspec Struct."""
    kinds: list[type[Any]] = [getattr(models, name) for name in models.__all__ if name != "Role"]
    kinds += [dify_async.AppStatistics, dify_async.Dashboard, dify_async.AppDashboard, dify_async.AppResult]
    assert [kind for kind in kinds if not issubclass(kind, Serializable)] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_json_of_every_captured_answer_converts_back(version: str) -> None:
    seen = 0
    for capture, endpoint in of_our_routes(version):
        if not 200 <= capture.status < 300:
            continue
        value = endpoint.decoder()(capture.reply.body)
        if isinstance(value, Page | CursorPage):
            assert value.to_dict()["data"] == [row.to_dict() for row in value.data]
            assert json.loads(value.to_json()) == value.to_dict()
        for one in value.data if isinstance(value, Rows | Page | CursorPage) else [value]:
            if isinstance(one, Serializable):
                seen += 1
                assert is_plain(one.to_dict()), str(capture)
                assert json.loads(one.to_json()) == one.to_dict()
                assert msgspec.convert(one.to_dict(), type(one)) == one, str(capture)
    assert seen > 10


def test_values_that_json_lacks() -> None:
    page = Page(
        data=[
            TokenCosts(date(2026, 10, 1), 10**20, Decimal("0E-7"), "USD"),
            TokenCosts(date(2026, 10, 2), 5, Decimal("1.20"), None),
        ],
        total=2,
    )
    assert page.to_dict() == {
        "data": [
            {"date": "2026-10-01", "token_count": 10**20, "total_price": "0.0000000", "currency": "USD"},
            {"date": "2026-10-02", "token_count": 5, "total_price": "1.20", "currency": None},
        ],
        "has_more": False,
        "limit": 0,
        "page": 1,
        "total": 2,
    }
    assert json.loads(page.to_json()) == page.to_dict()
    with pytest.raises(ValueError, match="JSON"):  # browsers do not parse NaN
        TokensPerSecond(date(2026, 10, 1), math.nan).to_json()


def test_secrets_are_masked_in_the_repr_only() -> None:
    key = ApiKey(id="1", type="app", token="app-secret", last_used_at=None, created_at=1)
    assert "app-secret" not in repr(key)
    assert key.to_dict()["token"] == "app-secret"
    site = models.Site(access_token="the-code", code="the-code", title="Help")  # equal on every server
    assert "the-code" not in repr(site)
    assert "Help" in repr(site)


def test_statistics() -> None:
    error = DifyServerError(status=500, method="GET", path="/x")
    found = AppStatistics(
        app_id="1",
        app_name="客服",
        mode="chat",
        daily_messages=[DailyMessages(date(2026, 10, 1), 3)],
        errors={Metric.TOKEN_COSTS: error},
    )
    plain = found.to_dict()
    assert is_plain(plain)
    assert plain["daily_messages"] == [{"date": "2026-10-01", "message_count": 3}]
    assert plain["token_costs"] is None
    assert plain["errors"] == {"token_costs": str(error)}
    assert json.loads(found.to_json()) == plain
    assert "客服" in found.to_json()
    assert repr(found) == "AppStatistics(app_name='客服', app_id='1', mode='chat', metrics=1, errors=1)"


def test_filled_rows_and_columns() -> None:
    one = AppStatistics(
        app_id="a",
        app_name="A",
        mode="chat",
        daily_messages=[DailyMessages(date(2026, 10, 2), 5)],
        token_costs=[TokenCosts(date(2026, 10, 2), 7, Decimal("0.1"), "USD")],
        tokens_per_second=[],
    )
    filled = one.filled(date(2026, 10, 1), datetime(2026, 10, 3, 12))
    assert filled.daily_messages is not None
    assert [row.message_count for row in filled.daily_messages] == [0, 5, 0]
    assert filled.token_costs is not None
    assert filled.token_costs[0] == TokenCosts(date(2026, 10, 1), 0, Decimal(0), "USD")
    assert filled.tokens_per_second is not None
    assert [row.tps for row in filled.tokens_per_second] == [0.0, 0.0, 0.0]
    assert filled.daily_end_users is None
    assert one.filled("2026-10-02 00:00", "2026-10-02 00:00").daily_messages == []
    assert one.to_rows() == [
        {
            "app_id": "a",
            "app_name": "A",
            "mode": "chat",
            "metric": metric,
            "date": date(2026, 10, 2),
            "value": value,
            "unit": unit,
        }
        for metric, value, unit in (
            ("token_costs", 7, "tokens"),
            ("token_costs_USD", Decimal("0.1"), "USD"),
            ("daily_messages", 5, "messages"),
        )
    ]
    columns = one.to_columns()
    assert columns["metric"] == ["token_costs", "token_costs_USD", "daily_messages"]
    assert all(len(column) == 3 for column in columns.values())
    with pytest.raises(DifyConfigError):
        one.filled(datetime(2026, 10, 1, tzinfo=UTC), date(2026, 10, 2))
