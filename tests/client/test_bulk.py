"""Calls for many apps."""

from __future__ import annotations

from pathlib import Path

import pytest

from dify_async import App, AsyncDifyServer, DifyConfigError, DifyLoginError, DifyNotFoundError
from dify_async.testing import FakeDifyServer
from tests.support import UNKNOWN, VERSIONS, client

GRAPHS = {"workflow", "advanced-chat"}  # publishing does not count as a change of the app


@pytest.fixture
def version() -> str:
    return "1.11.2"


async def test_a_key_for_each_app(fake: FakeDifyServer, dify: AsyncDifyServer) -> None:
    apps: list[App | str] = [*await dify.apps(), UNKNOWN, fake.apps[0].id]
    steps: list[tuple[int, int]] = []
    results = await dify.ensure_app_api_keys(apps, progress=lambda done, of: steps.append((done, of)))
    assert [one.app_id for one in results] == [*(app.id for app in await dify.apps()), UNKNOWN]
    # An app that is given as an id is not fetched for its name.
    assert [one.app_name for one in results] == [*(app.name for app in await dify.apps()), ""]
    assert [one.value is None for one in results] == [False] * len(fake.apps) + [True]
    assert isinstance(results[-1].error, DifyNotFoundError)
    assert steps[-1] == (13, 13)
    again = await dify.ensure_app_api_keys(apps)
    assert [one.value for one in again] == [one.value for one in results]
    assert fake.peak_requests <= 8


async def test_a_backup(fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path) -> None:
    fake.add_app("../../etc/passwd", "chat")
    fake.add_app("CON", "chat")
    fake.add_app("x" * 40_000, "chat")
    fake.add_app("\N{CUNEIFORM SIGN A}" * 60, "chat")  # four bytes a letter
    fake.add_app("\N{RIGHT-TO-LEFT OVERRIDE}a/b\x00c", "chat")
    folder = tmp_path / "a" / "b"
    apps = await dify.apps()
    results = await dify.export_apps(apps, folder)
    assert {one.error for one in results} == {None}
    files = sorted(folder.iterdir())
    assert len(files) == len(apps)
    assert {one.value for one in results} == set(files)
    assert all(file.suffix == ".yml" and "kind: app" in file.read_text(encoding="utf-8") for file in files)
    assert list(tmp_path.rglob("*passwd*")) == [
        folder / f"etc_passwd-{next(app.id for app in apps if 'passwd' in app.name)}.yml"
    ]


async def test_a_backup_goes_on_where_it_stopped(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path
) -> None:
    apps = await dify.apps()
    broken = apps[3].id
    fault = fake.inject(f"/apps/{broken}/export", status=403)
    first = await dify.export_apps(apps, tmp_path)
    assert [one.app_id for one in first if one.error] == [broken]
    graphs = sum(app.mode in GRAPHS for app in apps)
    assert len(list(tmp_path.iterdir())) == len(apps) - 1
    fault.remove()
    asked = fake.count("GET", "/apps/*/export")
    second = await dify.export_apps(apps, tmp_path)
    assert {one.error for one in second} == {None}
    assert fake.count("GET", "/apps/*/export") == asked + graphs + (apps[3].mode not in GRAPHS)
    plain = next(app for app in apps if app.mode == "chat")
    await dify.update_app(plain.id, description="new")
    await dify.export_apps(await dify.apps(), tmp_path)
    path = next(one.value for one in second if one.app_id == plain.id)
    assert path is not None
    assert "new" in path.read_text(encoding="utf-8")
    (by_id,) = await dify.export_apps([plain.id], tmp_path)
    (secret,) = await dify.export_apps([plain], tmp_path, include_secret=True)
    assert len({path, by_id.value, secret.value}) == 3


async def test_a_configuration_that_was_changed_is_fetched(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path
) -> None:
    """Up to 1.9.1 the app's timestamp stays the same [1.9.1/model_config_post__chat_ok, app_get__chat]."""
    old = next(app for app in fake.apps if app.mode == "chat")
    old.updated_at = old.configured_at = old.created_at = 1_700_000_000
    await dify.export_apps([await dify.app(old.id)], tmp_path)
    await dify.export_apps([await dify.app(old.id)], tmp_path)
    assert fake.count("GET", "/apps/*/export") == 1
    old.configured_at += 1
    await dify.export_apps([await dify.app(old.id)], tmp_path)
    assert fake.count("GET", "/apps/*/export") == 2


async def test_a_change_of_this_minute_is_fetched_again(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path
) -> None:
    """The app may change again within the same second, without a new timestamp."""
    app = next(app for app in fake.apps if app.mode == "chat")
    await dify.update_app(app.id, description="new")
    for _ in range(2):
        await dify.export_apps([await dify.app(app.id)], tmp_path)
    assert fake.count("GET", "/apps/*/export") == 2


@pytest.mark.parametrize("version", VERSIONS)
async def test_on_each_version(dify: AsyncDifyServer, tmp_path: Path) -> None:
    apps = await dify.apps()
    assert all(one.value for one in await dify.ensure_app_api_keys(apps))
    assert all(one.value and one.value.exists() for one in await dify.export_apps(apps, tmp_path))


async def test_an_app_that_was_renamed_has_one_file(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path
) -> None:
    await dify.export_apps(await dify.apps(), tmp_path)
    await dify.export_apps(await dify.apps(), tmp_path, include_secret=True)
    (tmp_path / "notes.yml").write_text("unrelated")
    before = set(tmp_path.iterdir())
    app = fake.apps[0]
    await dify.update_app(app.id, name="Another name")
    await dify.export_apps(await dify.apps(), tmp_path)
    after = set(tmp_path.iterdir())
    assert {path.name for path in after - before} == {f"Another_name-{app.id}.yml"}
    assert [path.name.endswith(f"{app.id}.yml") for path in before - after] == [True]


async def test_errors_that_affect_all_apps_are_raised(
    fake: FakeDifyServer, dify: AsyncDifyServer, tmp_path: Path
) -> None:
    for wrong in (["../x"], ["a/b"], [""]):
        with pytest.raises(DifyConfigError):
            await dify.export_apps(wrong, tmp_path)
    with pytest.raises(DifyConfigError, match="must be a list of apps"):
        await dify.export_apps(fake.apps[0].id, tmp_path)
    with pytest.raises(DifyConfigError, match=r"an app must be an App or .* a UUID, got None"):
        await dify.ensure_app_api_keys([None])  # type: ignore[list-item]  # invalid on purpose
    async with client(fake, password="Wrong-Password-1") as other:
        with pytest.raises(DifyLoginError):
            await other.export_apps([fake.apps[0].id], tmp_path)
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        await dify.export_apps([fake.apps[0].id], file)
    assert list(tmp_path.iterdir()) == [file]
