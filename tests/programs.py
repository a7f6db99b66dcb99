"""Programs of the package and its examples, as processes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from tests.test_examples import ROOT, python_path

NARROW = "80"


@asynccontextmanager
async def started(*arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": python_path(), "COLUMNS": NARROW, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Background processes ignore Ctrl-C, and so do children of the tests.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_with(process: asyncio.subprocess.Process, pattern: str) -> re.Match[str]:
    assert process.stdout is not None
    read = ""
    while line := (await process.stdout.readline()).decode():
        read += line
        if match := re.search(pattern, line):
            return match
    raise AssertionError(read)
