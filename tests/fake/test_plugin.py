"""The fixture for users' tests, in a separate run of pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import asyncio
import urllib.request

import pytest

from dify_async import AsyncDifyServer


def test_a_plain_function(fake_dify):
    with urllib.request.urlopen(f"{fake_dify.base_url}/console/api/setup") as answer:
        assert answer.headers["X-Version"] == "1.11.2"
    assert fake_dify.count() == 1


@pytest.mark.fake_dify(version="1.9.1", apps=3)
def test_a_mark(fake_dify):
    async def names():
        async with AsyncDifyServer(fake_dify.base_url, fake_dify.email, fake_dify.password) as dify:
            return [app.name for app in await dify.apps()], await dify.version()

    found, version = asyncio.run(names())
    assert (len(found), version) == (3, "1.9.1")


@pytest.mark.fake_dify("1.10.1")
def test_a_mark_with_the_version_by_its_place(fake_dify):
    assert fake_dify.version == "1.10.1"


@pytest.mark.anyio
async def test_a_coroutine(fake_dify):
    async with AsyncDifyServer(fake_dify.base_url, fake_dify.email, fake_dify.password) as dify:
        assert len(await dify.apps()) == 12


@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


@pytest.mark.slow
def test_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_service.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # else those of a folder above
    options = ("-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider", "-p", "no:randomly")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in ended.stdout, ended.stdout + ended.stderr
