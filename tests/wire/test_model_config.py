"""Model configurations are read and written completely."""

from __future__ import annotations

import json

import pytest

from dify_async import AppModelConfig
from dify_async._api import endpoints
from tests.captures import VERSIONS, of_our_routes

READ_ONLY = {"created_by", "created_at", "updated_by", "updated_at"}


def test_a_model_config_keeps_unknown_keys() -> None:
    told: dict[str, object] = {
        "model": {"name": "m", "completion_params": {"temperature": 0.5}},
        "opening_statement": None,
        "suggested_questions": [{"a newer server's": "form"}],
        "new_key": {"enabled": True},
        "created_at": 1,
    }
    config = AppModelConfig.of(told)
    assert config.extra == {"new_key": {"enabled": True}}
    assert config.to_dict() == {name: value for name, value in told.items() if name != "created_at"}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_captured_model_config(version: str) -> None:
    """GET /apps/{id} returns it, POST /apps/{id}/model-config takes it; each key has a field."""
    read = 0
    for one, endpoint in of_our_routes(version):
        if endpoint is endpoints.APP and one.status == 200:
            told = json.loads(one.body)["model_config"]
            if told is not None:
                config = AppModelConfig.of(told)
                assert config.extra == {}
                assert config.to_dict() == {name: told[name] for name in told.keys() - READ_ONLY}
                read += 1
    assert read > 0
