"""Every captured answer of a route of the client is decoded to a value or the right error."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from msgspec import Struct

from dify_async import (
    DifyAuthenticationError,
    DifyConflictError,
    DifyNotFoundError,
    DifyPermissionError,
    DifyRateLimitError,
    DifyServerError,
    DifyStatusError,
    DifyValidationError,
)
from dify_async._http.wire import status_error
from tests.captures import VERSIONS, captures, of_our_routes

CLASSES = {
    308: DifyStatusError,
    400: DifyValidationError,
    401: DifyAuthenticationError,
    403: DifyPermissionError,
    404: DifyNotFoundError,
    405: DifyStatusError,
    409: DifyConflictError,
    414: DifyStatusError,
    415: DifyValidationError,
    422: DifyValidationError,
    429: DifyRateLimitError,
    500: DifyServerError,
}
# What pydantic adds to the reason: it echoes the value.
ECHOES = re.compile(r"validation error|input_value|\"input\"|https?:|\[type=|\"type\"")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_answer_decodes_and_keeps_its_values(version: str) -> None:
    seen = 0
    for capture, endpoint in of_our_routes(version):
        if 200 <= capture.status < 300:
            seen += 1
            value = endpoint.decoder()(capture.reply.body)
            if isinstance(value, Struct):
                assert_same(value, msgspec.json.decode(capture.body), str(capture))
    assert seen > 50


@pytest.mark.parametrize("version", VERSIONS)
def test_every_error_has_the_class_of_its_status(version: str) -> None:
    seen = 0
    for capture in captures(version):
        if capture.status < 300 or capture.is_compressed:
            continue
        seen += 1
        error = status_error(capture.method, capture.route, capture.reply)
        assert type(error) is CLASSES[capture.status], str(capture)
        assert (error.status, error.method, error.path) == (capture.status, capture.method, capture.route)
        assert capture.method in str(error)
        try:
            body = msgspec.json.decode(capture.body)
        except msgspec.DecodeError:
            body = {}
        body = body if isinstance(body, dict) else {}
        assert error.code == (body.get("code") or body.get("custom")), str(capture)
        message = body.get("message")
        assert isinstance(message, str | None)
        assert "\n" not in str(error), str(capture)
        if "errors.pydantic.dev" in (message or ""):
            assert not ECHOES.search(error.message), str(capture)
        else:
            assert error.message.startswith((message or "").strip()[:60]), str(capture)
        for text in (body.get("errors") or {}).values():
            assert text in error.message, str(capture)
    assert seen > 40


def assert_same(value: object, raw: object, where: str) -> None:
    """Each field of a model has the value that the server sent."""
    if isinstance(value, Struct):
        assert isinstance(raw, dict), where
        for name in value.__struct_fields__:
            assert_same(getattr(value, name), raw.get(name), f"{where}.{name}")
    elif isinstance(value, list):
        assert isinstance(raw, list), where
        assert len(value) == len(raw), where
        for index, (one, other) in enumerate(zip(value, raw, strict=True)):
            assert_same(one, other, f"{where}[{index}]")
    elif isinstance(value, msgspec.Raw):
        assert msgspec.json.decode(value) == raw, where
    elif isinstance(value, date):
        assert value.isoformat() == raw, where
    elif isinstance(value, Decimal):
        assert str(value) == str(raw), where
    elif isinstance(value, int) and isinstance(raw, str):
        assert str(value) == raw, where
    elif value in (0, False) and raw is None:
        pass  # the default of a count
    else:
        assert value == raw, where


@pytest.mark.parametrize("version", VERSIONS)
def test_only_the_average_interactions_of_workflows_are_unsorted(version: str) -> None:
    unsorted = set()
    for row in captures(version):
        is_statistic = row.method == "GET" and "/statistics/" in row.path and row.status == 200
        if is_statistic and not row.is_compressed:
            days = [found["date"] for found in msgspec.json.decode(row.body)["data"]]
            if days != sorted(days):
                unsorted.add(row.path.rpartition("/")[2])
    assert unsorted <= {"average-app-interactions"}
