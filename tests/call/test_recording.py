"""Recordings: only with consent, both sides as they were heard, no keys, and never at a cost to
the call."""

from __future__ import annotations

import asyncio
import errno
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.actors import names
from aybiza.actors.memory.store import Row
from aybiza.actors.recordings.shelf import Part, Shelf
from aybiza.actors.runtime import KILL
from aybiza.config.agents import Agent
from aybiza.config.menus import Choice, Menu
from aybiza.config.recording import Recording
from aybiza.console.cli import app
from aybiza.dialogue.journal import RecordingConsent
from aybiza.emulators import textaudio
from aybiza.faults.caller import Step, breaks_off, hangs_up, interrupts, presses, says
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

US, GERMAN = "+14155550147", "+493012345678"
TOLD, AGREED = Recording(consent="told"), Recording(consent="agreed")
NOTICE, QUESTION = "This call is recorded.", "May this call be recorded?"


def recorded(
    folder: Path, *steps: Step, number: str = US, key: bytes | None = None, **fields: Any
) -> PlacedCall:
    shelf = fields.pop("shelf", None) or Shelf(folder, key)
    options = {name: fields.pop(name) for name in ("nodes",) if name in fields}
    during = fields.pop("during", None)
    own: Agent = agent(**{"recording": Recording(), **fields})

    async def talk(world: World) -> PlacedCall:
        async with world.call(*steps, from_number=number) as call:
            if during is not None:
                await during(world, call)
            await call.over()
        await asyncio.sleep(5)
        return call

    return in_world(talk, agent=own, recordings=shelf, **options)


def sides(folder: Path, key: bytes | None = None, call_id: str = "CA1") -> tuple[str, str]:
    """The words of the caller and of the agent in a call's recordings."""
    shelf = Shelf(folder, key)
    both = [shelf.wav(path)[44:] for path in shelf.parts(call_id)]
    left, right = (b"".join(audio[side::2] for audio in both) for side in (0, 1))
    return words(left), words(right)


def words(mulaw: bytes) -> str:
    return " ".join(textaudio.TextAudioDecoder().feed(mulaw).split())


def consent(call: PlacedCall) -> list[str]:
    return [entry.how for entry in call.journal if isinstance(entry, RecordingConsent)]


def test_both_sides_are_recorded_once_the_notice_was_heard(tmp_path: Path) -> None:
    call = recorded(tmp_path, says("Hello there."), hangs_up())
    assert call.heard.startswith(f"{NOTICE} Welcome to the front desk")
    assert consent(call) == ["told"]
    left, right = sides(tmp_path)
    assert left == "Hello there."
    assert "to the front desk" in right and "Hello there." in right
    assert NOTICE not in right


def test_who_has_to_agree_is_asked_and_recorded_from_the_yes_on(tmp_path: Path) -> None:
    call = recorded(tmp_path, says("Yes."), says("My name is Ann."), hangs_up(), number=GERMAN)
    assert f"today? {QUESTION}" in call.heard
    assert consent(call) == ["agreed"]
    left, right = sides(tmp_path)
    assert left == "My name is Ann."
    assert "Welcome" not in right


@pytest.mark.parametrize("answer", ["No.", "What for?", "I need a table for two.", "Yes, but no."])
def test_without_a_plain_yes_nothing_is_recorded_and_the_call_goes_on(
    tmp_path: Path, answer: str
) -> None:
    call = recorded(tmp_path, says(answer), says("Yes."), hangs_up(), number="anonymous")
    assert consent(call) == ["refused"]
    assert call.heard.count("Yes.") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_yes_to_a_question_that_was_not_heard_is_none(tmp_path: Path) -> None:
    steps = (interrupts("Yes, you may.", after_ms=400), hangs_up())
    call = recorded(tmp_path, *steps, recording=AGREED)
    assert consent(call) == ["refused"]
    assert list(tmp_path.iterdir()) == []


def test_the_notice_is_not_to_be_interrupted(tmp_path: Path) -> None:
    call = recorded(tmp_path, interrupts("Hello?", after_ms=300), hangs_up(), recording=TOLD)
    assert call.heard.startswith(NOTICE)
    assert consent(call) == ["told"]


def test_what_the_agent_was_cut_off_in_is_recorded_as_far_as_it_was_heard(tmp_path: Path) -> None:
    long = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."
    steps = (says(long), interrupts("Stop.", after_ms=800), hangs_up())
    recorded(tmp_path, *steps)
    left, right = sides(tmp_path)
    assert left == f"{long} Stop."
    assert "One two" in right and "fourteen" not in right


def test_keys_that_are_masked_are_not_recorded(tmp_path: Path) -> None:
    steps = (says("Hello."), presses("4929"), says("Thank you."), hangs_up())
    recorded(tmp_path, *steps, keys_masked=True, keys_most=4)
    left, _ = sides(tmp_path)
    assert left == "Hello. Thank you."
    paused: list[bool] = []

    async def during(world: World, call: PlacedCall) -> None:
        await call.until(lambda: "CA1" in world.lines)
        line = world.lines["CA1"]
        await call.until(lambda: line.entered == "4929")
        tape = line.tape
        paused.append(tape is not None and tape.is_paused)
        await call.until(lambda: call.has_heard(2, 1))
        paused.append(tape is not None and tape.is_paused)

    recorded(tmp_path / "b", *steps, keys_masked=True, keys_wait_ms=3_000, during=during)
    assert paused == [True, False]


def test_a_key_of_a_menu_is_no_secret_and_pauses_nothing(tmp_path: Path) -> None:
    menus = {"main": Menu(prompt="For hours press one.", keys={"1": Choice(say="Nine to five.")})}
    steps = (presses("1"), says("Thank you."), hangs_up())
    recorded(tmp_path, *steps, keys_masked=True, menus=menus)
    left, right = sides(tmp_path)
    assert left == "Thank you."
    assert "Nine to five." in right


def test_a_key_agrees_where_the_file_says_so(tmp_path: Path) -> None:
    ask = Recording(consent="agreed", key="1")
    steps = (presses("1"), says("Thank you."), hangs_up())
    call = recorded(tmp_path, *steps, recording=ask)
    assert consent(call) == ["agreed"]
    assert sides(tmp_path)[0] == "Thank you."


def test_a_yes_to_another_question_is_no_consent(tmp_path: Path) -> None:
    late = says("Yes.", quiet_ms=12_000)
    call = recorded(tmp_path, late, hangs_up(), recording=AGREED, silence_timeout_s=8.0)
    assert call.heard.splitlines()[1].startswith("Are you still there?")
    assert consent(call) == ["refused"]
    assert Shelf(tmp_path).parts("CA1") == []


def test_a_caller_who_comes_back_is_recorded_further_in_another_file(tmp_path: Path) -> None:
    steps = (says("Hello."), breaks_off(), says("Again."), hangs_up())
    call = recorded(tmp_path, *steps)
    assert len(call.report.streams) == 2
    assert len(Shelf(tmp_path).parts("CA1")) == 2
    assert sides(tmp_path)[0] == "Hello. Again."
    assert consent(call) == ["told"]


def test_a_recording_goes_on_at_another_node(tmp_path: Path) -> None:
    async def during(world: World, call: PlacedCall) -> None:
        await call.until(lambda: call.has_heard(1, 1))
        (stream,) = filter(None, (vm.whereis(names.stream("CA1")) for vm in world.vms))
        world.vm.send(stream, "leave")

    steps = (says("Hello."), says("Again."), hangs_up())
    recorded(tmp_path, *steps, nodes=2, during=during)
    assert sides(tmp_path)[0] == "Hello. Again."


@pytest.mark.parametrize("part", ["call", "speaker", "transcriber", "recordings"])
def test_nothing_is_missing_when_a_part_dies(tmp_path: Path, part: str) -> None:
    async def during(world: World, call: PlacedCall) -> None:
        await call.until(lambda: call.has_heard(1, 1))
        pid = world.vm.whereis(names.RECORDINGS) if part == "recordings" else call.pid(part)
        assert pid is not None
        world.vm.exit(pid, KILL)

    recorded(tmp_path, says("Hello."), says("Again."), hangs_up(), during=during)
    left, right = sides(tmp_path)
    assert left == "Hello. Again."
    assert "Again." in right


class FullDisk(Shelf):
    """Takes nothing for the writes of these numbers."""

    def __init__(self, folder: Path, fails: range) -> None:
        super().__init__(folder)
        self._fails, self.writes = fails, 0

    def write(self, part: Part, size: int, stereo: bytes) -> int:
        self.writes += 1
        if self.writes in self._fails:
            with open(self.folder / "half", "wb") as file:
                file.write(stereo[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(part, size, stereo)


def test_a_disk_that_is_full_for_a_while_costs_nothing(tmp_path: Path) -> None:
    shelf = FullDisk(tmp_path, range(2, 4))
    call = recorded(tmp_path, says("Hello."), says("Again."), hangs_up(), shelf=shelf)
    assert call.report.ok
    left, right = sides(tmp_path)
    assert left == "Hello. Again."
    assert "Again." in right


def test_a_disk_that_stays_full_costs_the_recording_and_not_the_call(tmp_path: Path) -> None:
    log: list[str] = []

    async def during(world: World, call: PlacedCall) -> None:
        await call.until(lambda: call.has_heard(2, 1))
        log.extend(event.what for event in world.trace if event.kind == "log")
        tape = world.lines["CA1"].tape
        assert tape is not None and len(tape._left) <= 21 * 8_000

    shelf = FullDisk(tmp_path, range(1, 10_000))
    steps = (says("Hello."), says("Again.", after_ms=60_000), hangs_up())
    call = recorded(tmp_path, *steps, shelf=shelf, during=during, silence_timeout_s=300.0)
    assert call.report.ok
    assert call.heard.rstrip().endswith("Again.")
    assert sum("recordings_not_written" in line for line in log) == 1
    assert any("recording_has_gaps" in line for line in log)


def test_files_are_their_owners_alone_and_sealed_ones_opened_by_their_key_alone(
    tmp_path: Path,
) -> None:
    folder, key = tmp_path / "kept", bytes(range(32))
    recorded(folder, says("Hello there."), hangs_up(), key=key)
    (path,) = Shelf(folder, key).parts("CA1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sides(folder, key)[0] == "Hello there."
    assert words(path.read_bytes()[::2]).find("Hello") < 0
    assert len(set(path.read_bytes())) > 250


def test_commands_show_export_and_forget_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aybiza.actors.memory.sqlite_store import SqliteStore
    from aybiza.actors.memory.store import About
    from aybiza.actors.memory.store import Part as Journal

    key = bytes(range(32))
    memory, folder, wav = tmp_path / "m.sqlite3", tmp_path / "recordings", tmp_path / "one.wav"
    store = SqliteStore(memory)
    rows = [Row("CA1", 1, 1, 1_000.0, {"type": "recording_consent", "how": "told"})]
    store.write([Journal("CA1", 1, About(US, "Desk", "", 1_000.0), rows)])
    store.close()
    Shelf(folder, key).write(Part("CA1", 1_000.0, 0.0), 0, bytes(16_000))
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(memory))
    monkeypatch.setenv("AYBIZA_RECORDINGS", str(folder))

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["calls", *arguments])
        return result.exit_code, result.output

    assert "recorded  1 s, the caller was told" in run("show", "CA1")[1]
    code, told = run("recording", "CA1", "--to", str(wav))
    assert (code, wav.exists()) == (1, False)
    assert "AYBIZA_RECORDINGS_KEY" in told
    monkeypatch.setenv("AYBIZA_RECORDINGS_KEY", key.hex())
    assert run("recording", "CA1", "--to", str(wav))[0] == 0
    assert wav.read_bytes()[44:] == bytes(16_000)
    assert stat.S_IMODE(wav.stat().st_mode) == 0o600
    assert run("recording", "CA1", "--to", str(wav))[0] == 2
    Shelf(folder).write(Part("CA7", 1_000.0, 0.0), 0, bytes(16_000))
    code, told = run("forget", "--caller", US)
    assert (code, "1 recording" in told) == (0, True)
    assert [path.name.partition(".")[0] for path in folder.iterdir()] == ["CA7"]
    # Nobody can tell any more who was recorded there.
    assert "1 recording of calls that no store has" in " ".join(told.split())
