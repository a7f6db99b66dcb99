"""Masked API keys (dify#42167) are never returned as usable keys."""

from __future__ import annotations

import copy
import json
import pickle
import re

import msgspec
import pytest

from dify_async import AsyncDifyServer, DifyConfigError, DifyMaskedKeyError, DifyUnknownOutcomeError
from dify_async.client.rotation import _KEY
from dify_async.testing import FakeDifyServer
from tests import captures
from tests.client.support import created, tokens
from tests.support import JSON, client

APP_KEYS, DATASET_KEYS = "/apps/*/api-keys", "/datasets/api-keys"


@pytest.fixture
def version() -> str:
    return "1.15.0"


def lists(fake: FakeDifyServer, path: str, *tokens: str) -> None:
    """Set the list of keys, oldest first."""
    rows = [{"id": str(at), "token": token, "created_at": at} for at, token in enumerate(tokens, 1)]
    body = json.dumps({"data": rows}).encode()
    fake.inject(path, "GET", body=body, headers=JSON)


@pytest.mark.parametrize("mask", ["...", "…", "****", "••••", "..", "___", ""])
async def test_a_masked_key_is_never_returned(fake: FakeDifyServer, dify: AsyncDifyServer, mask: str) -> None:
    lists(fake, APP_KEYS, f"app-A{mask}wxyz", f"app-B{mask}wxyz")
    lists(fake, DATASET_KEYS, f"datas{mask}wxyz")
    app = fake.apps[0].id
    for call, path in (
        (dify.ensure_app_api_key(app), f"/apps/{app}/api-keys"),
        (dify.ensure_dataset_api_key(), "/datasets/api-keys"),
    ):
        with pytest.raises(DifyMaskedKeyError, match=rf"^GET {path}: .*create_if_masked=True"):
            await call
    (result,) = await dify.ensure_app_api_keys([app])
    assert result.value is None
    assert isinstance(result.error, DifyMaskedKeyError)
    assert {request.method for request in fake.requests if "api-keys" in request.path} == {"GET"}
    assert [key.token for key in await dify.get_app_api_key(app)] == [f"app-A{mask}wxyz", f"app-B{mask}wxyz"]


async def test_another_one_is_made_if_that_is_asked_for(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = fake.apps[0].id
    there = {key.token for key in await dify.get_app_api_key(app)}
    lists(fake, APP_KEYS, "app-A...wxyz")
    lists(fake, DATASET_KEYS, "datas...wxyz")
    made = await dify.ensure_app_api_key(app, create_if_masked=True)
    (result,) = await dify.ensure_app_api_keys([app], create_if_masked=True)
    assert result.value is not None
    for token in (made.token, result.value.token):
        assert token.startswith("app-")
        assert "..." not in token
        assert token not in there
    assert made != result.value
    of_datasets = await dify.ensure_dataset_api_key(create_if_masked=True)
    assert of_datasets.token.startswith("dataset-")


async def test_a_key_that_is_whole_is_taken_before_a_newer_one_that_is_masked(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    lists(fake, APP_KEYS, "app-Whole1Whole1Whole1Whole1", "app-Whole2Whole2Whole2Whole2", "app-A...wxyz")
    for switch in (False, True):
        key = await dify.ensure_app_api_key(fake.apps[0].id, create_if_masked=switch)
        assert key.token == "app-Whole2Whole2Whole2Whole2"
    assert fake.count("POST", APP_KEYS) == 0


async def test_a_new_key_that_is_masked_is_not_returned_either(fake: FakeDifyServer) -> None:
    lists(fake, DATASET_KEYS)
    body = b'{"id":"1","token":"datas...wxyz"}'
    fake.inject(DATASET_KEYS, "POST", body=body, headers=JSON)
    async with client(fake) as dify:
        for create_if_masked in (False, True):
            with pytest.raises(
                DifyMaskedKeyError, match=r"^POST /datasets/api-keys: .* was created"
            ) as masked:
                await dify.ensure_dataset_api_key(create_if_masked=create_if_masked)
            assert "create_if_masked" not in str(masked.value)


async def test_a_new_key_that_is_masked(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    app = fake.apps[0].id
    (old,) = await created(dify, app, 1)
    body = b'{"id":"1","token":"app-A...wxyz"}'
    fake.inject(APP_KEYS, "POST", body=body, headers=JSON)
    with pytest.raises(DifyMaskedKeyError, match="No key was deleted") as caught:
        await dify.rotate_app_api_key(app, old.id)
    assert caught.value.created_key is not None
    assert caught.value.created_key.id == "1"
    assert fake.count("DELETE") == 0


async def test_a_lost_key_that_is_masked_is_not_returned() -> None:
    async with FakeDifyServer("1.17.0", masks_keys=True) as fake, client(fake) as dify:
        app = fake.apps[0].id
        (old,) = await created(dify, app, 1)
        fake.inject(APP_KEYS, "POST", cut="after", times=1)
        with pytest.raises(DifyUnknownOutcomeError, match="No key was deleted"):
            await dify.rotate_app_api_key(app, old.id)
        assert tokens(fake, app)[0] == old.token
        # Masked lists do not matter if no answer is lost.
        new = await dify.rotate_app_api_key(app, old.id)
        assert old.token not in tokens(fake, app)
        assert tokens(fake, app)[-1] == new.token


@pytest.mark.parametrize("token", ["app-", "", "dataset-A...wxyz", "app-Whole1Whole1Whole1Whole1\n"])
async def test_what_is_not_a_whole_key(fake: FakeDifyServer, dify: AsyncDifyServer, token: str) -> None:
    lists(fake, DATASET_KEYS, token)
    with pytest.raises(DifyMaskedKeyError):
        await dify.ensure_dataset_api_key()


@pytest.mark.parametrize("version", captures.VERSIONS)
def test_captured_keys_are_whole(version: str) -> None:
    """Both kinds of keys have 24 letters and digits after their prefix."""
    bodies = [
        msgspec.json.decode(row.body)
        for row in captures.captures(version)
        if row.route.endswith("api-keys") and row.status in {200, 201}
    ]
    tokens = [key["token"] for body in bodies for key in body.get("data", [body])]
    assert tokens
    assert [token for token in tokens if not re.fullmatch(_KEY, token)] == []


async def test_the_switch_is_one(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    with pytest.raises(DifyConfigError, match="create_if_masked"):
        await dify.ensure_dataset_api_key(create_if_masked="no")  # type: ignore[arg-type]  # invalid on purpose
    assert fake.count() == 0


def test_the_error_pickles_and_copies() -> None:
    error = DifyMaskedKeyError("GET /datasets/api-keys: the server masks its API keys")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is DifyMaskedKeyError
        assert str(other) == str(error)
