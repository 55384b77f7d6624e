"""The next page of a list: what a model is told of it, and what an answer's `Link` says of it.

Contract: `hint(operation)` is a sentence for a tool's description, or "" where no member of the
input asks for a page; `next_page(operation, url)` gives the members, with their values, that ask
for the page at the address of an answer's `Link` with rel="next". The address itself is never
asked. Pure.
Errors: none; what cannot be used gives {}.
Source: RFC 8288; the names are those of the public documents that are fixtures of the tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from aybiza.dialogue.tools.openapi import Operation

_TOKENS: Final = frozenset(
    {
        *("cursor", "nextcursor", "pagecursor", "startcursor"),
        *("nextpagetoken", "nexttoken", "pagetoken", "paginationtoken", "startingafter"),
    }
)
_PLACES: Final = frozenset(
    {"after", "continue", "marker", "offset", "page", "pageafter", "pagenumber", "skip", "startat"}
)
"""In a query these ask for a page; in a body they may be anything."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_NO_LETTER: Final = re.compile(r"[^a-z]")
_VALUE_CHARACTERS: Final = 1_000
_MOST_FIELDS: Final = 100


def hint(operation: Operation) -> str:
    """See the module."""
    asking = " or ".join(f"`{member}`" for member in _asking(operation))
    return f"A long list comes in pages: {asking} asks for the next one." if asking else ""


def next_page(operation: Operation, url: str) -> dict[str, Any]:
    """See the module."""
    try:
        told = dict(parse_qsl(urlsplit(url).query, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}
    properties = operation.input_schema.get("properties", {})
    found: dict[str, Any] = {}
    for member, name in _asking(operation).items():
        value = told.get(name, "")
        if value and len(value) <= _VALUE_CHARACTERS:
            stated = properties.get(member)
            number = isinstance(stated, Mapping) and stated.get("type") == "integer"
            found[member] = int(value) if number and _NUMBER.fullmatch(value) else value
    return found


def _asking(operation: Operation) -> dict[str, str]:
    """The members that ask for a page, with the names under which they are sent."""
    wires = {member: operation.wires.get(member) for member in operation.places}
    names = {member: wire.name if wire else member for member, wire in wires.items()}
    return {
        member: names[member]
        for member, place in operation.places.items()
        if _plain(names[member]) in {"query": _TOKENS | _PLACES, "body": _TOKENS}.get(place, ())
    }


def _plain(name: str) -> str:
    return _NO_LETTER.sub("", name.lower())
