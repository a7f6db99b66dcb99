"""The pytest fixture `fake_dify`: a fake server for each test.

It is available wherever this package is installed. The server runs in a separate thread, so tests may be
plain functions, or coroutines under any async plugin. Pass arguments of `FakeDifyServer` with a marker:

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
    """Register the marker, for `--strict-markers`."""
    config.addinivalue_line(
        "markers", "fake_dify(version, **options): arguments of FakeDifyServer for the fixture `fake_dify`"
    )


@pytest.fixture
def fake_dify(request: pytest.FixtureRequest) -> Iterator[FakeDifyServer]:
    """A fake server on loopback; log in at its `base_url` with its `email` and `password`."""
    # Imported here because every run of pytest loads this plugin, whether or not a test uses it.
    from dify_async.testing.server import FakeDifyServer  # noqa: PLC0415

    marker = request.node.get_closest_marker("fake_dify")
    fake = FakeDifyServer() if marker is None else FakeDifyServer(*marker.args, **marker.kwargs)
    with fake:
        yield fake
