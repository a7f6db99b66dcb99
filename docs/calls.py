"""For mkdocs: the calls of the reference, and the URLs in the project's metadata.

Expands `{{ calls: a, b }}` to a table of these methods, and then each of them.
"""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path
from typing import Any

import griffe

CLIENT = "dify_async.AsyncDifyServer"
FOR_CONTRIBUTORS = {"adding-an-endpoint.md", "architecture.md", "changelog.md", "new-version.md"}
CALLS = re.compile(r"^\{\{ calls: ([\w, \n]+) \}\}$", re.MULTILINE)


@functools.cache
def client() -> griffe.Class:
    """The class, read without importing it."""
    return griffe.load(CLIENT, search_paths=["."])


def first_line(name: str) -> str:
    """The first line of a method's docstring, without the route."""
    docstring = client()[name].docstring
    line = "" if docstring is None else docstring.value.partition("\n")[0]
    return line.partition(" Route:")[0].replace("|", "\\|")


def expanded(match: re.Match[str]) -> str:
    """The table and the entries of the methods that a line names."""
    names = re.split(r"[,\s]+", match[1].strip())
    rows = [f"| [`{name}`][{CLIENT}.{name}] | {first_line(name)} |" for name in names]
    entries = [f"::: {CLIENT}.{name}\n    options:\n      heading_level: 3" for name in names]
    return "\n".join(["| call | what it does |", "|---|---|", *rows]) + "\n\n" + "\n\n".join(entries)


def on_config(config: Any, **_: Any) -> Any:
    """Called by mkdocs: [project.urls] is the only place for URLs."""
    urls = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    config.update(site_url=urls["Documentation"], repo_url=urls["Repository"], repo_name="GitHub")
    return config


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Called by mkdocs with each page. Guides come before the other pages in search results."""
    uri = page.file.src_uri
    if uri in FOR_CONTRIBUTORS or (uri.startswith("reference/") and not page.is_index):
        page.meta["search"] = {"boost": 0.1}
    return CALLS.sub(expanded, markdown)
