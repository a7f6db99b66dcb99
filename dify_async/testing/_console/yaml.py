"""Reads what the fake needs of a definition in YAML or JSON: its keys, and those of `app`.

Other values that are mappings or lists are not read.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_Lines = list[tuple[int, str]]  # the indentation and the text of each line

_STRING = r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\''
_PLAIN_KEY = r"[^\s\-?:,\[\]{}#&*!|>'\"%@`][^#]*?|-[^\s#][^#]*?"
_KEY = re.compile(rf"({_STRING}\s*|{_PLAIN_KEY}):(?:\s+(.*)|)$")
_PLAIN = r"(?:[^\s,\[\]{}:]|:(?=\S)|[ ](?![ ]*#))+"
_TOKEN = re.compile(rf"\s*({_STRING}|[\[\]{{}},]|:(?=[\s,\[\]{{}}\"']|$)|{_PLAIN})")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_COMMENT_LINE = re.compile(r"\s*#.*")
_NULLS = ("", "~", "null", "Null", "NULL")


def read_yaml(text: str) -> Any:
    """The document; raises ValueError if it is not valid."""
    lines = [line for line in text.split("\n") if not re.match(r"(---|\.\.\.)\s*$|%", line)]
    content = [(len(line) - len(line.lstrip(" ")), line.strip()) for line in lines]
    if not _significant(content):
        return None
    return _node(content, depth=2)


def _significant(lines: _Lines) -> _Lines:
    return [(indent, text) for indent, text in lines if text and not text.startswith("#")]


def _node(lines: _Lines, depth: int) -> Any:
    first = _significant(lines)[0][1]
    if first.startswith("- ") or first == "-":
        return []
    if first[0] not in "{[" and _KEY.match(first):
        return _mapping(lines, depth - 1) if depth else {}
    return _value("", lines)


def _mapping(lines: _Lines, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    base = _significant(lines)[0][0]
    rest = list(lines)
    while rest:
        indent, text = rest.pop(0)
        if not text or text.startswith("#"):
            continue
        key = _KEY.match(text)
        if key is None or indent != base:
            raise ValueError(f"could not find expected ':' in {text!r}")
        value = (key[2] or "").strip()
        inner: _Lines = []
        while rest and (not rest[0][1] or rest[0][0] > base or (rest[0][0] == base and _is_item(rest[0][1]))):
            inner.append(rest.pop(0))
        is_nested = not _COMMENT.sub("", value) and _significant(inner)
        found[str(_scalar(key[1].strip()))] = _node(inner, depth) if is_nested else _value(value, inner)
    return found


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith(("- ", "#"))


def _value(text: str, lines: _Lines) -> Any:
    """A value that begins on the line of its key, and may go on below."""
    if text[:1] in {"|", ">"}:
        return ("\n" if text[0] == "|" else " ").join(line for _, line in lines).strip()
    whole = " ".join(filter(None, [text, *(line for _, line in lines)]))
    if whole[:1] in {"{", "["}:
        return _flow("\n".join([text, *(line for _, line in lines)]))
    if string := re.match(_STRING, whole):
        if _COMMENT.sub("", whole[string.end() :]).strip():
            raise ValueError(f"expected <block end>, but found {whole[string.end() :]!r}")
        return _scalar(string[0])
    if whole[:1] in {'"', "'"}:
        raise ValueError("found unexpected end of stream while scanning a quoted scalar")
    return _scalar(_COMMENT.sub("", whole).strip())


def _scalar(text: str) -> str | None:
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    if text[:1] == '"':
        return str(json.loads(text, strict=False))
    return None if text in _NULLS else text


def _flow(text: str) -> Any:
    """A value in brackets: JSON is written like this."""
    text = "\n".join(line for line in text.split("\n") if not line.startswith("#"))
    tokens = _tokens(text)
    value = _flow_value(tokens, next(tokens))
    if next(tokens):
        raise ValueError("expected <document start>")
    return value


def _tokens(text: str) -> Iterator[str]:
    place = 0
    text = text.rstrip()
    while place < len(text):
        if comment := _COMMENT_LINE.match(text, place):
            place = comment.end()
            continue
        word = _TOKEN.match(text, place)
        if word is None:
            raise ValueError(f"found a character that cannot start any token: {text[place]!r}")
        place = word.end()
        yield word[1].strip()
    while True:
        yield ""


def _flow_value(tokens: Iterator[str], word: str) -> Any:
    if word == "[":
        items = []
        while (word := next(tokens)) != "]":
            if word != ",":
                items.append(_flow_value(tokens, word))
        return items
    if word == "{":
        found: dict[str, Any] = {}
        key: str | None = None
        while (word := next(tokens)) != "}":
            if word == ",":
                key = None
            elif word == ":" and key is not None:
                found[key] = _flow_value(tokens, next(tokens))
            elif key is None:
                key = str(_flow_value(tokens, word))
                found[key] = None
            else:
                raise ValueError(f"expected ',' or '}}', but got {word!r}")
        return found
    if word in {"", "]", "}", ",", ":"}:
        raise ValueError(f"expected ',' or ']', but got {word or '<stream end>'!r}")
    return _scalar(word)
