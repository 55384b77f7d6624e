"""Calls over FreeSWITCH and Asterisk are put through and ended by the switch's control door: whole
calls, in which the person picks up, is busy, does not answer, refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from aybiza.dialogue.journal import Ended, Entry, Transferred, Transferring
from aybiza.dialogue.tool_registry import ToolRegistry
from aybiza.dialogue.tools.call_tools import call_tools
from aybiza.emulators.bedrock import use
from aybiza.emulators.phone import Party, switch
from aybiza.emulators.phone.audio_socket import AudioSocketWire
from aybiza.emulators.phone.bridge import Bridge
from aybiza.emulators.phone.event_socket import EventSocketDoor
from aybiza.emulators.phone.freeswitch import FreeSwitchWire
from aybiza.emulators.phone.manager import ManagerDoor
from aybiza.emulators.phone.switch import (
    Switch,
    SwitchedPhone,
    asterisk_again,
    freeswitch_again,
)
from aybiza.faults.desk import Answers
from tests.call.caller import Call
from tests.call.kit import agent, world
from tests.call.steps import Step, hang_up, script_of, stay, text
from tests.slowness import slowness

pytestmark = pytest.mark.real_time

STEP_SECONDS = 20.0
CALL_SECONDS = 30.0
FRONT = "+14155550199"
DESK = agent(
    transfer_numbers={"front desk": FRONT},
    transfer_timeout_s=5,
    transfer_busy="The line there is busy. What now?",
    transfer_unanswered="Nobody is answering there. What now?",
    transfer_failed="I could not put you through. What now?",
)
ANSWERS: Answers = {
    "A person, please.": [use("transfer_to_person", {}), "I put you through."],
    "Your hours, then.": ["From nine to five."],
    "That is all.": [use("end_call", {}), "Thank you and goodbye."],
}
ASKS = text("A person, please.", after=r"today\?\s*$")
LEAVES = (text("Your hours, then.", after=r"What now\?\s*$"), hang_up(after="to five"))


@dataclass
class Placed:
    """A call that is over, and the switch it came over."""

    call: Call
    switch: Switch
    door: Any
    rung: list[tuple[str, str]]
    logs: list[Any] = field(default_factory=list)

    @property
    def transfers(self) -> list[Entry]:
        journal = self.call.journal()
        return [one for one in journal if isinstance(one, Transferring | Transferred | Ended)]


def freeswitch(folder: Path, *steps: Step, **options: Any) -> Any:
    def settings(door: EventSocketDoor) -> dict[str, str]:
        return {
            "AYBIZA_CARRIERS": "freeswitch",
            "AYBIZA_FREESWITCH_CONTROL": door.address,
            "AYBIZA_FREESWITCH_PASSWORD": "a-password-of-the-switch",
        }

    kind = (EventSocketDoor, FreeSwitchWire, freeswitch_again, settings)
    return placed(folder, kind, "media", steps, **options)


def asterisk(folder: Path, *steps: Step, **options: Any) -> Any:
    def settings(door: ManagerDoor) -> dict[str, str]:
        return {
            "AYBIZA_AUDIOSOCKET_PORT": "0",
            "AYBIZA_ASTERISK_CONTROL": door.address,
            "AYBIZA_ASTERISK_USER": "aybiza",
            "AYBIZA_ASTERISK_SECRET": "a-secret-of-the-switch",
        }

    kind = (ManagerDoor, AudioSocketWire, asterisk_again, settings)
    return placed(folder, kind, "audio_socket", steps, **options)


async def placed(
    folder: Path,
    kind: tuple[Any, Any, Any, Callable[[Any], dict[str, str]]],
    door_of: str,
    steps: tuple[Step, ...],
    *,
    parties: dict[str, Party] | None = None,
    spoil: Callable[[Any], None] = lambda door: None,
    desk: Any = DESK,
    **more: str,
) -> Placed:
    """The call of a caller who does `steps`, to its end."""
    door_kind, wire, again, settings_of = kind
    board = Switch(parties, again)
    toolbox = ToolRegistry(call_tools(["front desk"]))
    slow = slowness()
    script = script_of([{"timeout_s": STEP_SECONDS * slow, **step} for step in steps])
    with capture_logs() as logs:
        async with door_kind(board) as door:
            options: Any = {**settings_of(door), **more, "agent": desk, "desk": toolbox}
            spoil(door)
            async with (
                world(folder, answers=ANSWERS, **options) as place,
                _bridge(place, wire, door_of) as bridge,
                SwitchedPhone(board, url=bridge.url, script=script, call_sid=str(uuid4())) as phone,
            ):
                call = Call(place, phone, phone.report.call_sid)
                call.begin()
                await call.over(CALL_SECONDS * slow)
                assert bridge.errors == []
                await place.until(lambda: place.labels() == place.idle)
                made = Placed(call, board, door, phone.rung)
                call.journal()
    made.logs = list(logs)
    return made


@asynccontextmanager
async def _bridge(place: Any, wire: Any, door_of: str) -> AsyncIterator[Bridge]:
    address = place.node.audio_socket
    if door_of == "media":
        address = f"{place.node.media_url}/freeswitch"
    async with Bridge(wire, address) as bridge:
        yield bridge


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Voices here speak ten times as fast as people."""
    monkeypatch.setattr(switch, "SHORT_S", 0.2)


SWITCHES = pytest.mark.parametrize("over", [freeswitch, asterisk])


@SWITCHES
async def test_a_caller_is_connected_with_a_person_who_picks_up(over: Any, tmp_path: Path) -> None:
    person = {FRONT: Party("completed", ring_s=0.5, talk_s=1)}
    made = await over(tmp_path, ASKS, stay(), parties=person)
    assert made.call.report.ok, made.call.summary()
    # Asterisk plays the last piece of a word while the switch takes the caller away.
    assert "I put you through" in made.call.heard
    assert made.rung == [(FRONT, "completed")]
    assert made.transfers == [
        Transferring("front desk"),
        Ended("transfer"),
        Transferred("front desk", "completed"),
    ]


@SWITCHES
@pytest.mark.parametrize(
    ("party", "outcome", "words"),
    [
        (Party("busy", 0.3), "busy", DESK.transfer_busy),
        (Party(ring_s=60), "no-answer", DESK.transfer_unanswered),
        (Party("declined", 0.3), "declined", DESK.transfer_unanswered),
        (Party("failed", 0.1), "failed", DESK.transfer_failed),
    ],
)
async def test_a_caller_whom_nobody_takes_is_back_with_the_agent_who_says_why(
    over: Any, party: Party, outcome: str, words: str, tmp_path: Path
) -> None:
    made = await over(tmp_path, ASKS, *LEAVES, parties={FRONT: party})
    assert made.call.report.ok, made.call.summary()
    assert made.call.heard.count(words) == 1
    assert made.call.heard.count("From nine to five.") == 1
    assert made.transfers == [
        Transferring("front desk"),
        Ended("transfer"),
        Transferred("front desk", outcome),
        Ended("hangup"),
    ]


@SWITCHES
async def test_a_caller_who_hangs_up_while_it_rings_is_gone(over: Any, tmp_path: Path) -> None:
    leaves = hang_up(after=r"through\.\s*$", quiet_ms=1500)
    made = await over(tmp_path, ASKS, leaves, parties={FRONT: Party(ring_s=4)})
    assert made.rung == [(FRONT, "canceled")]
    assert made.transfers[-2:] == [Transferred("front desk", "canceled"), Ended("hangup")]


@SWITCHES
async def test_nobody_is_dialled_whom_the_agents_file_does_not_name(
    over: Any, tmp_path: Path
) -> None:
    nobody = DESK.model_copy(update={"transfer_numbers": {}})
    made = await over(tmp_path, ASKS, *LEAVES, desk=nobody, parties={FRONT: Party()})
    assert made.rung == []
    assert made.call.heard.count(DESK.transfer_failed) == 1
    assert Transferred("front desk", "failed") in made.transfers


def deaf(door: Any) -> None:
    door.deaf = True


def another_key(door: Any) -> None:
    door.password = door.secret = "another"


def closed(door: Any) -> None:
    door._server.close()


@SWITCHES
@pytest.mark.parametrize("spoil", [deaf, another_key, closed])
async def test_a_switch_that_takes_no_order_leaves_the_caller_with_the_agent(
    over: Any, spoil: Callable[[Any], None], tmp_path: Path
) -> None:
    made = await over(tmp_path, ASKS, *LEAVES, parties={FRONT: Party()}, spoil=spoil)
    assert made.call.report.ok, made.call.summary()
    assert made.rung == []
    assert made.call.heard.count(DESK.transfer_failed) == 1
    (failure,) = [entry for entry in made.logs if entry["event"] == "transfer_failed"]
    assert "a-password" not in str(failure) and "a-secret" not in str(failure)


@SWITCHES
async def test_the_switch_ends_a_call_that_the_agent_has_ended(over: Any, tmp_path: Path) -> None:
    ends = text("That is all.", after=r"today\?\s*$")
    made = await over(tmp_path, ends, stay())
    assert made.call.heard.rstrip().endswith("Thank you and goodbye.")
    assert made.switch.took == [("kill", "")]
    assert made.transfers == [Ended("goodbye")]


@SWITCHES
@pytest.mark.parametrize("spoil", [deaf, another_key, closed])
async def test_where_the_switch_does_not_end_the_call_the_stream_does(
    over: Any, spoil: Callable[[Any], None], tmp_path: Path
) -> None:
    ends = text("That is all.", after=r"today\?\s*$")
    made = await over(tmp_path, ends, stay(), spoil=spoil)
    assert made.call.report.ok, made.call.summary()
    assert made.switch.took == []
    assert [entry["event"] for entry in made.logs].count("hang_up_failed") >= 1


async def test_the_doors_hold_nothing_open(tmp_path: Path) -> None:
    made = await freeswitch(tmp_path, text("That is all.", after=r"today\?\s*$"), stay())
    await asyncio.sleep(0)
    assert made.switch.listeners == set()
