"""Schemas of OpenAPI documents: references followed, and bounded."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from aybiza.dialogue.tools.openapi import operations
from aybiza.dialogue.tools.openapi_schema import SCHEMA_BYTES, bounded, inlined, resolved

DOCUMENT: dict[str, Any] = {
    "paths": {"/a/{id}": {"get": {"parameters": [{"name": "id"}, {"name": "x~y/z"}]}}},
    "components": {
        "schemas": {
            "All": {"allOf": [{"type": "object"}, {"required": ["a"]}]},
            "Loop": {"$ref": "#/components/schemas/Loop"},
            "Self": {
                "type": "object",
                "properties": {"again": {"$ref": "#/components/schemas/Self"}},
            },
            "a b/c~d": {"type": "string"},
        }
    },
}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/components/schemas/All/allOf/0", {"type": "object"}),
        ("#/paths/~1a~1%7Bid%7D/get/parameters/1", {"name": "x~y/z"}),
        ("#/paths/~1a~1{id}/get/parameters/0/name", "id"),
        ("#/components/schemas/a%20b~1c~0d", {"type": "string"}),
        ("#", DOCUMENT),
    ],
)
def test_a_pointer_is_followed_as_rfc_6901_has_it(reference: str, found: object) -> None:
    assert resolved(DOCUMENT, {"$ref": reference}) == found


@pytest.mark.parametrize(
    "reference",
    [
        "#/components/schemas/All/allOf/2",
        "#/components/schemas/All/allOf/00",
        "#/components/schemas/All/allOf/-",
        "#/nothing",
        "other.json#/a",
        "#anchor",
        "#/components/schemas/Loop",
    ],
)
def test_a_pointer_that_leads_nowhere_is_named(reference: str) -> None:
    with pytest.raises(ValueError, match=r"leads|lead to"):
        resolved(DOCUMENT, {"$ref": reference})


def test_what_stands_in_itself_takes_anything_there() -> None:
    again = {"$ref": "#/components/schemas/Self"}
    assert inlined(DOCUMENT, again) == {"type": "object", "properties": {"again": {}}}


def wide(levels: int, width: int = 8) -> dict[str, Any]:
    """A document of `levels` schemas of which each holds the next `width` times."""
    schemas = {
        f"S{n}": {
            "type": "object",
            "properties": {
                f"p{k}": {"$ref": f"#/components/schemas/S{n + 1}"} for k in range(width)
            },
        }
        for n in range(levels)
    }
    return {"components": {"schemas": {**schemas, f"S{levels}": {"type": "string"}}}}


def test_a_small_document_that_unfolds_without_end_is_cut_at_once() -> None:
    began = time.process_time()
    made, cut = bounded(wide(12), {"$ref": "#/components/schemas/S0"})
    assert time.process_time() - began < 2
    assert cut
    assert len(json.dumps(made)) <= SCHEMA_BYTES
    assert made["properties"]["p0"]["type"] == "object"


def test_what_no_cut_makes_fit_is_refused_with_the_limit() -> None:
    large = {"type": "object", "properties": {"a": {"enum": ["x" * 100] * 1000}}}
    with pytest.raises(ValueError, match=r"its input takes more than 24576 bytes"):
        bounded({}, large)


def test_words_for_the_tools_of_its_author_are_left_out_but_no_member_of_such_a_name() -> None:
    stated = {"x-enum-elements": [{"name": "RED"}], "properties": {"x-id": {"type": "string"}}}
    assert inlined({}, stated) == {"properties": {"x-id": {"type": "string"}}}


def visits(levels: int) -> int:
    """How often the schemas of a document are looked up until the one that unfolds is cut."""
    looked = 0

    class Counted(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            nonlocal looked
            looked += 1
            return super().__getitem__(key)

    document = wide(levels)
    document["components"]["schemas"] = Counted(document["components"]["schemas"])
    bounded(document, {"$ref": "#/components/schemas/S0"})
    return looked


def test_a_depth_that_cannot_fit_is_given_up_as_soon_as_that_is_known() -> None:
    # Eight depths; a walk to the end of one meets 4,000 nodes and passes over many more.
    assert visits(12) < 8 * SCHEMA_BYTES / 10


def test_what_fits_is_left_whole() -> None:
    assert bounded({}, {"type": "array", "items": {"type": "string"}}) == (
        {"type": "array", "items": {"type": "string"}},
        False,
    )


def test_a_list_of_schemas_as_items_means_any_of_them() -> None:
    listed = {"type": "array", "items": [{"type": "string"}, {"type": "null"}]}
    made = inlined({}, {**listed, "additionalItems": False})
    assert made == {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    assert inlined({}, {"items": []}) == {"items": {}}


PETS: dict[str, Any] = {
    "openapi": "3.0.3",
    "components": {
        "schemas": {
            "Id": {"type": "integer", "readOnly": True},
            "Base": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"$ref": "#/components/schemas/Id"},
                    "name": {"type": "string"},
                    "pin": {"type": "string", "writeOnly": True},
                },
            },
            "Pet": {
                "allOf": [
                    {"$ref": "#/components/schemas/Base"},
                    {"required": ["id", "pin", "name"]},
                    {"$ref": "#/components/schemas/Pet"},
                ]
            },
        }
    },
}


def test_a_member_that_only_travels_the_other_way_is_neither_offered_nor_required() -> None:
    pet = {"$ref": "#/components/schemas/Pet"}
    sent = bounded(PETS, pet)[0]["allOf"]
    assert sent[0]["required"] == ["name"] and sorted(sent[0]["properties"]) == ["name", "pin"]
    assert sent[1]["required"] == ["pin", "name"]
    answer = bounded(PETS, pet, other_way="writeOnly")[0]["allOf"]
    assert answer[0]["required"] == ["id", "name"]
    assert sorted(answer[0]["properties"]) == ["id", "name"]
    assert answer[1]["required"] == ["id", "name"]
    assert "Only" not in json.dumps([sent, answer])


def test_a_parameter_is_sent_though_its_schema_is_that_of_a_member_of_answers() -> None:
    shared = {"schema": {"$ref": "#/components/schemas/Id"}}
    parameter = {"name": "id", "in": "path", "required": True, **shared}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Base"}}}}
    put = {"operationId": "put", "parameters": [parameter], "requestBody": body}
    (found,) = operations({**PETS, "paths": {"/pets/{id}": {"put": put}}})
    assert found.input_schema["required"] == ["id", "name"]
    assert {name: wire.place for name, wire in found.wires.items()} == {
        "id": "path",
        "name": "body",
        "pin": "body",
    }


def test_what_cannot_be_read_of_another_way_is_told_where_it_stands() -> None:
    lost = {"properties": {"a": {"$ref": "#/nowhere"}, "b": 5}, "required": [["a"], "b"]}
    with pytest.raises(ValueError, match="nowhere"):
        bounded(PETS, lost)
    assert bounded(PETS, {"allOf": 5, "properties": 5, "required": [[]]})[0]["required"] == [[]]


@pytest.mark.parametrize(
    ("version", "beside", "made"),
    [
        ("3.0.3", {"description": "ours"}, {"type": "string", "description": "theirs"}),
        ("3.1.0", {"description": "ours"}, {"type": "string", "description": "ours"}),
        (
            "3.1.0",
            {"maxLength": 5},
            {"type": "string", "description": "theirs", "maxLength": 5},
        ),
        (
            "3.1.0",
            {"type": "string", "title": "T"},
            {
                "allOf": [{"type": "string", "description": "theirs"}, {"type": "string"}],
                "title": "T",
            },
        ),
    ],
)
def test_what_stands_beside_a_reference_counts_since_3_1(
    version: str, beside: Any, made: Any
) -> None:
    schemas = {"Name": {"type": "string", "description": "theirs"}}
    document = {"openapi": version, "components": {"schemas": schemas}}
    assert bounded(document, {"$ref": "#/components/schemas/Name", **beside})[0] == made
