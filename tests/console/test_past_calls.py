"""Calls that are over, as the console shows them: read off the stores, with what came of them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.measures.events import OPERATOR
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import About, Part, Row
from aybiza.actors.recordings.shelf import Part as Stretch
from aybiza.actors.recordings.shelf import Shelf
from aybiza.actors.runtime import VM
from aybiza.config.settings import load
from aybiza.console.control import control
from aybiza.console.past_calls import keep
from aybiza.speech.loudness import STEP_BYTES, STEP_SECONDS

ABOUT = About("+14155550123", "desk", "", 1000.0, 0.0)
ENTRIES: list[dict[str, Any]] = [
    {"type": "caller_turn", "turn": 1, "text": "Are you open <b>now</b>?", "language": ""},
    {"type": "agent_sentence", "turn": 1, "seq": 1, "text": "We are."},
    {"type": "ended", "reason": "hangup"},
    {"type": "analysed", "analysis": {"summary": "Open hours were asked for.", "data": {"day": 1}}},
]


def written(path: Path) -> SqliteStore:
    """A store with one call, `CA1`, that is over."""
    store = SqliteStore(path)
    store.claim("CA1", 1, ABOUT)
    rows = [Row("CA1", n, n, 1000.0 + n, entry) for n, entry in enumerate(ENTRIES, 1)]
    store.write([Part("CA1", 1, ABOUT, rows)])
    return store


async def test_calls_that_are_over_are_listed_and_shown_with_what_was_made_of_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "memory.sqlite3"
    store = written(path)
    told: list[object] = []
    async with VM("test") as vm:
        vm.telemetry.attach("test", OPERATOR, lambda _, __, told_, ___: told.append(told_))
        keep(vm, load({"AYBIZA_MEMORY_PATH": str(path)}))
        (call,) = (await control(vm, {"op": "past"}))["calls"]
        assert (call["id"], call["agent"], call["outcome"]) == ("CA1", "desk", "hangup")
        assert "+1415555" not in call["caller"]
        assert told == []
        found = await control(vm, {"op": "past", "call": "CA1", "by": "console ::1"})
        assert told == [{"who": "console ::1", "did": "transcript", "what": "CA1"}]
    assert found["call"] == call
    assert [row[2].get("text") for row in found["rows"][:2]] == [
        "Are you open <b>now</b>?",
        "We are.",
    ]
    analysis = dict(found["analysis"])
    assert analysis["summary"] == "Open hours were asked for."
    assert analysis["data"] == '{"day": 1}'
    store.close()


async def test_what_is_in_no_store_is_refused_in_words(tmp_path: Path) -> None:
    async with VM("test") as vm:
        with pytest.raises(ValueError, match="keeps no calls"):
            await control(vm, {"op": "past"})
        keep(vm, load({"AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3")}))
        assert await control(vm, {"op": "past"}) == {"calls": []}
        with pytest.raises(ValueError, match="no call in memory is 'CA2'"):
            await control(vm, {"op": "past", "call": "CA2"})
        keep(vm, load({"AYBIZA_MEMORY": "memory"}))
        with pytest.raises(ValueError, match="keeps no call that is over"):
            await control(vm, {"op": "past"})


async def test_a_call_that_was_recorded_is_told_with_how_loud_both_sides_were(
    tmp_path: Path,
) -> None:
    path, folder = tmp_path / "memory.sqlite3", tmp_path / "recordings"
    store = written(path)
    loud, silent = b"\x00", b"\xff"
    stretch = Stretch("CA1", 1000.5, 0)
    Shelf(folder).write(stretch, 0, (loud + silent) * STEP_BYTES + (silent + loud) * STEP_BYTES)
    async with VM("test") as vm:
        keep(vm, load({"AYBIZA_MEMORY_PATH": str(path), "AYBIZA_RECORDINGS": str(folder)}))
        (part,) = (await control(vm, {"op": "past", "call": "CA1"}))["waveforms"]
        sealed = load(
            {
                "AYBIZA_MEMORY_PATH": str(path),
                "AYBIZA_RECORDINGS": str(folder),
                "AYBIZA_RECORDINGS_KEY": "00" * 32,
            }
        )
        keep(vm, sealed)
        assert (await control(vm, {"op": "past", "call": "CA1"}))["waveforms"] == [part]
    assert part["at"] == pytest.approx(1000.5 + 2 * STEP_SECONDS)
    assert list(base64.b64decode(part["caller"])) == [99, 0]
    assert list(base64.b64decode(part["agent"])) == [0, 99]
    store.close()
