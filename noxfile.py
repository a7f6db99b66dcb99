"""Checks run by `nox`: style, types, and the tests on each installed Python."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "uv|virtualenv"
# Most machines lack some versions; `nox --error-on-missing-interpreters` requires all of them.
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "tests", "slow", "dates"]

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
MEASURED = "3.13"  # the Python whose tests measure coverage; sys.monitoring exists since 3.12
START = "_dify_async.py"  # the only file of the wheel outside of the package

# As the packages spell them. Review a licence before adding it; copyleft licences are not allowed.
LICENCES = (
    "Apache Software License",
    "Apache-2.0",
    "Apache-2.0 AND BSD-2-Clause",
    "Apache-2.0 AND MIT",
    "Apache-2.0 OR BSD-3-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "MIT License",
    "MIT-0",
    "PSF-2.0",
    "Python Software Foundation License",
)


def install(session: nox.Session, group: str, *options: str) -> None:
    """Install this source tree, editable, and a dependency group."""
    session.install("-e", ".[cli,examples]", *nox.project.dependency_groups(PROJECT, group), *options)


def run_pytest(session: nox.Session, *arguments: str) -> None:
    # Bytecode is written even if the environment says otherwise: without it, each worker of pytest-xdist, and
    # each program that a test starts, compiles all packages again, which takes longer than most tests.
    # Coverage that uses sys.monitoring adds a third to the time; its tracer doubles it.
    session.run("pytest", *arguments, env={"PYTHONDONTWRITEBYTECODE": "", "COVERAGE_CORE": "sysmon"})


@nox.session
def lint(session: nox.Session) -> None:
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", "--no-cache", "--no-logo")


@nox.session
def types(session: nox.Session) -> None:
    install(session, "types")
    session.run("mypy", "--num-workers", "auto")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "dify_async", "--ignoreexternal")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests that are not marked slow, with coverage on one Python; or the tests after `--`."""
    install(session, "test")
    coverage = ["--cov"] if session.python == MEASURED else []
    run_pytest(session, *(session.posargs or ["--numprocesses=auto", "-m", "not slow", *coverage]))


@nox.session
def slow(session: nox.Session) -> None:
    """The tests that are marked slow."""
    install(session, "test")
    run_pytest(session, "--numprocesses=auto", "-m", "slow", *session.posargs)


@nox.session(python=PYTHONS[0])
def dates(session: nox.Session) -> None:
    """The date-dependent tests, on dates such as a Sunday, 29 February and the end of a year."""
    install(session, "test")
    run_pytest(session, "--dates", "-m", "calendar", *(session.posargs or ["--numprocesses=auto"]))


@nox.session
def sync(session: nox.Session) -> None:
    """Generate the methods of DifyServer from those of AsyncDifyServer."""
    session.install("-e", ".", *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("python", "-m", "tools.sync")


@nox.session
def soak(session: nox.Session) -> None:
    """Run many processes and tasks on one account for a minute, with injected faults."""
    install(session, "test")
    session.run("python", "-m", "tests.soak", *session.posargs)


@nox.session(python=PYTHONS[0])
def fuzz(session: nox.Session) -> None:
    """Fuzz the decoding of answers for five minutes; libFuzzer options go after `--`."""
    install(session, "fuzz")
    session.create_tmp()  # keeps the failing inputs
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The cost of a call, compared with other clients; `-- --check` fails if a limit is exceeded."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation in `site/`; `-- serve` previews it."""
    session.install(*nox.project.dependency_groups(PROJECT, "docs"))
    session.run("mkdocs", *(session.posargs or ["build", "--strict"]))


@nox.session(venv_backend="uv")
def audit(session: nox.Session) -> None:
    """Check run-time dependencies, all extras included, for known vulnerabilities and for licences."""
    session.install(f".[{','.join(PROJECT['project']['optional-dependencies'])}]")
    installed = str(session.run("uv", "pip", "freeze", external=True, silent=True))
    packages = [line for line in installed.splitlines() if "==" in line]  # this package is listed as a path
    session.install(*nox.project.dependency_groups(PROJECT, "audit"))
    names = (package.partition("==")[0] for package in packages)
    session.run("pip-licenses", "--allow-only", ";".join(LICENCES), "--packages", *names)
    pinned = Path(session.create_tmp()) / "requirements.txt"
    pinned.write_text("\n".join(packages), encoding="utf-8")
    # Strict: fail if a dependency cannot be looked up.
    session.run("pip-audit", "--strict", "--no-deps", "--disable-pip", "--requirement", str(pinned))


@nox.session(venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """The tests on the oldest allowed dependencies."""
    install(session, "test", "--resolution=lowest-direct")
    run_pytest(session, "--numprocesses=auto", *session.posargs)


@nox.session
def package(session: nox.Session) -> None:
    """The tests on the built wheel, without the source tree."""
    session.install(*nox.project.dependency_groups(PROJECT, "package", "test"))
    folder = Path(session.create_tmp())
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder))
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    session.run("twine", "check", "--strict", str(sdist), str(wheel))
    files = {path.as_posix() for path in Path("dify_async").rglob("*") if path.is_file()}
    code = {START, *(path for path in files if "/__pycache__/" not in path)}
    with zipfile.ZipFile(wheel) as file:
        packed = {name for name in file.namelist() if ".dist-info/" not in name}
    if packed != code:
        session.error(f"the wheel differs from the package in {sorted(packed ^ code)}")
    session.install(f"{wheel}[cli,examples]")
    shutil.unpack_archive(sdist, folder, filter="data")
    session.chdir(folder / sdist.name.removesuffix(".tar.gz"))
    shutil.rmtree("dify_async")
    Path(START).unlink()
    run_pytest(session, "--numprocesses=auto", *session.posargs)
