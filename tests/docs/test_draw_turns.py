"""The page of the turn machine is what its table says, and the table is what the machine does."""

from __future__ import annotations

from aybiza.dialogue.events import (
    CallerFinished,
    CallerSaid,
    CallerSpeaking,
    HungUp,
    LineFailed,
    Started,
)
from aybiza.dialogue.turns import _TRANSITIONS
from docs.draw_turns import PAGE, page
from tests.dialogue.call_world import CallWorld
from tests.dialogue.calls import LIVE, QUIET, SILENT, TOO_LONG, call, tell


def test_the_page_is_what_the_script_draws() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.draw_turns"


def test_every_phase_can_be_reached_and_left() -> None:
    arrows = [line.split(":")[0].split() for line in page().splitlines() if " --> " in line]
    named = {"LISTENING", "THINKING", "SPEAKING", "INTERRUPTED", "ENDED", "[*]"}
    assert {start for start, _, _ in arrows} == {end for _, _, end in arrows} == named


def answered(world: CallWorld, *kinds: str) -> CallWorld:
    """The answer goes on so; at `heard` the caller hears what there is of it."""
    for kind in kinds:
        world.hear() if kind == "heard" else world.answer(kind)
    return world


def test_every_arrow_of_the_table_is_taken_by_some_call() -> None:
    listening, thinking, speaking, _ = LIVE
    said = CallerSaid("so")
    cut_at_the_end = answered(call(speaking), "end")
    cut_at_the_end.fraction = 1.0
    worlds = [
        *(tell(call(phase), gone) for phase in LIVE for gone in (HungUp(), LineFailed("gone"))),
        *(tell(call(phase), TOO_LONG) for phase in LIVE),
        *(tell(call(phase), CallerSpeaking(), QUIET) for phase in LIVE),
        *(tell(call(phase), said, end) for phase in LIVE for end in (CallerFinished(), QUIET)),
        tell(CallWorld(), Started()),
        tell(call(listening), SILENT),
        tell(cut_at_the_end, CallerSpeaking(), QUIET),
        answered(call(thinking), "sentence", "heard", "sentence", "end", "heard"),
        answered(call(thinking), "sentence", "heard", "end"),
        answered(call(thinking), "end"),
        answered(call(thinking), "fail", "fail"),
        answered(call(speaking), "close", "end", "heard"),
        answered(call(speaking), "close", "heard", "end"),
        answered(call(speaking), "close", "heard", "fail"),
        tell(answered(call(thinking), "close"), TOO_LONG),
        tell(answered(call(thinking), "close"), LineFailed("gone")),
        tell(answered(call(speaking), "close"), LineFailed("gone")),
        tell(answered(call(speaking), "close"), TOO_LONG),
    ]
    taken = {arrow for world in worlds for arrow in world.seen}
    assert taken == {
        (event, phase, to) for (event, phase), row in _TRANSITIONS.items() for to in row.leads_to
    }
