"""What is checked, by `nox`: style, types, and the tests on each Python that is found."""

from __future__ import annotations

import nox

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "uv|virtualenv"
# Most machines lack some of the versions; `nox --error-on-missing-interpreters` asks for all.
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)


def install(session: nox.Session, group: str) -> None:
    """The package as it stands here, and what a dependency group names."""
    session.install("-e", ".[examples]", *nox.project.dependency_groups(PROJECT, group))


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
    arguments = session.posargs or ["--numprocesses=auto", "--cov"]
    session.run("pytest", *arguments)
