"""What a model, a server of tools, a web service, another node and a store of answers tell, and the
schemas by which it is checked."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aybiza.actors.call.known_answers import sentences_of
from aybiza.actors.measures.records_pages import rows_of_page
from aybiza.actors.recordings.shelf import Part
from aybiza.actors.recordings.sound import SealError, opened, sealed
from aybiza.config.analysis import Analysis
from aybiza.config.json_schema import fault, validator
from aybiza.dialogue.analysis_request import Found, Wanted
from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools.code_execution import _outcome
from aybiza.dialogue.tools.http_params import Style, in_header, in_segment, pairs
from aybiza.dialogue.tools.mcp_listed import Listed
from aybiza.dialogue.tools.mcp_server import result_of
from aybiza.dialogue.tools.mcp_tools import tools_of
from aybiza.dialogue.tools.openapi import Operation
from aybiza.dialogue.tools.paging import next_page
from aybiza.gateway.control.rest import _code
from tests.fuzz.decoder import Decoder
from tests.fuzz.mutate import broken_bytes, broken_json, broken_text

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "$defs": {"seat": {"type": "integer", "minimum": 1, "multipleOf": 1}},
    "properties": {
        "day": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "maxLength": 10},
        "seats": {"type": "array", "items": {"$ref": "#/$defs/seat"}, "uniqueItems": True},
        "who": {"anyOf": [{"type": "string"}, {"$ref": "#/properties/seats"}]},
        "price": {"type": "number", "multipleOf": 0.01, "exclusiveMaximum": 1000},
    },
    "patternProperties": {"^x-": {"const": 1}},
    "additionalProperties": False,
    "required": ["day"],
}
GIVEN: Final[dict[str, Any]] = {"day": "2026-03-05", "seats": [1, 2], "who": [3], "price": 19.99}


def _schemas() -> Decoder:
    """A schema and a value, one of them broken."""
    last = SimpleNamespace(check=validator(SCHEMA, "it"))

    def make(random: Random) -> tuple[Any, Any]:
        if random.random() < 0.5:
            return None, broken_json(random, GIVEN, [GIVEN])
        return broken_json(random, SCHEMA, [SCHEMA, *SCHEMA["properties"].values()]), GIVEN

    def decode(given: tuple[Any, Any]) -> None:
        schema, value = given
        if isinstance(schema, dict):
            fault(validator(schema, "it"), value)
        elif isinstance(value, dict):
            fault(last.check, value)

    return Decoder(make, decode, (ValueError,))


def _listed() -> Decoder:
    """Tools as a server lists them."""
    tools = [{"name": "find", "description": "Finds.", "schema": SCHEMA}]

    async def call(name: str, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        return {}

    def make(random: Random) -> Any:
        schema = broken_json(random, SCHEMA, [SCHEMA])
        return broken_text(random, "find", ["find"]), schema if isinstance(schema, dict) else {}

    def decode(given: Any) -> None:
        name, schema = given
        listed = [Listed(name, tools[0]["description"], schema)]  # type: ignore[arg-type]
        left: dict[str, str] = {}
        assert len(tools_of("desk", listed, call, left_out=left)) + len(left) == 1

    return Decoder(make, decode)


def _results() -> Decoder:
    """What a tool of a server gives."""
    texts = ['{"found": [1, 2]}', "Not found.", '{"a": {"b": [null, 1.5]}}']

    def make(random: Random) -> Any:
        said = [broken_text(random, each, texts) for each in random.choices(texts, k=2)]
        return said, random.random() < 0.2, random.choice((None, None, {}, {"a": [1]}))

    def decode(given: Any) -> None:
        said, is_error, structured = given
        content = [SimpleNamespace(type="text", text=text) for text in said]
        content.append(SimpleNamespace(type="image"))
        told = SimpleNamespace(content=content, is_error=is_error, structured_content=structured)
        assert isinstance(result_of(told), dict)

    return Decoder(make, decode, (ToolError,))


def _analyses() -> Decoder:
    """What a model makes of a call that is over."""
    wanted = Wanted.of(Analysis.model_validate({"summary": True, "data": SCHEMA}))
    assert wanted is not None
    good = [json.dumps({"summary": "They booked.", "data": GIVEN})]
    good.append(f"Here it is:\n```json\n{good[0]}\n```")

    def decode(text: str) -> None:
        found = wanted.read(text)
        assert type(found) is not Found or (found.summary and isinstance(found.data, dict))

    return Decoder(lambda random: broken_text(random, random.choice(good), good), decode)


def _pages() -> Decoder:
    """A page of records of another node."""
    text = json.dumps([[1.7e9, "front", "CA1"], [1.8e9, None, "CA2"]])
    page = {"file": "f", "table": "calls", "columns": ["at", "node", "call"], "next": None}

    def make(random: Random) -> Any:
        rows = zlib.compress(broken_text(random, text, [text]).encode(errors="replace"))
        if random.random() < 0.3:
            rows = broken_bytes(random, rows, [rows])
        return broken_json(random, {**page, "rows": base64.b64encode(rows).decode()}, [page])

    def decode(told: Any) -> None:
        if isinstance(told, dict):
            rows_of_page(told)

    return Decoder(make, decode, (ValueError,))


def _told_answers() -> Decoder:
    good = ['["At ten.", "Shall I book it?"]', "[]"]

    def decode(text: str) -> None:
        for sentence in sentences_of(text):
            sentence.encode()

    return Decoder(lambda random: broken_text(random, random.choice(good), good), decode)


def _inputs() -> Decoder:
    """What a model gives a tool, on its way into a request."""
    values = [["a", "b"], {"a": 1, "b": [True, None]}, "41573", 5, 1.5]
    styles = [Style(name, explode) for name in ("form", "deepObject") for explode in (True, False)]

    def make(random: Random) -> tuple[Any, Style, bool]:
        value = broken_json(random, {"in": random.choice(values)}, values)
        held = value.get("in") if isinstance(value, dict) else value
        return held, random.choice(styles), random.random() < 0.5

    def decode(given: tuple[Any, Style, bool]) -> None:
        value, style, explode = given
        for write in (
            lambda: pairs("ids", value, style),
            lambda: in_segment("id", value, Style("simple", explode)),
            lambda: in_segment("id", value, Style("matrix", explode)),
            lambda: in_header("x-id", value, explode),
        ):
            try:
                write()
            except ToolError:
                continue

    return Decoder(make, decode)


def _links() -> Decoder:
    """The address of a next page, as an answer's header has it."""
    good = ["https://a.example.org/list?page=2&after=b%20c", "?page=x", "https://[::1]:80/?page=1"]
    schema = {"type": "object", "properties": {"page": {"type": "integer"}, "after": True}}
    listing = Operation("list", "", "GET", "/list", schema, {"page": "query", "after": "query"})

    def decode(url: str) -> None:
        found = next_page(listing, url)
        assert found.keys() <= {"page", "after"}
        json.dumps(found)

    return Decoder(lambda random: broken_text(random, random.choice(good), good), decode)


def _programs() -> Decoder:
    """What a function that has run a program answers."""
    good = [b'{"stdout": "4\\n", "exit_code": 0}', b'{"errorMessage": "x"}', b'{"result": [1]}']

    def make(random: Random) -> tuple[bytes, bool]:
        return broken_bytes(random, random.choice(good), good), random.random() < 0.3

    def decode(given: tuple[bytes, bool]) -> None:
        data, failed = given
        _outcome(data, failed=failed)

    return Decoder(make, decode, (ToolError, ValueError))


def _refusals() -> Decoder:
    """What the API of a carrier answers to what it refuses."""
    good = [b'{"code": 21220, "message": "x"}', b'{"errors": [{"code": "90018"}]}']
    return Decoder(lambda random: broken_bytes(random, random.choice(good), good), _code)


def _sealed() -> Decoder:
    """A sealed recording."""
    name, seal = Part("CA1", 1.0, 0.0).name, AESGCM(bytes(32))
    pieces = b""
    for _ in range(2):
        pieces += sealed(name, len(pieces), bytes(80), seal)

    def decode(data: bytes) -> None:
        b"".join(opened(Path(f"{name}.sealed"), [data[:50], data[50:]], seal))

    return Decoder(lambda random: broken_bytes(random, pieces, [pieces]), decode, (SealError,))


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "schemas": _schemas,
    "listed": _listed,
    "results": _results,
    "analyses": _analyses,
    "pages": _pages,
    "told_answers": _told_answers,
    "inputs": _inputs,
    "links": _links,
    "programs": _programs,
    "refusals": _refusals,
    "sealed": _sealed,
}
