"""OpenAPI documents as operations."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aybiza.dialogue.tools.openapi import Operation, inlined, name_of, operations
from aybiza.emulators.services.crm import OPENAPI


def document(**operation: Any) -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "components": {
            "schemas": {
                "Tree": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                    },
                },
                "Colour": {"type": "string", "enum": ["red", "blue"], "nullable": True},
            },
            "parameters": {
                "Id": {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "integer"},
                    "description": "Its number",
                }
            },
        },
        "paths": {"/things/{id}": {"put": {"operationId": "putThing", **operation}}},
    }


ID = {"$ref": "#/components/parameters/Id"}


def body(schema: dict[str, Any], required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def only(found: list[Operation]) -> Operation:
    assert len(found) == 1
    return found[0]


def test_the_demonstration_system_is_read() -> None:
    find, note = operations(OPENAPI)
    assert (find.name, find.method, find.path) == ("findCustomer", "GET", "/customers")
    assert find.places == {"identifier": "query"}
    assert find.input_schema["required"] == ["identifier"]
    assert not find.writes
    assert note.places == {"customer_id": "path", "note": "body"}
    assert set(note.input_schema["required"]) == {"customer_id", "note"}
    assert note.writes
    assert note.output_schema is not None
    assert note.output_schema["required"] == ["customer_id", "name"]


def test_references_are_put_in_their_place() -> None:
    described = document(parameters=[ID], requestBody=body({"$ref": "#/components/schemas/Tree"}))
    operation = only(operations(described))
    properties = operation.input_schema["properties"]
    assert properties["id"] == {"type": "integer", "description": "Its number"}
    assert properties["below"] == {"type": "array", "items": {}}
    assert "$ref" not in str(operation.input_schema)


def test_the_dialect_of_3_0_becomes_json_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "colour": {"$ref": "#/components/schemas/Colour"},
            "size": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
            "count": {"type": "number", "maximum": 5, "exclusiveMaximum": False},
            "example": {"type": "string", "example": "x"},
            "nullable": {"type": "boolean"},
        },
    }
    made = inlined(document(), schema)
    assert made["properties"] == {
        "colour": {"type": ["string", "null"], "enum": ["red", "blue", None]},
        "size": {"type": "number", "exclusiveMinimum": 0},
        "count": {"type": "number", "maximum": 5},
        "example": {"type": "string"},
        "nullable": {"type": "boolean"},
    }
    Draft202012Validator.check_schema(made)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "properties": {"id": {"type": "string"}}},
        {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    ],
    ids=["a list", "a member of a parameter's name", "one of several"],
)
def test_a_body_that_cannot_stand_beside_the_parameters_is_one_member(
    schema: dict[str, Any],
) -> None:
    operation = only(operations(document(parameters=[ID], requestBody=body(schema))))
    assert operation.places == {"id": "path", "body": "whole_body"}
    assert operation.input_schema["properties"]["body"] == schema
    assert operation.input_schema["required"] == ["id", "body"]


def test_a_parameter_of_the_operation_takes_the_place_of_the_paths() -> None:
    described = document(parameters=[{**copy.deepcopy(described_id()), "description": "Mine"}])
    described["paths"]["/things/{id}"]["parameters"] = [ID]
    operation = only(operations(described))
    assert operation.input_schema["properties"]["id"]["description"] == "Mine"


def described_id() -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["parameters"]["Id"]
    return found


def test_an_operation_without_an_id_gets_a_name_of_its_path() -> None:
    described = document(parameters=[ID])
    del described["paths"]["/things/{id}"]["put"]["operationId"]
    assert only(operations(described)).name == "put_things_id"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"openapi": "2.0"}, "no OpenAPI document"),
        ({"paths": {}}, "no `paths`"),
        ({"paths": {"/a/{b}": {"get": {}}}}, "'b'"),
        ({"paths": {"/a": {"get": {"parameters": [{"in": "query"}]}}}}, "no name"),
        ({"paths": {"/a": {"get": {"parameters": [{"$ref": "#/x"}]}}}}, "nowhere"),
        ({"paths": {"/a": {"get": {"parameters": [{"$ref": "http://b"}]}}}}, "out of"),
        ({"paths": {"/a": {"$ref": "#/paths/~1a"}}}, "themselves"),
        (
            {"paths": {"/a": {"post": {"requestBody": {"required": True, "content": {}}}}}},
            "not JSON",
        ),
        (
            {"paths": {"/a": {"get": {"operationId": "x"}, "put": {"operationId": "x"}}}},
            "two operations",
        ),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        operations({**document(), **change})


@pytest.mark.parametrize(
    ("text", "name"), [("get_/a/{b}", "get_a_b"), ("a" * 80, "a" * 64), ("/{}/", "operation")]
)
def test_a_name_is_one_that_a_tool_may_have(text: str, name: str) -> None:
    assert name_of(text) == name


def test_an_answer_whose_schema_is_none_is_taken_as_it_is() -> None:
    answer = {"type": "object", "properties": {"name": {"type": "strin"}}}
    content = {"application/json": {"schema": answer}}
    described = {"operationId": "names", "responses": {"200": {"content": content}}}
    (names,) = operations({"openapi": "3.0.3", "paths": {"/names": {"get": described}}})
    assert names.output_schema is None


def get(*parameters: Any, **more: Any) -> dict[str, Any]:
    stated = {"operationId": "x", "parameters": list(parameters), **more}
    return {"openapi": "3.0.3", "paths": {"/a": {"get": stated}}}


def header(name: str, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}}


@pytest.mark.parametrize(
    ("parameter", "says"),
    [
        ({"name": "q", "in": "body", "required": True}, "'q' cannot be sent"),
        (
            {"name": "q", "in": "query", "required": True, "content": {"text/xml": {}}},
            "'q' is text/xml, not JSON",
        ),
        ({"name": "q", "in": "query", "required": True, "style": "matrix"}, "the style matrix"),
        ({"name": "q", "in": "cookie", "required": True}, "the cookie 'q' is not an input's"),
        (header("Cookie", True), "header 'Cookie' is not an input's to say"),
    ],
)
def test_a_parameter_that_cannot_be_sent_is_named(parameter: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        operations(get(parameter))


def test_a_header_that_is_not_ours_to_say_and_need_not_be_is_left_out() -> None:
    cookie = {"name": "c", "in": "cookie", "schema": {"type": "string"}}
    mine = header("Accept", False)
    operation = only(
        operations(get(header("Cookie", False), cookie, mine, header("X-Trace", False)))
    )
    assert list(operation.input_schema["properties"]) == ["X-Trace"]
    assert list(operation.dropped) == ["Cookie", "c"]
    assert "under `cookies`" in operation.dropped["c"]


def test_an_optional_parameter_that_cannot_be_sent_is_dropped_with_its_reason() -> None:
    odd = {"name": "q", "in": "query", "style": "matrix"}
    operation = only(operations(get(odd, header("X-Trace", False))))
    assert list(operation.input_schema["properties"]) == ["X-Trace"]
    assert operation.dropped == {"q": "'q' has the style matrix, which is not written"}


def test_a_cookie_that_the_client_sends_is_none_of_the_input() -> None:
    cookie = {"name": "sid", "in": "cookie", "required": True, "schema": {"type": "string"}}
    operation = only(operations(get(cookie), cookies=["sid"]))
    assert operation.input_schema["properties"] == operation.dropped == {}


def test_the_key_of_a_write_is_the_clients_to_say() -> None:
    key = header("Idempotency-Key", True)
    operation = only(operations(document(parameters=[ID, key])))
    assert list(operation.input_schema["properties"]) == ["id"] and operation.dropped == {}
    assert list(only(operations(get(header("Idempotency-Key", False)))).dropped)


def test_a_parameter_may_be_json() -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    operation = only(operations(get({"name": "q", "in": "query", "content": content})))
    assert operation.input_schema["properties"]["q"] == {"type": "object"}
    style = operation.wires["q"].style
    assert style is not None and style.as_json


def test_a_path_that_cannot_be_read_is_left_out_with_its_reason() -> None:
    described = get()
    described["paths"] |= {"/lost": {"$ref": "#/nowhere"}, "/none": 5}
    left_out: dict[str, str] = {}
    assert [each.path for each in operations(described, None, left_out)] == ["/a"]
    assert list(left_out) == ["/lost"] and "nowhere" in left_out["/lost"]


@pytest.mark.parametrize(
    ("responses", "schema"),
    [
        ({"200": {"content": {"text/plain": {}, "application/json": {"schema": {}}}}}, {}),
        ({"200": {"content": {"text/plain": {}}}}, None),
        ({"404": {"description": "none"}}, None),
        ({"200": {"$ref": "#/nowhere"}}, None),
        ({"200": 5}, None),
        (5, None),
    ],
)
def test_the_answers_schema_is_that_of_the_first_success_in_json(
    responses: Any, schema: Any
) -> None:
    assert only(operations(get(responses=responses))).output_schema == schema


def served(of_path: Any, of_operation: Any) -> dict[str, Any]:
    described = get()
    described["servers"] = [{"url": "https://api.example.org/v1"}]
    item = described["paths"]["/a"]
    for table, servers in ((item, of_path), (item["get"], of_operation)):
        if servers is not None:
            table["servers"] = [{"url": url} for url in servers]
    return described


@pytest.mark.parametrize(
    ("of_path", "of_operation"),
    [
        (None, ["https://files.example.org"]),
        (["https://files.example.org"], None),
        (["https://api.example.org/v1"], ["https://files.example.org"]),
        (["/v2"], None),
    ],
)
def test_an_operation_of_another_server_is_left_out_with_its_reason(
    of_path: Any, of_operation: Any
) -> None:
    left_out: dict[str, str] = {}
    assert operations(served(of_path, of_operation), None, left_out) == []
    assert "has a server of its own" in left_out["x"]
    assert str((of_operation or of_path)[0]) in left_out["x"]


@pytest.mark.parametrize(
    ("of_path", "of_operation"),
    [
        (["https://api.example.org/v1/"], None),
        (["https://files.example.org"], ["https://api.example.org/v1"]),
        ([], []),
        (None, ["https://files.example.org", "https://staging.example.org/v1/"]),
    ],
)
def test_an_operation_of_the_documents_server_or_of_the_base_url_is_offered(
    of_path: Any, of_operation: Any
) -> None:
    described = served(of_path, of_operation)
    assert only(operations(described, base_url="https://staging.example.org/v1"))


def multipart(members: dict[str, Any], encoding: Any = None) -> dict[str, Any]:
    schema = {"type": "object", "properties": members}
    media = {"schema": schema, "encoding": encoding or {}}
    return document(parameters=[ID], requestBody={"content": {"multipart/form-data; x=y": media}})


@pytest.mark.parametrize(
    ("member", "encoding"),
    [
        ({"type": "string", "format": "binary"}, {}),
        ({"type": "array", "items": {"type": "string", "format": "binary"}}, {}),
        ({"oneOf": [{"type": "string"}, {"type": "string", "format": "binary"}]}, {}),
        ({"type": "string", "contentMediaType": "image/png"}, {}),
        ({"description": "anything"}, {}),
        ({"type": "string"}, {"f": {"contentType": "image/png, image/jpeg"}}),
    ],
)
def test_a_multipart_body_with_a_file_is_left_out(member: Any, encoding: Any) -> None:
    with pytest.raises(ValueError, match="has a file, 'f'"):
        operations(multipart({"n": {"type": "string"}, "f": member}, encoding))


def test_a_multipart_body_without_a_file_is_a_form() -> None:
    members = {"to": {"type": "string"}, "more": {"type": "object"}}
    operation = only(operations(multipart(members)))
    assert operation.content_type == "multipart/form-data"
    assert operation.places == {"id": "path", "to": "body", "more": "body"}


def test_a_body_that_may_be_a_form_of_both_kinds_is_url_encoded() -> None:
    media = {"schema": {"type": "object", "properties": {"to": {"type": "string"}}}}
    kinds = {"multipart/form-data": media, "application/x-www-form-urlencoded": media}
    operation = only(operations(document(parameters=[ID], requestBody={"content": kinds})))
    assert operation.content_type == "application/x-www-form-urlencoded"
