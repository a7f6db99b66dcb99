"""What a reader of the code has to follow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dify_async import AsyncDifyServer
from dify_async.testing import FakeDifyServer
from tests.support import EACH_ERA


@EACH_ERA
async def test_a_rejected_call_with_its_refresh_enters_few_files(
    fake: FakeDifyServer, dify: AsyncDifyServer
) -> None:
    """The whole story of a call in at most 15 files of the package."""
    await dify.profile()
    fake.expire_access_tokens()
    with entered() as modules:
        await dify.profile()
    assert fake.count("POST", "/refresh-token") == 1
    package = {name for name in modules if name.startswith("dify_async.")}
    of_client = {name for name in package if not name.startswith("dify_async.testing")}
    assert "dify_async._auth.session" in of_client
    assert len(of_client) <= 15, sorted(of_client)


@contextmanager
def entered() -> Iterator[set[str]]:
    """The modules whose functions are called in the block."""
    modules: set[str] = set()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            modules.add(frame.f_globals.get("__name__", ""))

    sys.setprofile(profile)
    try:
        yield modules
    finally:
        sys.setprofile(None)
