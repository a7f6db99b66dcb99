"""Tasks end before what has started them."""

from __future__ import annotations

import asyncio

import pytest

from dify_async._concurrency import cancel_and_wait


async def test_a_task_that_swallows_a_cancellation_ends_although_its_owner_is_cancelled_again() -> None:
    """As redis-py may do: an error of the connection takes the place of the cancellation."""
    started, cancelled = asyncio.Event(), asyncio.Event()
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            started.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                cancelled.set()
                if swallowed == 3:
                    raise

    task = asyncio.create_task(stubborn())
    await started.wait()
    owner = asyncio.create_task(cancel_and_wait(task))
    await cancelled.wait()
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert task.cancelled()
    assert swallowed == 3
