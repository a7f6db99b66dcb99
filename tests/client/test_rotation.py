"""Rotation of API keys: no failure leaves an app without a usable key."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
from typing import Any

import pytest

from dify_async import (
    AsyncDifyServer,
    DifyAuthenticationError,
    DifyConfigError,
    DifyDecodeError,
    DifyError,
    DifyLoginError,
    DifyNotFoundError,
    DifyPermissionError,
    DifyServerError,
    DifyUnknownOutcomeError,
)
from dify_async.testing import FakeDifyServer
from tests.client.support import created, tokens
from tests.support import JSON, UNKNOWN, VERSIONS, client, shown_by_trackers, until

KEYS, KEY = "/apps/*/api-keys", "/apps/*/api-keys/*"


@pytest.fixture
def version() -> str:
    return "1.15.0"


@pytest.fixture
def app(fake: FakeDifyServer) -> str:
    return fake.apps[0].id


def changes(fake: FakeDifyServer) -> list[str]:
    return [one.method for one in fake.requests if "api-keys" in one.path and one.method != "GET"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_new_key_is_created_before_the_old_one_is_deleted(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str
) -> None:
    old, other = await created(dify, app, 2)
    fake.reset_counters()
    new = await dify.rotate_app_api_key(await dify.app(app), old.id.upper())
    assert tokens(fake, app) == [other.token, new.token]
    assert changes(fake) == ["POST", "DELETE"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_of_ten_keys_is_deleted_first(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str
) -> None:
    keys = await created(dify, app, 10)
    fake.reset_counters()
    new = await dify.rotate_app_api_key(app, keys[3].id)
    assert tokens(fake, app) == [key.token for key in keys if key is not keys[3]] + [new.token]
    assert changes(fake) == ["DELETE", "POST"]


async def test_a_key_that_the_app_does_not_have(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str
) -> None:
    (other,) = await created(dify, fake.apps[1].id, 1)
    fake.reset_counters()
    with pytest.raises(DifyNotFoundError, match=rf"^GET /apps/{app}/api-keys: .* app_api_keys\(\)") as caught:
        await dify.rotate_app_api_key(app, other.id)
    assert caught.value.status == 404
    assert changes(fake) == []
    with pytest.raises(DifyConfigError):
        await dify.rotate_app_api_key(app, "a/b")
    assert fake.count() == 1


@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize(
    "fault", [{"cut": "after"}, {"cut": "body"}, {"headers": {"Content-Encoding": "gzip"}}]
)
async def test_a_new_key_whose_answer_was_lost_is_found(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str, fault: dict[str, Any], count: int
) -> None:
    keys = await created(dify, app, count)
    fake.inject(KEYS, "POST", **fault)
    new = await dify.rotate_app_api_key(app, keys[0].id)
    assert tokens(fake, app) == [key.token for key in keys[1:]] + [new.token]
    assert fake.count("POST", KEYS) == count + 1


async def test_an_answer_without_a_new_key(fake: FakeDifyServer, dify: AsyncDifyServer, app: str) -> None:
    (old,) = await created(dify, app, 1)
    fake.inject(KEYS, "POST", status=200, body=b"<html>", times=1)
    with pytest.raises(DifyDecodeError, match=r"No key was deleted\.$"):
        await dify.rotate_app_api_key(app, old.id)
    assert tokens(fake, app) == [old.token]


@pytest.mark.parametrize(("count", "left"), [(1, "No key was deleted"), (10, "An old key was deleted first")])
async def test_a_key_that_may_not_have_been_created(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str, count: int, left: str
) -> None:
    keys = await created(dify, app, count)
    fake.inject(KEYS, "POST", cut="before")
    with pytest.raises(DifyUnknownOutcomeError, match=rf"^POST .*{left}") as caught:
        await dify.rotate_app_api_key(app, keys[0].id)
    assert caught.value.created_key is None
    assert tokens(fake, app) == [key.token for key in (keys if count == 1 else keys[1:])]


@pytest.mark.parametrize("status", [200, 500])
async def test_a_lost_key_that_is_not_certain_is_not_returned(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str, status: int
) -> None:
    """Another program created a key at the same time, or the list cannot be read."""
    (old,) = await created(dify, app, 1)
    rows = [{"id": str(at), "token": f"app-{'x' * 23}{at}"} for at in range(2)]
    row = {"id": old.id, "token": old.token}
    fake.inject(KEYS, "GET", body=json.dumps({"data": [row]}).encode(), headers=JSON, times=1)
    fake.inject(KEYS, "GET", status=status, body=json.dumps({"data": [row, *rows]}).encode(), headers=JSON)
    fake.inject(KEYS, "POST", cut="after")
    with pytest.raises(DifyUnknownOutcomeError):
        await dify.rotate_app_api_key(app, old.id)
    assert old.token in tokens(fake, app)


@pytest.mark.parametrize(("count", "left"), [(1, "No key was deleted"), (10, "An old key was deleted first")])
async def test_a_key_that_was_not_created(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str, count: int, left: str
) -> None:
    keys = await created(dify, app, count)
    fake.inject(KEYS, "POST", status=500)
    with pytest.raises(DifyServerError, match=left):
        await dify.rotate_app_api_key(app, keys[0].id)
    assert tokens(fake, app) == [key.token for key in (keys if count == 1 else keys[1:])]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 403}, DifyPermissionError),
        ({"status": 500}, DifyServerError),
        ({"cut": "after"}, DifyUnknownOutcomeError),
        ({"cut": "before"}, DifyUnknownOutcomeError),
    ],
)
async def test_the_error_of_a_failed_deletion_has_the_new_key(
    fake: FakeDifyServer,
    dify: AsyncDifyServer,
    fault: dict[str, Any],
    kind: type[DifyError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    app = fake.apps[0].id
    (old,) = await created(dify, app, 1)
    fake.inject(KEY, "DELETE", **fault)
    with pytest.raises(kind, match=r"^DELETE .*`created_key` of this error\.$") as caught:
        await dify.rotate_app_api_key(app, old.id)
    new = caught.value.created_key
    assert new is not None
    assert tokens(fake, app)[-1] == new.token
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (type(copied), str(copied), copied.created_key) == (kind, str(caught.value), new)
    for text in (repr(caught.value), repr(vars(caught.value)), shown_by_trackers(caught.value), caplog.text):
        assert new.token not in text
        assert old.token not in text


async def test_a_deletion_is_retried(fake: FakeDifyServer, dify: AsyncDifyServer, app: str) -> None:
    (old,) = await created(dify, app, 1)
    fake.inject(KEY, "DELETE", cut="after", times=1)
    new = await dify.rotate_app_api_key(app, old.id)
    assert tokens(fake, app) == [new.token]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_cancelled_rotation_leaves_a_usable_key(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str, method: str
) -> None:
    (old,) = await created(dify, app, 1)
    fake.reset_counters()
    fake.inject("/apps/*", method, delay=60)
    rotation = asyncio.create_task(dify.rotate_app_api_key(app, old.id))
    await until(lambda: fake.count(method) == 1)
    rotation.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rotation
    assert tokens(fake, app)[0] == old.token
    fake.remove_faults()
    (result,) = await dify.rotate_app_api_keys([app])
    assert result.value is not None
    assert tokens(fake, app) == [result.value.token]


async def test_concurrent_rotations_of_one_key(fake: FakeDifyServer, dify: AsyncDifyServer, app: str) -> None:
    """Both have listed the old key before either deletes it."""
    (old,) = await created(dify, app, 1)
    fake.inject(KEYS, "POST", delay=0.1)
    async with client(fake) as other:
        new = await asyncio.gather(*(one.rotate_app_api_key(app, old.id) for one in (dify, other)))
    assert sorted(tokens(fake, app)) == sorted(key.token for key in new)


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_new_key_for_all_old_ones_of_each_app(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    apps = await dify.apps()
    for app, count in zip(apps, [0, 1, 2, 10], strict=False):
        await created(dify, app.id, count)
    steps: list[tuple[int, int]] = []
    results = await dify.rotate_app_api_keys(
        [*apps, apps[0].id.upper()], progress=lambda done, of: steps.append((done, of))
    )
    assert steps == [(done, len(apps)) for done in range(1, len(apps) + 1)]
    assert [result.app_id for result in results] == [app.id for app in apps]
    assert [result.error for result in results] == [None] * len(apps)
    for result in results:
        assert result.value is not None
        assert tokens(fake, result.app_id) == [result.value.token]


async def test_an_app_that_fails_has_an_error(fake: FakeDifyServer, dify: AsyncDifyServer, app: str) -> None:
    await created(dify, app, 2)
    fake.inject(f"/apps/{app}/api-keys/*", "DELETE", status=403)
    failed, succeeded, unknown = await dify.rotate_app_api_keys([app, fake.apps[1].id, UNKNOWN])
    assert isinstance(failed.error, DifyPermissionError)
    assert failed.error.created_key is not None
    assert failed.error.created_key.token == tokens(fake, app)[-1]
    assert succeeded.value is not None
    assert isinstance(unknown.error, DifyNotFoundError)
    assert failed.error.created_key.token not in repr([failed, succeeded])
    plain = failed.to_dict()
    assert plain["error"] == str(failed.error)
    assert plain["created_key"] == failed.error.created_key.to_dict()
    assert json.loads(failed.to_json()) == plain
    assert "created_key" not in succeeded.to_dict() | unknown.to_dict()


async def test_an_invalid_app_is_rejected_before_any_key_is_changed(
    fake: FakeDifyServer, dify: AsyncDifyServer, app: str
) -> None:
    for wrong in ([app, "a/b"], app, [app, None]):
        with pytest.raises(DifyConfigError):
            await dify.rotate_app_api_keys(wrong)  # type: ignore[arg-type]  # invalid on purpose
    assert fake.count() == 0


async def test_a_rejected_password_is_raised(fake: FakeDifyServer) -> None:
    async with client(fake, password="Wrong-Password-1") as dify:
        with pytest.raises(DifyLoginError):
            await dify.rotate_app_api_keys([app.id for app in fake.apps])
    assert fake.count("GET", KEYS) == 0


async def test_no_new_key_is_lost_if_the_session_ends(fake: FakeDifyServer) -> None:
    """Raising the error of one app would discard the new keys of the others."""
    async with client(fake, max_concurrency=1) as dify:
        first, second, third = (app.id for app in fake.apps[:3])
        for app in (first, second, third):
            await created(dify, app, 1)
        rejected = b'{"code":"account_banned","message":"Account is banned.","status":401}'
        fake.inject(f"/apps/{second}/*", "DELETE", status=401, body=rejected)
        fake.inject(f"/apps/{third}/*", status=401, body=rejected)
        results = await dify.rotate_app_api_keys([first, second, third])
    assert results[0].value is not None
    assert tokens(fake, first) == [results[0].value.token]
    for result in results[1:]:
        assert isinstance(result.error, DifyAuthenticationError)
    assert results[1].error is not None
    assert results[1].error.created_key is not None
    assert results[1].error.created_key.token == tokens(fake, second)[-1]
    assert results[2].error is not None
    assert results[2].error.created_key is None
