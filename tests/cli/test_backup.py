"""`dify-async backup` and `dify-async restore`, and the API of the latter."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dify_async import DifyAuthenticationError, DifyConfigError
from dify_async.restore import plan_restore, restore_apps
from dify_async.testing import FakeDifyServer
from tests.cli.conftest import Command, without_colors
from tests.support import client

UPDATED = {"workflow", "advanced-chat"}


@pytest.fixture
def other() -> Iterator[FakeDifyServer]:
    """Another server, without apps, and with other ids."""
    with FakeDifyServer("1.15.0", apps=0, seed=1) as other:
        yield other


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_backup(command: Command, fake: FakeDifyServer, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    graphs = sum(app.has_workflow for app in fake.apps)
    for exports in (len(fake.apps), graphs):
        fake.reset_counters()
        ended = command("backup", str(folder))
        assert (ended.code, ended.errors) == (0, "")
        assert {row["app_id"] for row in rows_of(ended.output)} == {app.id for app in fake.apps}
        assert {row["file"] for row in rows_of(ended.output)} == {str(path) for path in folder.iterdir()}
        assert fake.count("GET", "/apps/*/export") == exports
    command.at_a_terminal()
    bad = fake.apps[0]
    fake.inject(f"/apps/{bad.id}/export", status=403)
    ended = command("backup", str(tmp_path / "other"), "--include-secrets")
    assert ended.code == 1
    assert f"5 of 6 apps are in {tmp_path / 'other'}" in without_colors(ended.output).replace("\n", "")
    assert f"dify-async: {bad.name}: GET /apps/" in ended.errors
    assert all(path.name.endswith(".secrets.yml") for path in (tmp_path / "other").iterdir())


def test_a_restore_into_another_server(
    command: Command, fake: FakeDifyServer, other: FakeDifyServer, tmp_path: Path
) -> None:
    """The first time it creates all apps, then it updates those that the server can overwrite."""
    assert command("backup", str(tmp_path)).code == 0
    command.use(other)
    ended = command("restore", str(tmp_path), "--yes")
    assert ended.code == 0, ended.errors
    names = [(app.name, app.mode) for app in fake.apps]
    assert sorted((app.name, app.mode) for app in other.apps) == sorted(names)
    ended = command("restore", str(tmp_path), "--yes")
    assert ended.code == 1
    assert len(other.apps) == len(fake.apps)
    for row in rows_of(ended.output):
        assert row["action"] == ("update" if row["mode"] in UPDATED else "skip")
        assert row["app_id"] in {app.id for app in other.apps}
        assert ("skipped: the server cannot" in row["problem"]) == (row["mode"] not in UPDATED)
        assert f"{row['app_name']}: " not in ended.errors  # the plan has the reason
    skipped = sum(app.mode not in UPDATED for app in fake.apps)
    advice = f"skipped files: {skipped}; --copies creates another app for each of them\n"
    assert ended.errors.endswith(f"dify-async: {advice}")
    ended = command("restore", str(tmp_path), "--yes", "--copies", "--json")
    assert ended.code == 0, ended.errors
    actions = [row["action"] for row in json.loads(ended.output)]
    assert len(other.apps) == len(fake.apps) + actions.count("create")
    assert set(actions) == {"create", "update"}


def test_a_renamed_app_is_found_by_its_id(command: Command, fake: FakeDifyServer, tmp_path: Path) -> None:
    assert command("backup", str(tmp_path)).code == 0
    app = next(app for app in fake.apps if app.mode == "workflow")
    name, app.name = app.name, "Renamed"
    # Not this one, although it has the name.
    twin = fake.add_app(name, "workflow")
    count = len(fake.apps)
    rows = rows_of(command("restore", str(tmp_path), "--yes").output)
    (row,) = [row for row in rows if row["app_name"] == name]
    assert (row["action"], row["app_id"]) == ("update", app.id)
    assert (app.name, twin.id != app.id, len(fake.apps)) == (name, True, count)


def test_it_asks_before_it_changes_anything(command: Command, other: FakeDifyServer, tmp_path: Path) -> None:
    assert command("backup", str(tmp_path)).code == 0
    command.use(other)
    ended = command("restore", str(tmp_path))
    assert ended.code == 2
    assert "pass --yes" in ended.errors
    for answer in ("n\n", "\n", ""):
        command.type(answer)
        ended = command("restore", str(tmp_path))
        assert ended.code == 2
        assert "Restore these apps? [y/N]" in ended.errors
        assert "nothing was changed" in ended.errors
    assert other.apps == []
    command.type("y\n")
    assert command("restore", str(tmp_path)).code == 0
    assert len(other.apps) == 6


def test_a_backup_to_a_file(command: Command, fake: FakeDifyServer, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert command("backup", str(file)) == (2, "", f"dify-async: error: {file} is not a folder\n")
    assert not fake.requests


def test_a_folder_that_does_not_exist(command: Command, tmp_path: Path) -> None:
    error = f"dify-async: error: {tmp_path}/no: No such file or directory\n"
    assert command("restore", f"{tmp_path}/no") == (2, "", error)


async def plan(fake: FakeDifyServer, folder: Path, *, copies: bool = False) -> list[tuple[str, str, str]]:
    async with client(fake) as dify:
        steps = await plan_restore(dify, folder, copies=copies)
    return [(step.path.name, step.action, step.reason) for step in steps]


async def test_names_that_several_apps_have(
    fake: FakeDifyServer, other: FakeDifyServer, tmp_path: Path
) -> None:
    """It is never guessed which one is meant."""
    workflow = fake.add_app("Twin", "workflow")
    async with client(fake) as dify:
        text = await dify.export_app(workflow.id)
    (tmp_path / "one.yml").write_text(text, encoding="utf-8")
    assert await plan(other, tmp_path) == [("one.yml", "create", "")]
    other.add_app("Twin", "chat")
    reason = "the server cannot overwrite an app of mode chat"
    assert await plan(other, tmp_path) == [("one.yml", "skip", reason)]
    other.add_app("Twin", "workflow")
    assert await plan(other, tmp_path) == [("one.yml", "skip", "2 apps and 1 files have this name")]
    assert await plan(other, tmp_path, copies=True) == [("one.yml", "create", "")]
    other.apps.pop(0)
    assert await plan(other, tmp_path) == [("one.yml", "update", "")]
    shutil.copy(tmp_path / "one.yml", tmp_path / "two.yml")
    assert {step[1:] for step in await plan(other, tmp_path)} == {
        ("skip", "1 apps and 2 files have this name")
    }


async def test_files_that_are_no_definitions(other: FakeDifyServer, tmp_path: Path) -> None:
    with pytest.raises(DifyConfigError, match="no app definitions"):
        await plan(other, tmp_path)
    with pytest.raises(FileNotFoundError, match="missing"):
        await plan(other, tmp_path / "missing")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(NotADirectoryError):
        await plan(other, tmp_path / "file")
    for name, content in {"a": b"app: [", "b": b"- 1", "c": b"app: {name: x}", "d": b"\xff\xfe\x00"}.items():
        (tmp_path / f"{name}.yml").write_bytes(content)
    (tmp_path / "notes.txt").write_text("app: {name: x, mode: chat}", encoding="utf-8")
    assert await plan(other, tmp_path) == [
        (f"{name}.yml", "skip", "not an app definition") for name in "abcd"
    ]


def test_a_file_that_is_no_definition_cannot_be_copied(
    command: Command, other: FakeDifyServer, tmp_path: Path
) -> None:
    (tmp_path / "list.yml").write_text("- 1", encoding="utf-8")
    command.use(other)
    ended = command("restore", str(tmp_path), "--yes")
    assert ended.code == 1
    assert ended.errors.endswith("dify-async: list.yml: skipped: not an app definition\n")


async def test_the_file_with_secrets_is_used(fake: FakeDifyServer, tmp_path: Path) -> None:
    async with client(fake) as dify:
        for include in (True, False):
            await dify.export_apps([fake.apps[0].id], tmp_path, include_secret=include)
    ((name, _, _),) = await plan(fake, tmp_path)
    assert name.endswith(".secrets.yml")


async def test_a_folder_is_not_a_plan(tmp_path: Path) -> None:
    """Nothing is changed, even if only the last step is wrong."""
    async with FakeDifyServer(apps=2) as fake, client(fake) as dify:
        await dify.export_apps(await dify.apps(), tmp_path)
        steps: list[Any] = await plan_restore(dify, tmp_path)
        fake.reset_counters()
        plans: list[Any] = [str(tmp_path), [*steps, steps[0].path]]
        for wrong in plans:
            with pytest.raises(DifyConfigError, match=r"^each step must be a step of plan_restore\(\), got"):
                await restore_apps(dify, wrong)
        assert fake.count() == 0


async def test_formats_and_errors(tmp_path: Path) -> None:
    """A newer format is confirmed, and reported; an app that fails does not stop the others."""
    async with FakeDifyServer("1.17.0", apps=4) as new, FakeDifyServer("1.15.0", apps=0, seed=1) as old:
        async with client(new) as dify:
            await dify.export_apps(await dify.apps(), tmp_path)
        broken = min(tmp_path.iterdir())
        text = broken.read_text(encoding="utf-8")
        broken.write_text(text.replace("mode: ", "mode: no-"), encoding="utf-8")
        seen: list[tuple[int, int]] = []
        async with client(old) as dify:
            steps = await plan_restore(dify, tmp_path)
            results = await restore_apps(dify, steps, lambda done, total: seen.append((done, total)))
            assert seen[-1] == (4, 4)
            first, *others = results
            assert "no-" in str(first.error)
            assert all(one.error is None and "0.7.0" in one.warning for one in others)
            assert {one.app_id for one in others} == {app.id for app in old.apps}
            old.password = "Another-Password-1"
            old.revoke_all_tokens()
            with pytest.raises(DifyAuthenticationError):
                await restore_apps(dify, steps)
