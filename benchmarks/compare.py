"""Compares two source trees: `python -m benchmarks.compare BEFORE AFTER`.

The trees take turns case by case, each in a separate process, so that a machine that slows down slows both.
Each tree runs its own benchmarks, with the libraries of this Python.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import CASES, machine
from benchmarks.gates import GATES
from benchmarks.measure import Figures

TOLERANCE = 0.03
_RUN = """
import asyncio, json, sys
from benchmarks import measure
from benchmarks.__main__ import CASES
print(json.dumps(asyncio.run(CASES[sys.argv[1]](getattr(measure, sys.argv[2])))))
"""

Runs = dict[str, list[float]]


def run(tree: Path, case: str, effort: str) -> Figures:
    """The figures of one case; a process started with -c imports from its working directory first."""
    command = [sys.executable, "-c", _RUN, case, effort]
    ended = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(ended.stdout))


def compare(trees: tuple[Path, Path], cases: list[str], rounds: int, effort: str) -> tuple[Runs, Runs]:
    """Every figure of every round, by tree; the tree that goes first alternates."""
    runs: tuple[Runs, Runs] = defaultdict(list), defaultdict(list)
    for number in range(rounds):
        for case in cases:
            for side in (0, 1) if number % 2 == 0 else (1, 0):
                for name, value in run(trees[side], case, effort).items():
                    runs[side][name].append(value)
        print(f"round {number + 1} of {rounds}: done", file=sys.stderr)
    return runs


def worse_by(name: str, before: float, after: float) -> float:
    """The share by which a figure got worse; negative if it got better."""
    if before == after:
        return 0.0
    worse, better = (before, after) if GATES[name].more_is_better else (after, before)
    return worse / better - 1 if better else float("inf")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"only these of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds within each run")
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    trees = arguments.before.resolve(), arguments.after.resolve()
    effort = "QUICK" if arguments.quick else "FULL"
    before, after = compare(trees, arguments.cases or list(CASES), arguments.rounds, effort)
    table = Table(title=f"medians of {arguments.rounds}; {machine()}")
    for heading in ("figure", "before", "after", "worse by", ""):
        table.add_column(heading, justify="left" if heading in {"figure", ""} else "right")
    failed = False
    for name in [name for name in before if name in after]:
        old, new = statistics.median(before[name]), statistics.median(after[name])
        share = worse_by(name, old, new)
        failed |= share > TOLERANCE
        mark = f"more than {TOLERANCE:.0%}" if share > TOLERANCE else ""
        table.add_row(name, f"{old:.3f} {GATES[name].unit}", f"{new:.3f}", f"{share:+.1%}", mark)
    Console().print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
