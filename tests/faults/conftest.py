from __future__ import annotations

import pytest

from tests.support import ERAS


@pytest.fixture(params=ERAS)
def version(request: pytest.FixtureRequest) -> str:
    """One version per era: most faults are about sessions, and the eras differ in how tokens travel."""
    return str(request.param)
