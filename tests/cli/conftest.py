"""Commands in this process, against a fake console in a thread."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from dify_async.cli import main
from dify_async.testing import FakeDifyServer
from tests.support import zone_at_noon


class Ended(NamedTuple):
    code: int
    output: str
    errors: str


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


class Command:
    """Runs `dify-async` with the account of a fake in the environment."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._capsys = capsys

    def use(self, fake: FakeDifyServer) -> None:
        self.set(DIFY_BASE_URL=fake.base_url, DIFY_EMAIL=fake.email, DIFY_PASSWORD=fake.password)

    def set(self, **environment: str) -> None:
        for name, value in environment.items():
            self._patch.setenv(name, value)

    def at_a_terminal(self, width: int = 80) -> None:
        """As rich sees it."""
        self.set(COLUMNS=str(width), FORCE_COLOR="1", TERM="xterm", NO_COLOR="")

    def type(self, text: str) -> None:
        self._patch.setattr("sys.stdin", Terminal(text))

    def __call__(self, *arguments: str) -> Ended:
        code = main(arguments)
        return Ended(code, *self._capsys.readouterr())


@pytest.fixture
def fake() -> Iterator[FakeDifyServer]:
    with FakeDifyServer("1.15.0", apps=6, timezone=zone_at_noon()) as fake:
        yield fake


@pytest.fixture
def command(
    fake: FakeDifyServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    command = Command(monkeypatch, capsys)
    command.set(COLUMNS="80")
    command.use(fake)
    return command


def without_colors(text: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)
