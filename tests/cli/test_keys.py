"""`dify-async keys`."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from pathlib import Path
from unittest.mock import ANY

import pytest

from dify_async.testing import FakeDifyServer
from tests.cli.conftest import Command, without_colors


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def tokens(fake: FakeDifyServer, app_id: str) -> list[str]:
    return [key.token for key in fake._state.keys.get(app_id, [])]


def test_create_list_and_rotate(command: Command, fake: FakeDifyServer, tmp_path: Path) -> None:
    """Keys are only where they are asked for."""
    first, second = fake.apps[:2]
    target = tmp_path / "keys.csv"
    ended = command("keys", "create", first.name, second.id, "--output", str(target))
    assert (ended.code, ended.output, ended.errors) == (0, "", "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    created = {row["app_id"]: row["key"] for row in rows_of(target.read_text(encoding="utf-8"))}
    assert created == {app.id: tokens(fake, app.id)[-1] for app in (first, second)}
    ended = command("keys", "list")
    assert ended.code == 0
    assert {row["app_id"] for row in rows_of(ended.output)} >= {first.id, second.id}
    command.at_a_terminal(120)
    at_terminal = command("keys", "list", first.name)
    assert first.name in without_colors(at_terminal.output)
    as_json = command("keys", "list", "--json")
    assert {row["app_id"] for row in json.loads(as_json.output)} >= {first.id, second.id}
    assert {row["last_used_at"] for row in json.loads(as_json.output)} == {None}
    for key in created.values():
        assert key not in as_json.output
        assert key not in ended.output + ended.errors + at_terminal.output
    assert {row["key"] for row in rows_of(command("keys", "list", "--stdout").output)} >= {*created.values()}
    ended = command("keys", "rotate", first.name, "--stdout")
    assert ended.code == 0
    (row,) = rows_of(ended.output)
    assert [row["key"]] == tokens(fake, first.id) != [created[first.id]]
    assert tokens(fake, second.id)[-1] == created[second.id]


def test_rotating_all_keys_while_one_app_fails(
    command: Command, fake: FakeDifyServer, tmp_path: Path
) -> None:
    assert command("keys", "create", "--all", "--stdout").code == 0
    unlucky, refused = fake.apps[:2]
    fake.inject(f"/apps/{unlucky.id}/api-keys", "POST", status=403)
    fake.inject(f"/apps/{refused.id}/api-keys/*", "DELETE", status=403)
    ended = command("keys", "rotate", "--all", "--yes", "-o", str(tmp_path / "new.csv"))
    assert ended.code == 1
    assert f"{unlucky.name}: POST /apps/" in ended.errors
    assert f"{refused.name}: DELETE /apps/" in ended.errors
    assert ". The new key was written; delete the old ones in Dify.\n" in ended.errors
    assert "`" not in ended.errors
    assert len(ended.errors.splitlines()) == 2
    found = {row["app_id"]: row["key"] for row in rows_of((tmp_path / "new.csv").read_text(encoding="utf-8"))}
    # The new key of the app whose old key could not be deleted is not lost.
    assert found == {app.id: tokens(fake, app.id)[-1] for app in fake.apps if app is not unlucky}
    assert not any(key in ended.output + ended.errors for key in found.values())


def test_keys_at_a_terminal(command: Command, tmp_path: Path) -> None:
    with FakeDifyServer(apps=2) as fake:
        command.use(fake)
        command.at_a_terminal()
        assert command("keys", "list") == (0, "no API keys\n", ANY)
        target = tmp_path / "keys.csv"
        ended = command("keys", "create", "--all", "--output", str(target))
        assert (ended.code, ended.output) == (0, f"wrote 2 API keys to {target}\n")
        ended = command("keys", "create", fake.apps[0].id, "--output", str(tmp_path / "one.csv"))
        assert ended.output.startswith("wrote 1 API key to ")
        # A progress bar would be drawn over the lines with the keys.
        ended = command("keys", "rotate", "--all", "--yes", "--stdout")
        assert (ended.code, len(rows_of(ended.output)), ended.errors) == (0, 2, "")


def test_replacing_every_key_asks_first(command: Command, fake: FakeDifyServer) -> None:
    assert command("keys", "create", "--all", "--stdout").code == 0
    before = [tokens(fake, app.id) for app in fake.apps]
    for answer in ("n\n", "\n", ""):
        command.type(answer)
        ended = command("keys", "rotate", "--all", "--stdout")
        assert (ended.code, ended.output) == (2, "")
        assert "Replace all API keys of every app (6 in total)? [y/N] " in ended.errors
        assert ended.errors.endswith("error: nothing was changed\n")
    assert [tokens(fake, app.id) for app in fake.apps] == before
    command.type("y\n")
    ended = command("keys", "rotate", "--all", "--stdout")
    assert (ended.code, len(rows_of(ended.output))) == (0, 6)
    assert not {*map(str, before)} & {str(tokens(fake, app.id)) for app in fake.apps}


def test_the_demo_has_keys(command: Command) -> None:
    """Otherwise it would show an empty table."""
    ended = command("keys", "list", "--demo")
    assert ended.code == 0
    rows = rows_of(ended.output)
    assert len({row["app_id"] for row in rows}) > 5
    assert {bool(row["last_used_at"]) for row in rows} == {True, False}


@pytest.mark.parametrize(("width", "shows_ids"), [(80, False), (100, True)])
def test_the_table_fits_the_terminal(command: Command, width: int, *, shows_ids: bool) -> None:
    """Neither ids nor times wrap."""
    command.at_a_terminal(width)
    output = without_colors(command("keys", "list", "--demo").output)
    assert max(map(len, output.splitlines())) <= width
    assert re.search(r"^ Support assistant .* \d{4}-\d\d-\d\d \d\d:\d\d +$", output, re.MULTILINE)
    assert bool(re.search(r" [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} ", output)) is shows_ids


def test_masked_keys(command: Command) -> None:
    with FakeDifyServer("1.17.0", apps=2, masks_keys=True) as fake:
        command.use(fake)
        ended = command("keys", "create", "--all", "--stdout")
        assert ended.code == 0
        keys = {row["key"] for row in rows_of(ended.output)}
        assert all(key.startswith("app-") and len(key) == 28 for key in keys)
        ended = command("keys", "list", "--stdout")
        assert ended.code == 1
        assert "the server masks API keys" in ended.errors
        assert {row["key"] for row in rows_of(ended.output)} == {""}
        assert command("keys", "list").code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rotate", "--all"], "pass either --output FILE or --stdout"),
        (["create", "--all", "--stdout", "--output", "x"], "pass either --output FILE or --stdout"),
        (["rotate", "--stdout"], "give either names or ids of apps, or --all"),
        (["rotate", "Twin", "--all", "--stdout"], "give either names or ids of apps, or --all"),
        (["rotate", "Twins", "--stdout"], "Did you mean 'Twin'? (see `dify-async report`)\n"),
        (["rotate", "zzz", "--stdout"], "List the names of all apps (see `dify-async report`)\n"),
        (["rotate", "Twin", "--stdout"], "2 apps are named 'Twin': "),
        (["rotate", "--all", "--yes", "--output", "old"], "old exists already"),
        (["rotate", "--all", "--yes", "--output", "/no/such/folder/x"], ": /no/such/folder/x: No such file"),
        (["rotate", "--all", "--output", "new"], "pass --yes, or run it at a terminal\n"),
        (["rotate", "app-SECRET0SECRET1SECRET2SEC", "--stdout"], "not an API key"),
        (["rotate", "--all", "--stdout", "--frob"], "--frob"),
        (["list", "--json", "--stdout"], "--json cannot be combined with --output or --stdout"),
    ],
)
def test_wrong_use_changes_nothing(
    command: Command,
    fake: FakeDifyServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old").write_text("keys", encoding="utf-8")
    for _ in range(2):
        fake.add_app("Twin", "chat")
    ended = command("keys", *arguments)
    assert (ended.code, ended.output) == (2, "")
    assert told in ended.errors
    assert "SECRET" not in ended.errors
    assert ended.errors.count("\n") == 1
    assert fake.count("POST", "*/api-keys") == fake.count("DELETE") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert Path("old").read_text(encoding="utf-8") == "keys"
