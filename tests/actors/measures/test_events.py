"""The events of the application are told as they are declared."""

from __future__ import annotations

import ast
from typing import Any

from aybiza.actors.measures import events
from aybiza.actors.measures.events import EVENTS, emit
from aybiza.actors.runtime import VM, telemetry, virtual_time
from tests.test_floors import ROOT

HERE = ("actors", "gateway", "supervisors", "console", "claude", "speech", "dialogue")


@virtual_time
async def test_measurements_and_metadata_are_told_apart_and_nobody_listening_is_nothing() -> None:
    async with VM() as vm:
        told: list[Any] = []
        emit(vm, events.TURN_ANSWERED, seconds=0.5, call_id="CA1", turn=2)
        vm.telemetry.attach(
            "note",
            events.TURN_ANSWERED,
            lambda *heard: told.append((dict(heard[1]), dict(heard[2]))),
        )
        emit(vm, events.TURN_ANSWERED, seconds=0.8, call_id="CA1", turn=3)
        assert told == [({"seconds": 0.8}, {"call_id": "CA1", "turn": 3})]


def emitted() -> dict[str, set[str]]:
    """The names of the events that the code emits, each with the fields that are named there."""
    found: dict[str, set[str]] = {}
    for path in (path for folder in HERE for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(ast.Name("events" | "telemetry"), name) if name.isupper():
                    found.setdefault(name, set())
                case ast.Name(name) if name in vars(telemetry) and path.name != "telemetry.py":
                    found.setdefault(name, set())
                case ast.Call(ast.Name("emit"), [_, ast.Attribute(_, name)], keywords):
                    fields = {keyword.arg for keyword in keywords if keyword.arg}
                    found.setdefault(name, set()).update(fields)
    return found


def test_every_event_is_emitted_with_fields_that_are_declared() -> None:
    seen = emitted()
    declared = {
        name: EVENTS[event]
        for module in (events, telemetry)
        for name, event in vars(module).items()
        if isinstance(event, tuple) and event in EVENTS
    }
    assert len(declared) == len(EVENTS)
    # Those of a span are made of its prefix.
    assert set(declared) - set(seen) == {"TOOL_START"}
    assert "TOOL" in seen
    for name, fields in seen.items():
        if fields:
            assert fields <= {*declared[name].measurements, *declared[name].metadata}, name
