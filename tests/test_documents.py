"""Every Python block in the documents runs, and every link has a target."""

from __future__ import annotations

import builtins
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml  # type: ignore[import-untyped]

import dify_async
from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer
from tests.documents import ADMIN_KEY, DOCUMENTS, ROOT, Block, blocks, execute
from tests.redis_server import RedisServer


@pytest.fixture
def console() -> Iterator[FakeDifyServer]:
    """A fake on another thread, since a block is a program that starts its own event loop."""
    with FakeDifyServer("1.15.0", email="ops@example.com", admin_api_key=ADMIN_KEY) as fake:
        yield fake


@pytest.fixture
def settings(
    console: FakeDifyServer, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, str]:
    """Set the environment that a block reads; return the texts to replace, and their replacements."""
    environment = {
        "DIFY_BASE_URL": console.base_url,
        "DIFY_EMAIL": console.email,
        "DIFY_PASSWORD": console.password,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(builtins, "input", lambda _: console.login_code())
    return {
        "https://dify.example.com": console.base_url,
        '"secret"': repr(console.password),
        '"the-workspace-id"': repr(console.workspace_id),
        "redis://redis.example.com:6379/0": redis_server.url,
    }


def made_real(code: str, settings: dict[str, str]) -> str:
    for text, value in settings.items():
        code = code.replace(text, value)
    return code


@pytest.mark.slow
@pytest.mark.usefixtures("patient_redis")
@pytest.mark.parametrize("block", [one for one in blocks() if not one.is_test], ids=str)
def test_a_block_runs(block: Block, console: FakeDifyServer, settings: dict[str, str]) -> None:
    execute(made_real(block.code, settings), console)


@pytest.mark.slow
@pytest.mark.parametrize("block", [one for one in blocks() if one.is_test], ids=str)
def test_a_block_of_tests_passes(block: Block, tmp_path: Path) -> None:
    """In a separate run of pytest, with the plugin of the package."""
    (tmp_path / "test_block.py").write_text(block.code, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\n", encoding="utf-8"
    )  # or pytest reads that of a parent folder
    (tmp_path / "conftest.py").write_text(
        'import pytest\n\n\n@pytest.fixture\ndef anyio_backend():\n    return "asyncio"\n', encoding="utf-8"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:randomly", "-o", "anyio_mode=auto"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_all_blocks_are_found() -> None:
    """A block with another language tag would not run."""
    for path in DOCUMENTS:
        fences = re.findall(r"^```(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert not {"py", "python3", "pycon"} & set(fences)
        assert fences.count("python") == len([one for one in blocks() if one.path == path])
    assert {str(one.path.relative_to(ROOT)) for one in blocks()} >= {"README.md", "docs/index.md"}


@pytest.mark.calendar
@pytest.mark.parametrize(("name", "heading"), [("README.md", "Use"), ("docs/index.md", "A first program")])
def test_the_first_example_is_short_and_shows_costs(
    name: str,
    heading: str,
    console: FakeDifyServer,
    settings: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = next(one.code for one in blocks() if one.path == ROOT / name and one.heading == heading)
    assert len([line for line in code.splitlines() if line]) <= 15
    execute(made_real(code, settings), console)
    output = capsys.readouterr().out
    assert "USD" in output
    assert len(output.splitlines()) <= 12


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_have_targets(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text)
    for link in links:
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        # Pages of the site can only link to pages.
        assert "docs" not in path.relative_to(ROOT).parts or (ROOT / "docs") in target.parents, link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def anchors(text: str) -> set[str]:
    """The anchors of headings, as GitHub and the site generate them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


REFERENCE: Final = sorted((ROOT / "docs/reference").glob("*.md"))


def test_the_reference_has_every_method_once() -> None:
    """`docs/calls.py` makes a table and the entries of these lines."""
    lists = [
        found
        for path in REFERENCE
        for found in re.findall(
            r"^\{\{ calls: ([\w, \n]+) \}\}$", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    listed = [name for names in lists for name in re.split(r"[,\s]+", names)]
    calls = [
        name
        for name, value in inspect.getmembers(AsyncDifyServer)
        if not name.startswith("_") and callable(value)
    ]
    assert sorted(listed) == sorted(calls)


def test_the_reference_has_every_public_name_once() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in REFERENCE)
    entries = re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE)
    assert len(entries) == len(set(entries))
    documented = {entry.rpartition(".")[2] for entry in entries}
    assert set(dify_async.__all__) - documented == {"__version__"}


def test_every_page_is_in_the_navigation_once() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = re.findall(r"([\w/-]+\.md)$", text.partition("\nnav:\n")[2].partition("\n\n")[0], re.MULTILINE)
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(nav) == sorted(pages)


def test_titles_of_pages_differ() -> None:
    titles = [path.read_text(encoding="utf-8").partition("\n")[0] for path in (ROOT / "docs").rglob("*.md")]
    assert len(titles) == len(set(titles))


def test_the_tutorial_logs_in_to_the_fake_server() -> None:
    fake = FakeDifyServer()
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    assert f"DIFY_EMAIL={fake.email} DIFY_PASSWORD={fake.password}" in text


def test_the_diff_of_an_endpoint_matches_the_files() -> None:
    text = (ROOT / "docs/adding-an-endpoint.md").read_text(encoding="utf-8")
    shown = ""
    for line in "\n".join(re.findall(r"^```diff\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)).splitlines():
        if line.startswith("+++ b/"):
            path = Path(line.removeprefix("+++ b/"))
            # The tests may run on the installed package.
            root = Path(dify_async.__file__).parent.parent if path.parts[0] == "dify_async" else ROOT
            shown = (root / path).read_text(encoding="utf-8")
        elif line:
            assert f"{line[1:]}\n" in shown
    assert shown


def test_the_login_guarantee_is_stated_in_the_same_words() -> None:
    guarantee = (
        "All clients that share a token store send the same password at most three times without success"
        " within 24 hours. In total, they send passwords for the account at most five times."
    )
    texts = {
        name: (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
        for name in ("signing-in", "tokens", "security")
    }
    for name, text in texts.items():
        assert guarantee in " ".join(text.split()), name
        has_limits = "\nThe limits:\n\n- Without a shared store" in text
        assert has_limits or "](signing-in.md#a-rejected-password-is-never-sent-again)" in text, name


WORKFLOWS: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))  # not part of the sdist


def test_actions_are_pinned_and_jobs_are_limited() -> None:
    """A tag of an action can be moved, and a job without a limit runs for six hours."""
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        for used in re.findall(r"uses: (.+)", text):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", used), used
        assert "\npermissions: {}\n" in text
        jobs = re.findall(r"^  \w+:$", text.partition("\njobs:\n")[2], re.MULTILINE)
        assert text.count("timeout-minutes:") == len(jobs)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_sessions_and_tests_that_exist(path: Path) -> None:
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    sessions = set(re.findall(r"^def (\w+)\(session: nox.Session\)", noxfile, re.MULTILINE))
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        commands = "\n".join(step.get("run", "") for step in job["steps"])
        named = re.findall(r"--session (\w+)", commands)
        named += job.get("strategy", {}).get("matrix", {}).get("session", [])
        assert {name.partition("-")[0] for name in named} <= sessions
        for test in re.findall(r"\btests/\S+", commands):
            assert (ROOT / test).exists(), test


def test_the_gate_needs_every_job_of_a_pull_request() -> None:
    for path in WORKFLOWS:
        jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
        if "gate" in jobs:
            assert set(jobs["gate"]["needs"]) == {name for name, job in jobs.items() if "if" not in job}
