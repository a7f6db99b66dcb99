"""What the tables of a report show."""

from __future__ import annotations

import pytest

from dify_async.cli.report_tables import _change
from dify_async.dashboard.models import Change, Series


@pytest.mark.parametrize(
    ("relative", "less_is_better", "shown", "style"),
    [
        (0.25, False, "+25%", "green"),
        (0.25, True, "+25%", "red"),
        (-0.25, False, "-25%", "red"),
        (-0.25, True, "-25%", "green"),
        (-0.004, False, "0%", ""),
        (0.004, True, "0%", ""),
        (None, False, "", ""),
    ],
)
def test_a_change(relative: float | None, less_is_better: bool, shown: str, style: str) -> None:  # noqa: FBT001
    change = Change(absolute=1, relative=relative)
    series = Series(name="daily_messages", unit="messages", values=(), total=None, change=change)
    text = _change(series, less_is_better=less_is_better)
    assert (text.plain, text.style) == (shown, style)
