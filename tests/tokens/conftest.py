from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _patient(patient_redis: None) -> None:
    """None of these tests is about a slow Redis."""
