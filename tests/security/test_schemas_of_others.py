"""A schema that came with an API's document or from a server of tools costs the loop a bounded
time, is refused in words, and no value that a model gives by it is a fault."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from aybiza.config.json_schema import fault, validator
from aybiza.config.schema_bounds import DEEPEST
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.tool_run import ToolRun
from aybiza.dialogue.tools.mcp_listed import Listed
from aybiza.dialogue.tools.mcp_tools import tools_of
from aybiza.dialogue.tools.openapi_schema import inlined
from tests.cases import each

SECONDS = 0.5
"""Of a processor; the machine of the tests may have other work."""


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def doubling(steps: int) -> dict[str, Any]:
    """Each step asks twice for the next."""
    made: dict[str, Any] = {f"d{steps}": {"type": "string"}}
    for step in range(steps):
        made[f"d{step}"] = {"anyOf": [{"$ref": f"#/$defs/d{step + 1}"}] * 2}
    return {"type": "object", "$defs": made, "properties": {"a": {"$ref": "#/$defs/d0"}}}


def member(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}}


@each(
    [
        (deep(DEEPEST), "has more than 64 levels"),
        (deep(200), "has more than 64 levels"),
        ({"type": "object", "allOf": [{"$ref": "#"}]}, "round and round"),
        (member({"$ref": "#/properties/a"}), "round and round"),
        (member({"if": {"not": {"$ref": "#/properties/a"}}}), "round and round"),
        (member({"$id": "of-its-own", "$ref": "#/$defs/x"}), "an $id of its own"),
        (member({"pattern": "a{999999999}"}), "too large"),
        (member({"pattern": "(?:(?:a{99}){99}){99}"}), "too large"),
        (member({"pattern": "(" * 5000}), "longer than"),
        (member({"patternProperties": {"[a]{99999}": {}}}), "too large"),
        (member({"pattern": "("}), "is none"),
    ]
)
def test_a_schema_that_no_check_ends_by_is_refused_at_once(
    schema: dict[str, Any], why: str
) -> None:
    began = time.thread_time()
    with pytest.raises(ValueError, match=r"^it ") as refused:
        validator(schema, "it")
    assert why in str(refused.value) and time.thread_time() - began < SECONDS


@each(
    [
        (doubling(24), 5, "too much"),
        (member({"type": "array", "uniqueItems": True}), [{"b": at} for at in range(1200)], None),
        (
            member({"items": {"anyOf": [{"type": "string"}] * 20 + [{"type": "null"}]}}),
            [None] * 3000,
            "too much",
        ),
        (member({"items": {"pattern": "^(a|aa)+$"}}), ["a" * 60 + "!"] * 200, "too much"),
        (member({}), [[[0] * 9]] * 5 + [deep(DEEPEST)], "more than 64 levels"),
    ]
)
def test_a_check_takes_a_bounded_time_whatever_it_is_asked(
    schema: dict[str, Any], value: Any, said: str | None
) -> None:
    check = validator(schema, "it")
    began = time.thread_time()
    found = fault(check, {"a": value})
    assert (found is None) is (said is None) and (said or "") in str(found)
    assert time.thread_time() - began < SECONDS


async def test_a_tool_whose_schema_is_a_trap_is_left_out_and_the_others_are_there() -> None:
    left: dict[str, str] = {}
    listed = [
        Listed("good", "Finds.", member({"type": "string"})),
        Listed("deep", "Finds.", deep(500)),
        Listed("round", "Finds.", member({"$ref": "#/properties/a"})),
        Listed("large", "Finds.", member({"pattern": "a{999999999}"})),
    ]

    async def call(name: str, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        return {"found": dict(given)}

    made = tools_of("desk", listed, call, reads=["good"], left_out=left)
    assert [tool.name for tool in made] == ["desk_good"] and set(left) == {"deep", "round", "large"}


async def test_a_number_of_400_digits_is_an_answer_to_the_model_and_no_fault() -> None:
    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        return {"done": True}

    schema = member({"type": "number", "multipleOf": 0.01, "maximum": 1000})
    registry = ToolRegistry([Tool("pay", "Pays.", run, schema)])
    result = await registry.run(ToolRun("pay", "use-1", {"a": 10**400}, "CA1", turn=1))
    assert result["error"] == "bad_input"


def test_a_document_keeps_its_operation_without_a_pattern_that_is_too_large() -> None:
    asked = member({"type": "string", "pattern": "a{999999999}"})
    assert inlined({}, asked) == member({"type": "string"})
