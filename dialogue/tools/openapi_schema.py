"""The schemas of an OpenAPI document, each made to stand by itself and bounded.

Contract: `resolved` follows references inside a document (RFC 6901 pointers, percent-encoded ones
too); `inlined` gives a JSON Schema 2020-12 without references; `bounded` the deepest of these that
is within `SCHEMA_BYTES`, and whether something was cut. A member that only travels the other way
(`readOnly` in a request, `writeOnly` in an answer) is neither offered nor required. Pure; what a
document repeats is looked at `MOST_NODES` times at most, so a small document that unfolds without
end costs little.
Errors: `ValueError` for a reference that leads nowhere, and a schema that no cut makes fit.
Source: OpenAPI Specification 3.0 and 3.1; JSON Schema 2020-12; RFC 6901.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import unquote

from aybiza.config.schema_bounds import pattern_fault

Schema = dict[str, Any]
OtherWay = Literal["readOnly", "writeOnly"]
"""The word for members that travel the other way: the first in a request, the second in an
answer."""

SCHEMA_BYTES: Final = 24 * 1024
"""Longest schema of a member or a body, as JSON: every request to the model carries it."""
ANSWER_BYTES: Final = 8 * 1024
"""Longest schema of an answer: each answer is held against it, and no model sees it."""
DEPTHS: Final = (24, 12, 8, 6, 4, 3, 2, 1)
"""Levels of a schema that are tried, until one is short enough; below, anything goes."""
MOST_NODES: Final = 4_000
_MOST_REFERENCES: Final = 12
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
# What 3.0 has and JSON Schema has not, or means otherwise.
_DROPPED: Final = frozenset(
    (
        *("nullable", "discriminator", "xml", "externalDocs", "example"),
        *("$schema", "$id", "$anchor", "readOnly", "writeOnly"),
    )
)
_EXTENSION: Final = "x-"
"""So begin an author's own words for tools of theirs; some are longer than the schema."""
# What holds values, and what holds schemas by names of the document's own.
_LITERAL: Final = frozenset({"enum", "const", "default", "required", "examples"})
_BY_NAME: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
# What explains a schema and checks nothing: beside a reference it takes the place of what is there.
_WORDS: Final = frozenset({"title", "description", "default", "examples", "deprecated"})
_NOTHING: Final[Mapping[str, Any]] = {}


def bounded(
    document: Mapping[str, Any],
    schema: Any,
    limit: int = SCHEMA_BYTES,
    other_way: OtherWay = "readOnly",
) -> tuple[Schema, bool]:
    """The schema, and whether something of it was cut. Raises ValueError."""
    for depth in DEPTHS:
        walk = _Walk(document, depth, limit, other_way)
        try:
            made = walk.inlined(schema, frozenset(), 0)
        except _TooLarge:
            continue
        if len(json.dumps(made, default=str)) <= limit:
            return (made if isinstance(made, dict) else {}), walk.cut
    raise ValueError(f"its input takes more than {limit} bytes, however much is cut")


def inlined(document: Mapping[str, Any], schema: Any) -> Schema:
    """A schema that stands by itself; where it stands in itself again, anything goes."""
    made = _Walk(document, DEPTHS[0]).inlined(schema, frozenset(), 0)
    return made if isinstance(made, dict) else {}


class _TooLarge(Exception):
    """A walk has met more than there is room for."""


class _Walk:
    """One pass over a schema; it ends early where more is met than there is room for."""

    def __init__(
        self,
        document: Mapping[str, Any],
        depth: int,
        limit: int | None = None,
        other_way: OtherWay = "readOnly",
    ) -> None:
        self._document = document
        self._other_way = other_way
        self._not_here: dict[int, tuple[object, frozenset[str]]] = {}
        # 3.0 ignores what stands beside a reference; in 3.1 both hold.
        self._beside_counts = not str(document.get("openapi", "")).startswith("3.0")
        self._depth = depth
        self._nodes = 0
        self._limit = limit
        self._written = 0
        """At least so many bytes the schema takes, as far as it has been walked."""
        self.cut = False

    def _write(self, value: Any) -> None:
        """Count what stands in the schema as it is."""
        self._written += len(value) + 2 if isinstance(value, str) else 1
        if self._limit is not None and self._written > self._limit:
            raise _TooLarge

    def inlined(
        self,
        schema: Any,
        inside: frozenset[str],
        level: int,
        of_whole: frozenset[str] = frozenset(),
    ) -> Any:
        """The schema, or a part of one, without references. `of_whole`: the members that are not
        here, of the schema whose `allOf` this is."""
        if isinstance(schema, list):
            return [self.inlined(item, inside, level, of_whole) for item in schema]
        if not isinstance(schema, Mapping):
            self._write(schema)
            return schema
        self._nodes += 1
        if self._limit is not None and self._nodes > MOST_NODES:
            raise _TooLarge
        if level > self._depth or self._nodes > MOST_NODES:
            self.cut = True
            return {}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in inside:
                return {}
            found = resolved(self._document, schema)
            there = self.inlined(found, inside | {reference}, level, of_whole)
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            if not beside or not self._beside_counts or not isinstance(there, dict):
                return there
            return _both(there, self.inlined(beside, inside, level, of_whole))
        not_here = of_whole | self._travels_the_other_way(schema)
        made: Schema = {}
        for key, value in schema.items():
            if key in _DROPPED or str(key).startswith(_EXTENSION):
                continue
            if key == "pattern" and not _can_be_tried(value):
                continue
            if key == "additionalItems" and isinstance(schema.get("items"), list):
                continue
            self._write(key)
            if key == "required" and isinstance(value, list):
                made[key] = [
                    name for name in value if not (isinstance(name, str) and name in not_here)
                ]
            elif key in _LITERAL:
                made[key] = value
            elif key in _BY_NAME and isinstance(value, Mapping):
                gone = not_here if key == "properties" else ()
                made[key] = {
                    name: self.inlined(part, inside, level + 1)
                    for name, part in value.items()
                    if name not in gone
                }
            elif key == "allOf":
                made[key] = self.inlined(value, inside, level + 1, not_here)
            else:
                made[key] = self.inlined(value, inside, level + 1)
        return _as_2020(schema, made)

    def _travels_the_other_way(self, schema: Any) -> frozenset[str]:
        """The members of an object that are not here, those that its `allOf` describes included."""
        found = self._peeked(schema)
        _, known = self._not_here.get(id(found), (found, None))
        if known is None:
            # What stands in itself has no others there. It is held, so that its id stays its own.
            self._not_here[id(found)] = found, frozenset()
            parts = found.get("properties")
            named = parts.items() if isinstance(parts, Mapping) else ()
            names = {name for name, part in named if self._is_other_way(part)}
            whole = found.get("allOf")
            for each in whole if isinstance(whole, list) else ():
                names |= self._travels_the_other_way(each)
            known = frozenset(names)
            self._not_here[id(found)] = found, known
        return known

    def _is_other_way(self, part: Any) -> bool:
        stated = part if isinstance(part, Mapping) else _NOTHING
        return True in (stated.get(self._other_way), self._peeked(part).get(self._other_way))

    def _peeked(self, schema: Any) -> Mapping[str, Any]:
        """What is described there; nothing where that cannot be read, which is told elsewhere."""
        try:
            found = resolved(self._document, schema)
        except ValueError:
            return _NOTHING
        return found if isinstance(found, Mapping) else _NOTHING


def _both(made: Schema, beside: Schema) -> Schema:
    """A schema for which what is referred to and what stands beside the reference hold."""
    checks = beside.keys() - _WORDS
    if checks & made.keys():
        words = {key: value for key, value in beside.items() if key in _WORDS}
        return {"allOf": [made, {key: beside[key] for key in checks}], **words}
    return {**made, **beside}


def _can_be_tried(pattern: Any) -> bool:
    """Whether a pattern is one of Python's, too, and is not too large; what the dialect of
    ECMAScript has more is not."""
    return isinstance(pattern, str) and pattern_fault(pattern) is None


def _as_2020(schema: Mapping[str, Any], made: Schema) -> Schema:
    """The dialect of 3.0 as JSON Schema 2020-12."""
    for limit, sign in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(limit), bool) and made.pop(limit) and sign in made:
            made[limit] = made.pop(sign)
    if isinstance(made.get("items"), list):
        # A tuple in the draft of 2.0. What has it in public documents means one of these.
        made["items"] = {"anyOf": made["items"]} if made["items"] else {}
    if schema.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made


def resolved(document: Mapping[str, Any], value: Any) -> Any:
    """What a reference inside the document stands for; other values as they are."""
    for _ in range(_MOST_REFERENCES):
        if not isinstance(value, Mapping) or not isinstance(value.get("$ref"), str):
            return value
        reference: str = value["$ref"]
        if reference != "#" and not reference.startswith("#/"):
            raise ValueError(f"{reference!r} leads out of the document")
        found: Any = document
        for part in unquote(reference[2:]).split("/") if reference != "#" else ():
            found = _member(found, part.replace("~1", "/").replace("~0", "~"), reference)
        value = found
    raise ValueError("references that lead to themselves")


def _member(found: Any, key: str, reference: str) -> Any:
    if isinstance(found, Mapping) and key in found:
        return found[key]
    # An index as RFC 6901 writes it.
    if isinstance(found, list) and _INDEX.fullmatch(key) and int(key) < len(found):
        return found[int(key)]
    raise ValueError(f"{reference!r} leads nowhere")
