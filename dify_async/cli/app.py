"""All commands. Each is imported when it is used, so that all of them start quickly."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError
from rich.console import Console

import dify_async
from dify_async.errors import DifyConfigError, DifyError

from .console import NO_DATA, USAGE_ERROR, UsageError, fail, line_of, warnings_as_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXIT_CODES: Final = (
    "Exit codes: 0 success, 1 some apps failed or were skipped, 2 invalid arguments or settings, 3 no data"
    " (the server cannot be reached, or rejects the login), 130 interrupted."
)
_HELP: Final = """Dashboards, backups and API keys of all apps of a Dify server.

Try it without a server: `dify-async report --demo`.

Set the server and the account with `--base-url` and `--email`, or with the environment variables
DIFY_BASE_URL, DIFY_EMAIL and DIFY_PASSWORD; or DIFY_ADMIN_API_KEY and DIFY_WORKSPACE_ID instead of an
account. If the password is missing, it is asked for at a terminal.
"""
_COMMANDS: Final = ("report", "dashboard", "exporter", "usage", "backup", "restore", "keys", "demo")

app: Final[App] = App(
    name="dify-async",
    help=_HELP,
    help_epilogue=_EXIT_CODES,
    help_format="markdown",
    version=dify_async.__version__,
    default_parameter=Parameter(negative=()),
    print_error=False,
    exit_on_error=False,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
for _name in _COMMANDS:
    app.command(f"dify_async.cli.{_name}:{_name}", name=_name)
app.register_install_completion_command(help="Install completion of commands and options for this shell.")


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code. Errors take one line on stderr."""
    try:
        with warnings_as_notes():
            return _run(arguments)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in app.help_flags:
        app.resolved_commands()  # imports them, since the help lists their descriptions
    try:
        code = app(arguments, console=Console(), error_console=Console(stderr=True))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except UnusedCliTokensError as error:
        return fail(f"Unexpected arguments: {' '.join(error.unused_tokens or ())}. See --help.", USAGE_ERROR)
    except CycloptsError as error:
        return fail(f"{str(error).rstrip()} See --help.", USAGE_ERROR)
    except (UsageError, DifyConfigError) as error:
        return fail(error, USAGE_ERROR)
    except DifyError as error:
        return fail(f"{type(error).__name__}: {line_of(error)}", NO_DATA)
    except OSError as error:  # of a file or a port
        return fail(_reason(error), USAGE_ERROR)
    return int(code or 0)


def _reason(error: OSError) -> str:
    """The error without its number."""
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror}" if error.strerror else str(error)
