"""Machines without a time zone database: Windows, and slim images."""

from __future__ import annotations

import asyncio
import sys
import tomllib
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dify_async import AsyncDifyServer, DashboardFeed, DifyConfigError
from dify_async.sync import DifyServer
from dify_async.testing import FakeDifyServer
from dify_async.testing.__main__ import main
from tests.support import an_app

HINT = r"'America/New_York' is not in .*database; if the name is right, install the package tzdata"


@pytest.fixture
def version() -> str:
    return "1.11.2"


@contextmanager
def no_database() -> Iterator[None]:
    """A machine without a time zone database and without the package tzdata."""
    known = ("tzdata", *(name for name in sys.modules if name.startswith("tzdata.")))
    path = zoneinfo.TZPATH
    with pytest.MonkeyPatch.context() as patch:
        for name in known:
            patch.setitem(sys.modules, name, None)
        zoneinfo.reset_tzpath(())
        zoneinfo.ZoneInfo.clear_cache()
        try:
            yield
        finally:
            zoneinfo.reset_tzpath(path)


def test_the_package_brings_a_database_on_windows() -> None:
    """pyTibber#306, orchestra#24."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    dependencies = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    assert "tzdata ; sys_platform == 'win32'" in dependencies


async def test_calls_that_need_a_zone_say_what_to_install(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """changedetection.io#2826, bugsink PR 416."""
    now = datetime.now(UTC)

    def blocking() -> None:
        with DifyServer(fake.base_url, fake.email, fake.password) as other:
            other.dashboard(days=7)

    with no_database():
        for call in (dify.dashboard(days=7), dify.daily_messages(an_app(fake), now, now)):
            with pytest.raises(DifyConfigError, match=HINT):
                await call
        async with DashboardFeed(dify) as feed:
            with pytest.raises(DifyConfigError, match=HINT):
                await feed.get()
        with pytest.raises(DifyConfigError, match=HINT):
            await asyncio.to_thread(blocking)


def test_the_fake_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    with no_database():
        with pytest.raises(DifyConfigError, match=HINT):
            FakeDifyServer()
        assert main(["--port", "0"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "install the package tzdata" in line


@pytest.mark.parametrize("name", ["Nowhere/Nowhere", "America", "", "../etc/passwd", "a\0b"])
def test_zones_that_do_not_exist(name: str) -> None:
    with pytest.raises(DifyConfigError, match="tzdata"):
        FakeDifyServer(timezone=name)
