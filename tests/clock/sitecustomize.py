"""Moves the clock of a process started by a test as far as the test's own clock."""

import os
import time

import time_machine

if ahead := os.environ.get("DIFY_ASYNC_TESTS_CLOCK"):
    time_machine.travel(time.time() + float(ahead)).start()
