"""`python -m tests.fuzz [libFuzzer options] [failed input]`: run until a failure, or for five minutes."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dify_async"]):
    from tests.fuzz.target import WORDS, check, seeds


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
    options = ["-max_total_time=300", "-max_len=8192", f"-dict={words}", f"-artifact_prefix={folder}/"]
    # It does not see into msgspec, and would drop most of the captures as duplicates.
    options.append("-keep_seed=1")
    arguments = sys.argv[1:]
    if all(argument.startswith("-") for argument in arguments):
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds()):
            (corpus / str(number)).write_bytes(seed)
        arguments.append(str(corpus))
    atheris.Setup([sys.argv[0], *options, *arguments], check)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
