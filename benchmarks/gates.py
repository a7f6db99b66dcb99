"""The goal and limit of each figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Gate:
    """A goal and a limit; lower figures are better unless `more_is_better`."""

    goal: float
    limit: float
    unit: str = "x"
    more_is_better: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.more_is_better else value <= self.limit


def _faster(goal: float, limit: float) -> Gate:
    return Gate(goal, limit, more_is_better=True)


GATES: Final[dict[str, Gate]] = {
    "own layer, over the bare loop": Gate(2, 5, "µs per call"),
    "a statistic, 1 at once / bare": Gate(1.12, 1.25),
    "a statistic, 8 at once / bare": Gate(1.12, 1.25),
    "a statistic, 64 at once / bare": Gate(1.12, 1.25),
    "a statistic, new URLs / bare": Gate(1.15, 1.40),
    "a page of 100 apps / bare": Gate(1.10, 1.20),
    "cookie era / bearer era": Gate(1.0, 1.05),
    "idiomatic aiohttp + msgspec / ours": _faster(1.15, 1.0),
    "httpx + pydantic / ours, 8 at once": _faster(10, 5),
    "httpx + pydantic / ours, 64 at once": _faster(10, 5),
    "httpx2 + pydantic / ours, 8 at once": _faster(6, 4),
    "httpx2 + pydantic / ours, 64 at once": _faster(6, 4),
    "niquests + pydantic / ours, 8 at once": _faster(5, 4),
    "requests in threads + pydantic / ours, 8 at once": _faster(15, 10),
    "refresh of 50 x 7 at 20 ms, 16 at once / ideal": Gate(1.05, 1.10),
    "refresh of 50 x 7 at 20 ms, 64 at once / ideal": Gate(1.20, 1.25),
    "refresh of 50 x 7 at 20 ms, 100 at once / ideal": Gate(1.23, 1.30),
    "refresh by httpx + pydantic / ours, 64 at once, wall": _faster(10, 5),
    "32 apps from a gunicorn worker / best fixed limit": Gate(1.0, 1.2),
    "connections of the first refresh, 16 at once": Gate(16, 16, "opened"),
    "connections of the next four": Gate(0, 0, "opened"),
    "requests for 60 apps, a third idle / all metrics": Gate(0.76, 0.77),
    "requests for 60 apps, two thirds idle / all metrics": Gate(0.51, 0.52),
    "requests for 60 apps, all idle / all metrics": Gate(0.26, 0.27),
    # With these times, not even a perfect client gets below 0.78: the busy apps take most of it.
    "60 apps, two thirds idle, wall / all metrics": Gate(0.78, 0.82),
    "one busy app, wall / all metrics at once": Gate(1.0, 1.05),
    "requests of 4 shared feeds / one feed": Gate(1.0, 1.05),
    "requests of 8 shared feeds / one feed": Gate(1.0, 1.05),
    "requests of 8 feeds that share nothing / one feed": Gate(8, 9),
    "a new snapshot after the refreshing process is killed": Gate(1, 2, "intervals"),
    "decoding 90 days / bare decoder": Gate(1.0, 1.05),
    "10,000 apps, kept": Gate(2.2, 2.5, "KB per app"),
    "10,000 apps, page by page": Gate(1, 3, "MB at most"),
    "import, over aiohttp and msgspec": Gate(5, 15, "ms"),
    "import / aiohttp and msgspec": Gate(1.06, 1.12),
    "redis, pydantic, cryptography imported": Gate(0, 0, "modules"),
    "10 to 10,000 calls queued: dearest / cheapest call": Gate(1.1, 1.2),
    "dashboard of 1,000 x 7 x 90 at 20 ms, 64 at once / ideal": Gate(1.3, 1.3),
    "dashboard of 1,000 apps, process": Gate(150, 150, "MB in all"),
    "dashboard of 1,000 apps, first app": Gate(5, 5, "answers' time"),
    "usage of 60,000 messages / bare": Gate(1.15, 1.3),
    "usage of 60,000 messages / bare, wall": Gate(1.15, 1.3),
    "usage of 60,000 messages, memory": Gate(20, 60, "MB"),
    "usage since a mark, requests": Gate(2, 3, "%"),
    "usage, connections at 8 at once": Gate(8, 8, "opened"),
}
