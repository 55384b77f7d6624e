"""A document of 2.0 says the same as one of 3.0."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.tools.openapi import operations
from aybiza.dialogue.tools.openapi2 import FORM, as_3


def made(method: str, *parameters: dict[str, Any], **more: Any) -> Any:
    stated = {"operationId": "x", "parameters": list(parameters), **more}
    document = {"swagger": "2.0", "paths": {"/a/{id}": {method: stated}}, "parameters": SHARED}
    return operations(document)[0]


SHARED = {"id": {"name": "id", "in": "path", "required": True, "type": "string"}}
ID = {"$ref": "#/parameters/id"}


@pytest.mark.parametrize(
    ("named", "style"),
    [
        ({}, ("form", False)),
        ({"collectionFormat": "csv"}, ("form", False)),
        ({"collectionFormat": "multi"}, ("form", True)),
        ({"collectionFormat": "ssv"}, ("spaceDelimited", False)),
        ({"collectionFormat": "pipes"}, ("pipeDelimited", False)),
        ({"collectionFormat": "tsv"}, ("tabDelimited", False)),
    ],
)
def test_a_collection_format_is_a_style(named: dict[str, str], style: tuple[str, bool]) -> None:
    query = {"name": "q", "in": "query", "type": "array", "items": {"type": "string"}, **named}
    operation = made("get", ID, query)
    assert tuple(operation.wires["q"].style)[:2] == style
    assert operation.input_schema["properties"]["q"]["items"] == {"type": "string"}
    assert operation.input_schema["required"] == ["id"]


def test_form_data_is_a_form_and_a_body_is_json() -> None:
    member = {"name": "to", "in": "formData", "type": "string", "required": True}
    form = made("post", ID, member)
    assert form.content_type == "application/x-www-form-urlencoded"
    assert form.input_schema["required"] == ["id", "to"]
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    body = made("post", ID, {"name": "body", "in": "body", "schema": schema})
    assert body.content_type == "application/json"
    assert body.wires["name"].place == "body"


def test_files_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="multipart/form-data has a file, 'f'"):
        made("post", ID, {"name": "f", "in": "formData", "type": "file"})


@pytest.mark.parametrize(
    ("consumes", "kind"),
    [
        (["multipart/form-data"], "multipart/form-data"),
        (["multipart/form-data", FORM], FORM),
    ],
)
def test_form_data_without_a_file_is_multipart_only_where_nothing_else_is_taken(
    consumes: list[str], kind: str
) -> None:
    member = {"name": "to", "in": "formData", "type": "string"}
    assert made("post", ID, member, consumes=consumes).content_type == kind


def test_the_server_is_put_together_and_other_documents_stay() -> None:
    document = {"swagger": "2.0", "host": "a.example.org", "basePath": "/v2", "paths": {}}
    assert as_3(document)["servers"] == [{"url": "https://a.example.org/v2"}]
    other = {"openapi": "3.1.0", "paths": {}}
    assert as_3(other) is other


def test_a_path_that_is_no_table_is_passed_over_and_a_document_without_host_has_no_server() -> None:
    document = {"swagger": "2.0", "paths": {"/x": 5, "/a": {"get": {"operationId": "a"}}}}
    assert as_3(document)["servers"] == []
    assert [each.name for each in operations(document)] == ["a"]


SOUND = {"/sound": {"get": {"operationId": "sound"}}}


@pytest.mark.parametrize(
    "broken",
    [
        {"$ref": "#/nowhere"},
        {"$ref": "other.json#/a"},
        {"get": {"operationId": "x", "parameters": [{"$ref": "#/nowhere"}]}},
        {"get": {"operationId": "x", "parameters": [{"$ref": "parameters.json#/tags"}]}},
        {"get": {"operationId": "x", "parameters": [None]}},
        {"get": {"operationId": "x", "parameters": ["id"]}},
        {"get": {"operationId": "x"}, "parameters": [5]},
    ],
)
def test_what_cannot_be_read_leaves_out_its_operation_alone(broken: Any) -> None:
    left_out: dict[str, str] = {}
    found = operations({"swagger": "2.0", "paths": {"/x": broken, **SOUND}}, None, left_out)
    assert [each.name for each in found] == ["sound"]
    assert len(left_out) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"schemes": 3, "host": "a.example.org"},
        {"schemes": {"$ref": "#/a"}, "host": "a.example.org"},
        {"consumes": 3},
        {"produces": [[], {"$ref": "#/a"}]},
    ],
)
def test_kinds_and_schemes_that_are_none_are_as_if_left_out(more: Any) -> None:
    document = {"swagger": "2.0", "paths": SOUND, **more}
    assert [each.name for each in operations(document)] == ["sound"]


def test_an_answer_that_cannot_be_read_is_taken_as_it_is() -> None:
    broken = {"get": {"operationId": "x", "responses": {"200": {"$ref": "#/nowhere"}}}}
    (found,) = operations({"swagger": "2.0", "paths": {"/x": broken}})
    assert found.output_schema is None
