"""The audit trail: what stands in it, and that it tells every kind of change from a torn end."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.measures import audit, events
from aybiza.actors.measures.audit import AuditTrail, Item, verify
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.runtime.telemetry import Event
from aybiza.emulators.bedrock import use
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.world import World, in_world

ANSWERS = {"Look it up.": [use("look_up", {"what": "a"}), "Found it, goodbye."]}


def acted(trail: AuditTrail, number: int) -> list[Item]:
    told = {"who": "maria", "did": "kill", "what": f"call:CA{number}"}
    return list(trail.hear(events.OPERATOR, {}, told, 1_800_000_000.0 + number))


def written(path: Path, count: int = 5) -> AuditTrail:
    trail = AuditTrail(path, node="vm-1")
    for number in range(count):
        trail.put(acted(trail, number))
    return trail


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_call_and_what_an_operator_does_stand_in_it_without_words(tmp_path: Path) -> None:
    trail, path = AuditTrail(tmp_path / "audit.jsonl", node="vm-1"), tmp_path / "audit.jsonl"

    async def talk(world: World) -> list[Item]:
        items: list[Item] = []

        def hear(event: Event, measured: Any, told: Any, _: Any) -> None:
            items.extend(trail.hear(event, measured, told, time.time()))

        world.vm.telemetry.attach_many("audit", list(AuditTrail.events), hear)
        async with world.call(says("Look it up."), hangs_up(when="goodbye")) as call:
            await call.over()
        return items

    trail.put(in_world(talk, answers=ANSWERS))
    trail.put(acted(trail, 1))
    found = entries(path)
    assert [entry["did"] for entry in found] == ["call.start", "call.stop", "operator.kill"]
    assert [entry["who"] for entry in found] == ["caller", "caller", "maria"]
    assert found[1]["about"]["micro_usd"] > 0
    assert found[2]["about"] == {"what": "call:CA1"}
    assert verify(path.read_bytes()).entries == 3
    assert b"Found" not in path.read_bytes() and b"+1" not in path.read_bytes()


def test_of_tools_those_that_write_stand_in_it() -> None:
    trail = AuditTrail(Path("/nowhere"), node="vm-1")
    told = {"call_id": "CA1", "turn": 2, "tool": "book", "effect": "write", "outcome": "ok"}
    (entry,) = trail.hear(events.TOOL_STOP, {"seconds": 1.0}, told, 1.0)
    assert entry["about"] == {"call_id": "CA1", "turn": 2, "tool": "book", "outcome": "ok"}
    assert list(trail.hear(events.TOOL_STOP, {}, {**told, "effect": "read"}, 1.0)) == []
    crashed = {**told, "outcome": None, "error": ValueError("a name")}
    (entry,) = trail.hear(events.TOOL_EXCEPTION, {}, crashed, 1.0)
    assert entry["about"]["outcome"] == "unknown" and "a name" not in str(entry)


def test_it_is_its_owners_alone_and_goes_on_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    written(path, 3)
    written(path, 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    verdict = verify(path.read_bytes())
    assert (verdict.entries, verdict.wrong, verdict.torn) == (5, None, False)
    assert verdict.last == entries(path)[-1]["hash"]


@given(data=st.data())
def test_every_changed_byte_is_found(data: st.DataObject) -> None:
    whole = TRAIL
    place = data.draw(st.integers(0, len(whole) - 2))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    changed = whole[:place] + bytes([other]) + whole[place + 1 :]
    assert verify(changed).wrong is not None


@pytest.mark.parametrize("line", range(4))
def test_a_line_that_is_taken_out_repeated_or_moved_is_found(line: int) -> None:
    lines = TRAIL.splitlines(keepends=True)
    without = lines[:line] + lines[line + 1 :]
    twice = lines[: line + 1] + lines[line:]
    swapped = [*lines[:line], lines[line + 1], lines[line], *lines[line + 2 :]]
    for changed in (without, twice, swapped):
        verdict = verify(b"".join(changed))
        assert verdict.wrong is not None
        assert verdict.entries <= line + 1


def test_a_torn_last_line_is_told_apart_and_the_next_entry_says_so(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for cut in range(1, len(TRAIL.splitlines(keepends=True)[-1])):
        path.write_bytes(TRAIL[:-cut])
        path.chmod(0o600)
        verdict = verify(path.read_bytes())
        assert (verdict.torn, verdict.wrong, verdict.entries) == (True, None, 4)
    trail = AuditTrail(path, node="vm-1")
    trail.put(acted(trail, 9))
    assert verify(path.read_bytes()).entries == 6
    assert [json.loads(line)["did"] for line in path.read_bytes().splitlines()[-2:]] == [
        "trail.torn",
        "operator.kill",
    ]
    # Only what the entry behind knows of passes for torn.
    bare = b"".join(path.read_bytes().splitlines(keepends=True)[:-2])
    assert verify(bare).wrong is not None


def test_a_changed_trail_is_set_aside_and_the_new_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(TRAIL.replace(b"maria", b"mario", 1))
    path.chmod(0o600)
    trail = AuditTrail(path, node="vm-1")
    trail.put(acted(trail, 1))
    assert [entry["did"] for entry in entries(path)] == ["trail.damaged", "operator.kill"]
    (aside,) = (each for each in tmp_path.iterdir() if "damaged" in each.name)
    assert b"mario" in aside.read_bytes()


def test_what_was_lost_on_the_way_is_an_entry(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path, node="vm-1")
    first, *_, last = [item for number in range(5) for item in acted(trail, number)]
    trail.put([first])
    trail.put([last])
    told = [(entry["did"], entry["about"]) for entry in entries(path)]
    assert told[1] == ("trail.lost", {"entries": 3})
    assert verify(path.read_bytes()).entries == 3


def test_a_disk_that_is_full_leaves_the_trail_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.jsonl"
    trail = written(path, 2)
    batch = acted(trail, 3)
    with monkeypatch.context() as full:
        full.setattr("os.fsync", _no_room)
        with pytest.raises(SinkError, match="No space left") as refused:
            trail.put(batch)
        assert refused.value.again
    trail.put(batch)
    assert [entry["n"] for entry in entries(path)] == [1, 2, 3]
    assert verify(path.read_bytes()).entries == 3


def test_two_nodes_of_one_name_write_to_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    one, other = (AuditTrail(path, node="vm") for _ in range(2))
    for number in range(3):
        one.put(acted(one, number))
        other.put(acted(other, number))
    with path.open("ab") as file:
        file.write(b'{"n": 7, "at')
    one.put(acted(one, 3))
    other.put(acted(other, 3))
    verdict = verify(path.read_bytes())
    assert (verdict.entries, verdict.wrong, verdict.torn) == (9, None, False)
    assert [entry.split(b'"did": "')[1][:10] for entry in path.read_bytes().splitlines()[-3:]] == [
        b"trail.torn",
        b"operator.k",
        b"operator.k",
    ]


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: [*t, t[0]], lambda t: [*t, b"x\n"]])
def test_a_trail_that_is_changed_while_its_node_runs_is_found(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    path = tmp_path / "audit.jsonl"
    trail = written(path, 3)
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    trail.put(acted(trail, 4))
    assert verify(path.read_bytes()).wrong is not None


def test_the_longest_texts_of_any_script_are_entries(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path, node="vm-1")
    names = ("call_id", "agent", "carrier", "country")
    trail.put(
        list(trail.hear(events.CALL_START, {}, dict.fromkeys(names, "\U0001f600" * 999), 1.0))
    )
    assert verify(path.read_bytes()).entries == 1


def _no_room(_: int) -> None:
    raise OSError(28, "No space left on device")


def _trail() -> bytes:
    lines, before = [], audit.FIRST
    for number in range(1, 6):
        about = {"what": f"call:CA{number}"}
        item = {"at": 1.8e9 + number, "who": "maria", "did": "operator.kill", "about": about}
        line, before = audit._line(number, before, item, "vm-1")
        lines.append(line)
    return b"".join(lines)


TRAIL = _trail()
