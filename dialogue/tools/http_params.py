"""How a value stands in a path, a query, a form or a header, as OpenAPI defines it.

    pairs("ids", ["a", "b"], Style())                         [("ids", "a"), ("ids", "b")]
    pairs("filter", {"a": 1}, Style("deepObject"))            [("filter[a]", "1")]
    segment("41573")                                          "41573"

Contract: pure. What is to be one segment of a path stays one: a value that would leave it, on this
server or on one that decodes twice, is refused, not escaped.
Errors: `ToolError("bad_input", …)` for a value that cannot stand there.
Source: OpenAPI Specification 3.0 and 3.1, "Parameter Object", style; RFC 3986; RFC 6265; RFC 9110.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from aybiza.dialogue.tool_registry import ToolError

Pair = tuple[str, str]

STYLES: Final[Mapping[str, tuple[str, ...]]] = {
    "path": ("simple", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"),
    "header": ("simple",),
}
"""The styles that can be written, by place; the first is the default. Tabs are of 2.0 (`tsv`)."""

NEVER_GIVEN: Final = frozenset(
    (
        *("accept", "accept-encoding", "authorization", "connection", "content-encoding"),
        *("content-length", "content-type", "cookie", "expect", "forwarded", "host"),
        *("idempotency-key", "keep-alive", "proxy-authorization", "proxy-connection", "te"),
        *("trailer", "transfer-encoding", "upgrade", "user-agent", "via", "x-forwarded-for"),
        *("x-forwarded-host", "x-forwarded-proto", "x-http-method-override", "x-real-ip"),
    )
)
"""Headers that no input names: they say who asks, of which host, and how it is sent."""

_DELIMITERS: Final[Mapping[str, str]] = {
    "form": ",",
    "spaceDelimited": " ",
    "pipeDelimited": "|",
    "tabDelimited": "\t",
}
_LEAVES_A_SEGMENT = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_MOST_DECODINGS: Final = 3
_DEEPEST: Final = 8


class Style(NamedTuple):
    """`explode`: whether each item has a pair of its own. `as_json`: the value is one JSON text."""

    name: str = "form"
    explode: bool = True
    as_json: bool = False


def pairs(name: str, value: Any, style: Style) -> list[Pair]:
    """The pairs that a query or a form has for this value; none for None."""
    if value is None:
        return []
    if style.as_json:
        return [(name, json.dumps(value))]
    if style.name == "deepObject" and isinstance(value, Mapping | list):
        return list(_deep(name, value, _DEEPEST))
    if isinstance(value, list):
        items = [plain(item) for item in value]
        if style.explode and style.name == "form":
            return [(name, item) for item in items]
        return [(name, _DELIMITERS[style.name].join(items))] if items else []
    if isinstance(value, Mapping):
        if style.explode:
            return [(str(key), plain(item)) for key, item in value.items()]
        flat = [plain(part) for item in value.items() for part in item]
        return [(name, _DELIMITERS[style.name].join(flat))] if flat else []
    return [(name, plain(value))]


def in_segment(name: str, value: Any, style: Style) -> str:
    """A value as one segment of a path, in the style `simple` or `matrix`."""
    each = style.name == "matrix" and style.explode
    if isinstance(value, list):
        parts = [segment(plain(item), name) for item in value]
        parts = [f"{segment(name)}={part}" for part in parts] if each else parts
    elif isinstance(value, Mapping):
        between = "=" if style.explode else ","
        parts = [
            segment(key, name) + between + segment(plain(item), name) for key, item in value.items()
        ]
    else:
        parts = [segment(plain(value), name)]
        each = False
    made = (";" if each else ",").join(parts)
    if not made:
        raise ToolError("bad_input", f"{name} must not be empty.")
    if style.name != "matrix":
        return made
    return f";{made}" if each else f";{segment(name)}={made}"


def in_header(name: str, value: Any, explode: bool) -> str:
    """A value as a header carries it, in the style `simple`."""
    if isinstance(value, list):
        text = ",".join(map(plain, value))
    elif isinstance(value, Mapping):
        between = "=" if explode else ","
        text = ",".join(f"{key}{between}{plain(item)}" for key, item in value.items())
    else:
        text = plain(value)
    check_header(name, text)
    return text


def check_header(name: str, text: str) -> None:
    """Refuse what no header can carry, before anything is sent."""
    if not all(" " <= character <= "~" or character == "\t" for character in text):
        raise ToolError(
            "bad_input",
            f"{name} takes plain ASCII letters, digits and signs only. Nothing was sent.",
        )


def cookie_header(cookies: Mapping[str, str]) -> str:
    """The header `Cookie` that has these. Raises ValueError, which never has a value in it."""
    for name, value in cookies.items():
        if not _COOKIE_NAME.fullmatch(name) or not _COOKIE_VALUE.fullmatch(value):
            raise ValueError(f"the cookie {name!r} has a sign in it that no cookie has")
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def segment(value: object, name: str = "This") -> str:
    """A value as one segment of a path, percent-encoded; refused if it would leave it."""
    text = str(value)
    seen = text
    for _ in range(_MOST_DECODINGS):
        if _LEAVES_A_SEGMENT.search(seen) or seen.strip() in (".", ".."):
            raise ToolError("bad_input", f"{name} must be one word, without slashes or dots alone.")
        decoded = unquote(seen)
        if decoded == seen:
            break
        seen = decoded
    return quote(text, safe="")


def plain(value: Any) -> str:
    """A single value as a URL carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, Mapping | list) else str(value)


def _deep(name: str, value: Any, depth: int) -> Iterator[Pair]:
    if depth == 0:
        raise ToolError("bad_input", "That is nested too deeply.")
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _deep(f"{name}[{key}]", item, depth - 1)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _deep(f"{name}[{number}]", item, depth - 1)
    elif value is not None:
        yield name, plain(value)
