"""Connectors: an API's description becomes tools that call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aybiza.dialogue.tool_registry import LONGEST_SECONDS, Tool
from aybiza.dialogue.tools.connectors import create_connector
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.crm import OPENAPI
from tests.dialogue.tools.kit import used


def connector(api: HttpApi, **config: Any) -> dict[str, Tool]:
    given = {"openapi": OPENAPI} if "operations" not in config else {}
    return {tool.name: tool for tool in create_connector("crm", {**given, **config}, api)}


def operation(**changes: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "tags": {"type": "array"}, "deep": {}},
        "required": ["id"],
    }
    return {"method": "GET", "path": "/things/{id}", "input_schema": schema, **changes}


async def test_a_described_api_is_called(services: ServicesEmulator, crm_api: HttpApi) -> None:
    tools = connector(crm_api)
    found = await used(tools["crm_findCustomer"], identifier="20418")
    assert found["name"] == "John Smith"
    noted = await used(tools["crm_noteOnCustomer"], customer_id="20418", note="Called.")
    assert noted["note"] == "Called."
    assert services.crm.customers["20418"]["note"] == "Called."


def test_the_method_tells_what_a_tool_does(crm_api: HttpApi) -> None:
    tools = connector(crm_api)
    assert tools["crm_findCustomer"].effect == "none"
    assert tools["crm_noteOnCustomer"].effect == "write"
    assert tools["crm_noteOnCustomer"].seconds == LONGEST_SECONDS
    told = connector(crm_api, effects={"noteOnCustomer": "none"}, seconds=2)
    assert (told["crm_noteOnCustomer"].effect, told["crm_noteOnCustomer"].seconds) == ("none", 2)


async def test_what_the_model_gives_stays_in_its_place(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    note = connector(crm_api)["crm_noteOnCustomer"]
    for climbing in ("../token?a=1", "..", "a/b", "a\\b", "%2e%2e", "%252f", "x\n", ""):
        got = await used(note, customer_id=climbing, note="x")
        assert got["error"] == "bad_input"
    assert not services.journal
    await used(note, customer_id="token?a=1#b", note="x")
    assert services.journal[-1].path == "/crm/customers/token%3Fa%3D1%23b"


async def test_members_go_where_the_description_says(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    schema = operation()["input_schema"]
    schema["properties"]["trace"] = {"type": "string"}
    described = [
        operation(input_schema=schema, places={"trace": "header"}),
        operation(name="write", method="POST"),
    ]
    tools = connector(crm_api, operations=described)
    await used(tools["crm_connector"], id="7", tags=["a", "b"], deep={"x": True}, trace="t1")
    asked = services.journal[-1]
    assert asked.path == "/crm/things/7?tags=a%2Cb&deep=%7B%22x%22%3A+true%7D"
    assert asked.headers["trace"] == "t1"
    assert asked.body is None
    await used(tools["crm_write"], id="7", tags=["a"], deep=None)
    asked = services.journal[-1]
    assert (asked.path, asked.body) == ("/crm/things/7", {"tags": ["a"], "deep": None})


async def test_a_header_can_not_be_broken_out_of(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    tools = connector(crm_api, operations=[operation(places={"tags": "header"})])
    for value in ("a\r\nX-Evil: 1", "Zoë", "a\0"):
        got = await used(tools["crm_connector"], id="7", tags=[value])
        assert got["error"] == "bad_input"
    assert not services.journal


async def test_a_write_carries_the_key_under_which_it_is_done_once(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    tools = connector(crm_api)
    await used(tools["crm_noteOnCustomer"], customer_id="20418", note="x")
    assert services.journal[-1].headers["idempotency-key"].startswith("CA1-1-use")
    await used(tools["crm_findCustomer"], identifier="20418")
    assert "idempotency-key" not in services.journal[-1].headers


async def test_an_answer_that_breaks_the_description_is_an_error(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    del services.crm.customers["20418"]["name"]
    got = await used(connector(crm_api)["crm_findCustomer"], identifier="20418")
    assert got["error"] == "failed"


async def test_a_write_whose_answer_is_lost_may_have_been_done(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    note = connector(crm_api)["crm_noteOnCustomer"]
    for fault in (services.drop, services.stall):
        fault("crm")
        got = await used(note, customer_id="20418", note="x")
        assert got["error"] == "outcome_unknown"
    assert services.crm.customers["20418"]["note"] == "x"


async def test_an_answer_that_is_no_object_is_put_into_one(crm_api: HttpApi) -> None:
    schema = {"type": "object", "properties": {}}
    described = {"method": "GET", "path": "/openapi.json", "input_schema": schema, "name": "d"}
    got = await used(connector(crm_api, operations=[described])["crm_d"])
    assert got["openapi"] == "3.1.0"


def test_a_document_may_be_a_file(crm_api: HttpApi, tmp_path: Path) -> None:
    path = tmp_path / "crm.json"
    path.write_text(json.dumps(OPENAPI))
    assert len(create_connector("crm", {"openapi": str(path)}, crm_api)) == 2
    path.write_text("{")
    with pytest.raises(ValueError, match="not JSON"):
        create_connector("crm", {"openapi": path}, crm_api)


def test_only_what_is_named_is_offered(crm_api: HttpApi) -> None:
    assert list(connector(crm_api, only=["findCustomer"])) == ["crm_findCustomer"]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "either"),
        ({"openapi": OPENAPI, "operations": []}, "either"),
        ({"openapi": {"openapi": "2.0"}}, "crm: this is no OpenAPI"),
        ({"openapi": OPENAPI, "only": ["nothing"]}, "'nothing'"),
        ({"openapi": OPENAPI, "effects": {"findCustomer": "boom"}}, "'boom'"),
        ({"operations": [{"method": "GET"}]}, "has no"),
        ({"operations": [operation(path="/a/{other}")]}, "'other'"),
    ],
)
def test_what_makes_no_sense_is_named(crm_api: HttpApi, config: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        create_connector("crm", config, crm_api)


def test_a_schema_that_a_registry_refuses_leaves_out_its_operation_alone() -> None:
    wrong = {"type": "object", "properties": {"a": {"type": "file"}}}
    paths = {
        "/a": {"post": {"requestBody": {"content": {"application/json": {"schema": wrong}}}}},
        "/b": {"get": {"operationId": "good"}},
    }
    left_out: dict[str, str] = {}
    api = HttpApi("http://127.0.0.1:9")
    made = create_connector("t", {"openapi": {"openapi": "3.0.3", "paths": paths}}, api, left_out)
    assert [tool.name for tool in made] == ["t_good"]
    assert "schema is none" in left_out["t_post_a"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"paths": "/a"}, "paths is not known; did you mean path"),
        ({"colour": "red"}, "colour is not known; there are: method, path"),
        ({"path": "things/{id}"}, "does not begin with a slash"),
        ({"places": {"tags": "header", "id": "path"}, "input_schema": {}}, "'id'"),
    ],
)
def test_an_operation_of_ones_own_that_makes_no_sense_is_named(
    crm_api: HttpApi, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        connector(crm_api, operations=[operation(**change)])


def test_a_header_that_is_not_an_inputs_to_say_is_refused(crm_api: HttpApi) -> None:
    schema = {"type": "object", "properties": {"Cookie": {"type": "string"}}}
    stated = operation(path="/a", input_schema=schema, places={"Cookie": "header"})
    with pytest.raises(ValueError, match="header 'Cookie' is not an input's to say"):
        connector(crm_api, operations=[stated])


def test_a_document_in_yaml_is_told_to_be_converted(crm_api: HttpApi, tmp_path: Path) -> None:
    path = tmp_path / "crm.yaml"
    path.write_text("openapi: 3.0.3")
    with pytest.raises(ValueError, match="is YAML, which is not read: convert it"):
        create_connector("crm", {"openapi": path}, crm_api)


async def test_a_member_without_value_or_place_is_not_sent(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    tools = connector(crm_api, operations=[operation()])
    await used(tools["crm_connector"], id="7", deep=None, other="x")
    assert services.journal[-1].path == "/crm/things/7"


def test_of_ones_own_operations_too_only_what_is_named_is_offered(crm_api: HttpApi) -> None:
    described = [operation(name="one"), operation(name="two")]
    assert list(connector(crm_api, operations=described, only=["two"])) == ["crm_two"]
