"""Lets the feeds of many processes refresh once: one of them fetches, the others read its snapshot."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
import uuid
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

import anyio

from dify_async._concurrency import cancel_and_wait

from .layout import SharedError, SharedSnapshot, State, decoded_snapshot, decoded_state, encoded
from .snapshot import Outcome, Snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dify_async._redis_snapshots import SnapshotStore

    from .history import History

logger: Final = logging.getLogger("dify_async")

# Parts of an interval. The feed that refreshed last comes first, before the others look for its snapshot.
_DUE: Final = 0.9
_FIRST: Final = (0.95, 1.05)
_OTHERS: Final = (1.05, 1.15)
_ALONE: Final = (0.9, 1.1)
# The others also wait for the refresh, which may take twice as long as the last one, but no longer than this:
# if the last one was slow, they would miss the next ones, and notice late that the first feed has died.
_MAX_TOOK: Final = 0.85
# A feed that runs sees a new state soon: a larger difference is that of two machines' clocks.
_MAX_LAG: Final = 0.2
# While feeds run, the next refresh begins within this, even if the feed that refreshes dies.
_OLD: Final = 2.0
# A lease that is not extended for half of an interval is lost: its process has died.
_LEASE: Final = 0.5
_MAX_LEASE: Final = 10.0
# Callers that wait for the refresh of another feed wait at most a quarter longer than it takes.
_MIN_WAIT: Final = 0.05  # seconds
_LONGER: Final = 1.25
_RELEASE_TIMEOUT: Final = 2.5
# The values in Redis outlive a restart of the service.
_TTL: Final = 24 * 3600.0


class Fetch(Protocol):
    """Fetches the dashboard; if that fails, what was known stays, with the error."""

    async def __call__(self, known: Outcome, /, *, all_days: bool) -> Outcome:
        """The outcome of the refresh."""


class SharedRefresh:
    """Reads the shared snapshot, or refreshes it for all feeds.

    A feed refreshes if the last refresh is an interval ago and no other feed has the lease. No feed leads
    for good: the one that refreshed last looks first, and the others a little later, when its snapshot should
    be there. So they read two values per interval, any of them can take over, and the shortest interval
    applies.

    Versions order what is published. A feed that has lost its lease does not replace what another has
    published, and no feed replaces what it shows by an older snapshot.
    """

    def __init__(self, store: SnapshotStore, interval: float, history: History, fetch: Fetch) -> None:
        self._store = store
        self._interval = interval
        self._history = history
        self._fetch = fetch
        self._holder = uuid.uuid4().hex
        self._seen = b""  # the state as it was in Redis at the last look
        self._state: State | None = None
        self._version = 0  # the highest that was seen, which continues if Redis is emptied
        self._shown: int | None = None  # the version of the snapshot that is shown; None if not of Redis
        # Snapshots of this version or later were certainly fetched after the one that is shown.
        self._newer_from = math.inf
        self._is_first = False  # whether this feed made the last refresh
        self._refreshed_at = -math.inf  # the last refresh of any feed, by this machine's monotonic clock
        self._is_available = True
        self._may_have_lease = False  # also if the response was lost

    def pause(self) -> float:
        """Seconds until the next look."""
        low, high = _ALONE if not self._is_available else _FIRST if self._is_first else _OTHERS
        due = self._interval * random.uniform(low, high)  # noqa: S311 - not a secret
        if self._is_available and not self._is_first:
            due += min(2 * self._took, _MAX_TOOK * self._interval)
        left = due - (time.monotonic() - self._refreshed_at)
        if left > 0:
            return left
        # It is overdue, so another feed has the lease. A look takes two commands.
        return self._interval if self._took > self._interval else _LEASE * self._interval

    async def refresh(self, known: Outcome, *, now: bool, all_days: bool) -> Outcome:
        """What to show next: the shared snapshot if it is fresh, otherwise a new one for all feeds.

        Args:
            known: What is shown.
            now: Whether to refresh in any case. A refresh of another feed that is under way counts.
            all_days: Whether to fetch past days again; then no other refresh counts.
        """
        try:
            known, has_lease = await self._look(known, now=now, all_days=all_days)
        except Exception as error:  # noqa: BLE001 - redis-py raises errors of many classes
            self._report(error)
            return await self._refresh(known, all_days=all_days)
        self._report(None)
        if not has_lease:
            return known
        async with self._extended_lease():
            started = time.monotonic()
            if not self._is_first and not all_days:
                await self._load_history()
            outcome = await self._refresh(known, all_days=all_days)
            return await self._publish(outcome, time.monotonic() - started)

    async def aclose(self) -> None:
        """Give the lease back, and close the connections to Redis."""
        if self._may_have_lease:
            with anyio.move_on_after(_RELEASE_TIMEOUT, shield=True), suppress(Exception):
                await self._release()
        with anyio.move_on_after(_RELEASE_TIMEOUT, shield=True), suppress(Exception):
            await self._store.aclose()

    async def _look(self, known: Outcome, *, now: bool, all_days: bool) -> tuple[Outcome, bool]:
        """What is shown by now, and whether this feed has the lease to refresh it.

        Other feeds may refresh while it is shown, but not while callers wait for the first snapshot, and what
        was left in Redis is old.
        """
        is_first_look = known == Outcome()
        known = await self._read(known)
        before, wait = self._version, _MIN_WAIT
        while True:
            is_due = time.monotonic() - self._refreshed_at >= _DUE * self._interval
            if not (now or all_days or is_due):
                return known, False
            self._may_have_lease = True
            if await self._store.acquire(self._holder, self._seen, self._lease):
                return known, True
            self._may_have_lease = False
            has_to_wait = now or all_days or known == Outcome() or (is_first_look and self._is_old)
            if not has_to_wait:
                return known, False
            await anyio.sleep(wait)
            wait = min(_LONGER * wait, _LEASE * self._interval)
            known = await self._read(known)
            if self._version > before and known != Outcome() and not all_days:
                return known, False

    async def _read(self, known: Outcome) -> Outcome:
        """What is shown, updated from Redis if something was published."""
        seen = await self._store.state()
        if seen != self._seen:
            known = await self._read_state(seen, known)
        if self._state is not None:
            # A refresh begins after the one before was published: the next but one has not begun yet.
            self._newer_from = min(self._newer_from, self._state.version + 2)
        return known

    async def _read_state(self, seen: bytes, known: Outcome) -> Outcome:
        self._is_first = False
        before, self._state = self._state, decoded_state(self._store.opened(seen))
        state = self._state
        if state is not None:
            self._version = max(self._version, state.version)
            lag = max(0.0, (datetime.now(UTC) - state.refreshed_at).total_seconds())
            if before is not None:
                lag = min(lag, _MAX_LAG * self._interval)
            self._refreshed_at = time.monotonic() - lag
            if state.snapshot_version != (self._shown or 0):
                known = await self._read_snapshot(known)
            known = known.failed(None if state.error is None else state.error.error())
        # Redis may also have been emptied, or have been written with another key.
        self._seen = seen
        return known

    async def _read_snapshot(self, known: Outcome) -> Outcome:
        found = await anyio.to_thread.run_sync(decoded_snapshot, await self._store.snapshot())
        if found is None:
            self._refreshed_at = -math.inf
            return known
        is_later = known.snapshot is None or found.fetched_at > known.snapshot.fetched_at
        # Versions are certain, while the clocks of two machines may differ.
        if not is_later and found.version < self._newer_from:
            return known
        self._show(found.version)
        age = max(0.0, (datetime.now(UTC) - found.fetched_at).total_seconds())
        return Outcome(
            Snapshot(
                dashboard=found.dashboard, fetched_at=found.fetched_at, monotonic_at=time.monotonic() - age
            )
        )

    async def _refresh(self, known: Outcome, *, all_days: bool) -> Outcome:
        outcome = await self._fetch(known, all_days=all_days)
        self._refreshed_at, self._is_first = time.monotonic(), False
        if outcome.error is None:
            self._shown, self._newer_from = None, math.inf
        return outcome

    def _show(self, version: int) -> None:
        self._shown, self._newer_from = version, version + 1

    async def _publish(self, outcome: Outcome, took: float) -> Outcome:
        """Share the outcome; what another feed has published in the meantime is shown if it is newer."""
        last = self._state
        version = self._version + 1
        shared = 0 if last is None else last.snapshot_version
        error = None if outcome.error is None else SharedError.of(outcome.error)
        try:
            values = None
            if error is None and outcome.snapshot is not None:
                shared = version
                values = await anyio.to_thread.run_sync(self._packed, version, outcome.snapshot)
            state = State(version, shared, datetime.now(UTC), took, error)
            packed = self._store.closed(encoded(state))
            if not await self._store.publish(self._seen, packed, values, max(_TTL, 4 * self._interval)):
                return await self._read(outcome)
            self._seen, self._state, self._version, self._is_first = packed, state, version, True
            if values is not None:
                self._show(version)
            await self._release()
        except Exception as failure:  # noqa: BLE001 - redis-py raises errors of many classes
            self._report(failure)
        return outcome

    async def _release(self) -> None:
        await self._store.release(self._holder)
        self._may_have_lease = False

    def _packed(self, version: int, snapshot: Snapshot) -> tuple[bytes, bytes]:
        shared = SharedSnapshot(version, snapshot.fetched_at, snapshot.dashboard)
        return self._store.closed(encoded(shared)), self._store.closed(self._history.encoded())

    async def _load_history(self) -> None:
        """Continue with the rows of past days that the last feed to refresh has kept."""
        with suppress(Exception):
            data = await self._store.history()
            if data is not None:
                await anyio.to_thread.run_sync(self._history.load, data)

    @property
    def _took(self) -> float:
        return 0.0 if self._state is None else self._state.took

    @property
    def _is_old(self) -> bool:
        """Whether the last refresh is longer ago than if feeds had run since then."""
        return time.monotonic() - self._refreshed_at > _OLD * self._interval + self._took

    @property
    def _lease(self) -> float:
        return min(_LEASE * self._interval, _MAX_LEASE)

    @asynccontextmanager
    async def _extended_lease(self) -> AsyncIterator[None]:
        """Extend the lease until the block ends."""

        async def extend() -> None:
            while True:
                await asyncio.sleep(self._lease / 3)
                with suppress(Exception):  # Redis does not respond, and the lease may still be held
                    await self._store.extend(self._holder, self._lease)

        task = asyncio.create_task(extend(), name="dify_async feed lease")
        try:
            yield
        finally:
            await cancel_and_wait(task)

    def _report(self, error: Exception | None) -> None:
        if error is not None and self._is_available:
            logger.warning("the dashboard feed refreshes alone, because Redis failed: %s", error)
        elif error is None and not self._is_available:
            logger.info("the dashboard feed shares its refreshes in Redis again")
        self._is_available = error is None
