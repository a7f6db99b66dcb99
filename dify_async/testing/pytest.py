"""A fixture of pytest: `fake_dify`, a fake console for each test.

It is there wherever this package is installed. The server runs on a thread of its own, so that tests may
be plain functions or coroutines, under any plugin for them. What `FakeDifyServer` takes is given by a mark:

    @pytest.mark.fake_dify(version="1.10.1", apps=3)
    def test_my_service(fake_dify):
        fake_dify.inject("/apps", status=503, times=1)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_async.testing.server import FakeDifyServer


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, for those who allow no others."""
    config.addinivalue_line(
        "markers", "fake_dify(version, **options): what FakeDifyServer takes, for `fake_dify`"
    )


@pytest.fixture
def fake_dify(request: pytest.FixtureRequest) -> Iterator[FakeDifyServer]:
    """A fake console on loopback; sign in at its `base_url` with its `email` and `password`."""
    # The server is imported by tests that use it: this file is read in each run of pytest.
    from anyio.from_thread import start_blocking_portal  # noqa: PLC0415

    from dify_async.testing.server import FakeDifyServer  # noqa: PLC0415

    mark = request.node.get_closest_marker("fake_dify")
    fake = FakeDifyServer() if mark is None else FakeDifyServer(*mark.args, **mark.kwargs)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(fake) as serving:
        yield serving
