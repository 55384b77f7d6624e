"""What the emulator can be told over HTTP; its own server answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from aybiza.emulators.deepgram import DeepgramEmulator, Fault
from aybiza.emulators.deepgram.speak import Pace
from aybiza.emulators.textaudio import BYTES_PER_CHAR


class Control:
    """A browser at the emulator's control door."""

    def __init__(self, emulator: DeepgramEmulator) -> None:
        self.emulator = emulator
        self._base = emulator.url.replace("ws", "http", 1) + "/_emulator/"

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            answer = await http.get(self._base + path, params=query)
        return answer.status_code, answer.json()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            answer = await http.request(method, self._base + path, json=body)
        return answer.status_code, answer.json()


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    async with DeepgramEmulator() as emulator:
        yield Control(emulator)


async def test_it_tells_that_it_is_there(control: Control) -> None:
    assert await control.get("health") == (200, {"ok": True})


async def test_the_journal_can_be_read_whole_and_by_what_happened(control: Control) -> None:
    control.emulator.journal.note("call", "speak", text="Hello.")
    control.emulator.journal.note("call", "final", text="Hi.")
    status, entries = await control.get("journal")
    assert (status, [entry["what"] for entry in entries]) == (200, ["speak", "final"])
    _, (entry,) = await control.get("journal", what="final")
    assert (entry["session"], entry["text"]) == ("call", "Hi.")
    assert isinstance(entry["at"], float)
    assert await control.get("journal", what="nothing") == (200, [])


async def test_a_fault_that_was_asked_for_waits_for_its_socket(control: Control) -> None:
    asked = {"door": "speak", "kind": "close", "code": "1013", "after": "0.25"}
    assert await control.get("fault", **asked) == (200, {"ok": True})
    faults = control.emulator.faults
    assert faults.take("speak", refusing=False) == Fault("speak", "close", 1013, 0.25)


async def test_the_pace_can_be_set_in_parts_and_read(control: Control) -> None:
    assert await control.get("pace", first_ms="120") == (
        200,
        {"first_ms": 120.0, "times_real_time": 10.0, "bytes_per_char": BYTES_PER_CHAR},
    )
    _, pace = await control.get("pace", times_real_time="2.5")
    told = {"first_ms": 120.0, "times_real_time": 2.5, "bytes_per_char": BYTES_PER_CHAR}
    assert pace == told
    assert control.emulator.pace == Pace(120.0, 2.5)


async def test_the_scripted_engine_speaks_as_slowly_as_it_is_told(control: Control) -> None:
    status, pace = await control.get("pace", bytes_per_char="480")
    assert status == 200 and pace["bytes_per_char"] == 480
    engine = control.emulator.service.engine
    assert len(await engine.synthesise("Hi.", "any")) == 4 * 480
    assert (await control.get("pace", bytes_per_char="2"))[0] == 400


@pytest.mark.parametrize(
    ("path", "query", "complaint"),
    [
        ("fault", {}, "door is one of listen, flux, speak"),
        ("fault", {"door": "speak"}, "kind is one of"),
        ("fault", {"door": "speak", "kind": "close", "code": "x"}, "code is a whole number"),
        ("fault", {"door": "speak", "kind": "refuse", "code": "1"}, "HTTP status"),
        ("fault", {"door": "speak", "kind": "stall", "after": "nan"}, "after"),
        ("pace", {"first_ms": "soon"}, "first_ms is a number, not 'soon'"),
        ("pace", {"first_ms": "-1"}, "first_ms is from 0"),
        ("pace", {"first_ms": "nan"}, "first_ms is from 0"),
        ("pace", {"times_real_time": "0"}, "times_real_time is above 0"),
        ("pace", {"times_real_time": "inf"}, "times_real_time is above 0"),
        ("pace", {"first_ms": "5", "times_real_time": "x"}, "times_real_time is a number"),
    ],
)
async def test_bad_values_are_refused_with_what_is_allowed_and_change_nothing(
    control: Control, path: str, query: dict[str, str], complaint: str
) -> None:
    status, answer = await control.get(path, **query)
    assert status == 400
    assert complaint in answer["error"]
    assert control.emulator.pace == Pace()
    assert control.emulator.faults.take("speak", refusing=False) is None
    assert (await control.get("health"))[0] == 200


async def test_an_unknown_control_is_not_found(control: Control) -> None:
    status, answer = await control.get("nothing")
    assert (status, answer) == (404, {"error": "there is no /_emulator/nothing"})


async def test_faults_are_added_replaced_and_forgotten_as_json(control: Control) -> None:
    one = {"door": "speak", "kind": "never_say", "text": "☠", "times": None}
    status, answer = await control.ask("POST", "faults", one)
    assert status == 200
    assert [fault["kind"] for fault in answer["faults"]] == ["never_say"]
    assert control.emulator.faults.waiting() == [Fault("speak", "never_say", text="☠", times=None)]
    _, answer = await control.ask("PUT", "faults", [{"door": "listen", "kind": "no_final"}])
    assert [fault["kind"] for fault in answer["faults"]] == ["no_final"]
    assert await control.get("faults") == (200, answer)
    assert await control.ask("DELETE", "faults") == (200, {"faults": []})


async def test_one_bad_fault_of_many_changes_nothing(control: Control) -> None:
    await control.ask("POST", "faults", {"door": "speak", "kind": "stall"})
    bad = [{"door": "speak", "kind": "abort"}, {"door": "speak", "kind": "stal"}]
    status, answer = await control.ask("PUT", "faults", bad)
    assert status == 400 and "did you mean stall" in answer["error"]
    assert [fault.kind for fault in control.emulator.faults.waiting()] == ["stall"]


async def test_the_pace_can_be_put(control: Control) -> None:
    assert await control.ask("PUT", "pace", {"first_ms": 7}) == (
        200,
        {"first_ms": 7.0, "times_real_time": 10.0, "bytes_per_char": BYTES_PER_CHAR},
    )
    wrong: list[Any] = [{"first": 7}, [], {"first_ms": "soon"}]
    for bad in wrong:
        assert (await control.ask("PUT", "pace", bad))[0] == 400
    assert control.emulator.pace == Pace(7.0, 10.0)


async def test_what_the_doors_do_not_know_is_said(control: Control) -> None:
    status, answer = await control.ask("DELETE", "pace")
    assert status == 405 and "try GET, PUT" in answer["error"]
    status, answer = await control.ask("POST", "faults", {"text": "x" * 5000})
    assert status == 413 and "4096 bytes" in answer["error"]


async def test_the_table_of_faults_can_be_read(control: Control) -> None:
    _, table = await control.get("kinds")
    assert table["never_say"]["doors"] == ["speak"]
    assert all(row["meaning"] for row in table.values())
