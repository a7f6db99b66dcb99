"""The faults of a soak."""

from __future__ import annotations

from dify_async.testing import FakeDifyServer, Fault, RecordedRequest

LIFETIME = 2.0  # of access tokens


def inject_faults(fake: FakeDifyServer) -> list[Fault]:
    """Let 7 % of the requests fail."""
    return [
        *(fake.inject(status=status, probability=0.05 / 4) for status in (500, 502, 503, 504)),
        fake.inject(cut="before", probability=0.01),
        fake.inject(cut="after", probability=0.005),
        fake.inject(cut="body", probability=0.005),
    ]


def longest_run_without_success(requests: list[RecordedRequest]) -> int:
    """The most logins in a row that were not answered with tokens: three use up the budget of a password."""
    longest = run = 0
    for request in requests:
        if request.path == "/login":
            run = 0 if request.status == 200 else run + 1
            longest = max(longest, run)
    return longest
