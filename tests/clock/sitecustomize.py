"""Moves the clock of a process that a test starts, by as much as the test's own."""

import os
import time

import time_machine

if ahead := os.environ.get("DIFY_ASYNC_TESTS_CLOCK"):
    time_machine.travel(time.time() + float(ahead)).start()
