"""What is checked, by `nox`: style, types, and the tests on each Python that is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "uv|virtualenv"
# Most machines lack some of the versions; `nox --error-on-missing-interpreters` asks for all.
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)


def install(session: nox.Session, group: str, *options: str) -> None:
    """The package as it stands here, and what a dependency group names."""
    session.install("-e", ".[examples]", *nox.project.dependency_groups(PROJECT, group), *options)


@nox.session
def lint(session: nox.Session) -> None:
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    install(session, "types")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests, on all cores; or those that are named behind `--`."""
    install(session, "test")
    # Tests wait more than they work. What is covered is the same on each Python, and counting takes time.
    coverage = ["--cov"] if session.python == PYTHONS[0] else []
    session.run("pytest", *(session.posargs or ["--numprocesses=4", *coverage]))


@nox.session
def soak(session: nox.Session) -> None:
    """Many processes and tasks on one account for a minute, under faults."""
    install(session, "test")
    session.run("python", "-m", "tests.soak", *session.posargs)


@nox.session(python=PYTHONS[0])
def fuzz(session: nox.Session) -> None:
    """Mutated answers for five minutes, or as libFuzzer's options behind `--` say."""
    install(session, "fuzz")
    session.create_tmp()  # what failed stays there
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """What a call costs, beside others; `-- --check` fails past a limit."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """The tests on the oldest dependencies that are allowed."""
    install(session, "test", "--resolution=lowest-direct")
    session.run("pytest", "--numprocesses=auto", *session.posargs)


@nox.session
def package(session: nox.Session) -> None:
    """The tests on the wheel as it is published, without the source tree."""
    session.install(*nox.project.dependency_groups(PROJECT, "package", "test"))
    folder = Path(session.create_tmp())
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder))
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    session.run("twine", "check", "--strict", str(sdist), str(wheel))
    session.install(f"{wheel}[examples]")
    shutil.unpack_archive(sdist, folder, filter="data")
    session.chdir(folder / sdist.name.removesuffix(".tar.gz"))
    shutil.rmtree("dify_async")
    session.run("pytest", "--numprocesses=auto", *session.posargs)
