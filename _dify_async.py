"""Starts the command `dify-async`.

This module is apart from the package, whose import takes most of the start, so that Ctrl-C is quiet then too.
"""

from __future__ import annotations


def main() -> int:
    """Run the command with the arguments of this process, and return its exit code."""
    try:
        from dify_async.cli import main as run  # noqa: PLC0415 - see above

        return run()
    except KeyboardInterrupt:
        return 130  # as shells report a program that SIGINT ended
