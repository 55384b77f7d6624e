"""Callers as they are, on the telephone: a whole node in virtual time, limits in milliseconds."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest

from aybiza.dialogue.events import CallerInterim
from aybiza.dialogue.journal import CallerSegment, CallerTurn, Entry, Interrupted
from aybiza.emulators.bedrock import use
from aybiza.emulators.phone import Report
from aybiza.faults.caller import Step, hangs_up, interrupts, mumbles, says
from aybiza.faults.desk import Desk, agent
from aybiza.faults.world import World, in_world
from aybiza.speech.line import Line

HOURS = "We are open from nine to five on weekdays. On Saturdays we close at noon."
ANSWERS = {"What are your hours?": [HOURS]}
MOST_SILENCE_MS = 4500.0


class Talk(NamedTuple):
    """What a call was like: its report, its journal, what the model was asked."""

    report: Report
    journal: list[Entry]
    asked: list[dict[str, Any]]

    @property
    def heard(self) -> str:
        return self.report.heard_text.replace("\n", " ")

    @property
    def turns(self) -> list[str]:
        return [entry.text for entry in self.journal if isinstance(entry, CallerTurn)]

    def at(self, words: str) -> float:
        """When the caller began to hear the stretch of speech with these words."""
        return next(heard.at_ms for heard in self.report.heard if words in heard.text)

    def longest_silence(self) -> float:
        """Between two stretches of the agent's speech, or a caller's last sound and the next."""
        silences = [0.0]
        for turn in self.report.turns:
            since = turn.end_ms or 0.0
            later = [one for one in self.report.heard if one.until_ms > since]
            for heard in later:
                silences.append(heard.at_ms - since)
                since = heard.until_ms
            break
        return max(silences)


def talk(*steps: Step, **options: Any) -> Talk:
    async def run(world: World) -> Talk:
        async with world.call(*steps) as call:
            entries: list[Entry] = []

            async def watch() -> None:
                while True:
                    entries[:] = call.journal or entries
                    await asyncio.sleep(0.05)

            watching = asyncio.create_task(watch())
            try:
                report = await call.over()
            finally:
                watching.cancel()
            assert report.ok, report.failure
            asked = [record.body for record in call.requests() if record.body is not None]
            return Talk(report, entries, asked)

    options.setdefault("answers", ANSWERS)
    return in_world(run, **options)


# Sounds that are no words, and words that are no turn


def test_a_cough_while_the_agent_thinks_costs_nothing() -> None:
    quiet = talk(says("What are your hours?"), hangs_up(), thinks_ms=1600)
    coughs = talk(says("What are your hours?"), mumbles(after_ms=700), hangs_up(), thinks_ms=1600)
    assert abs(coughs.at("We are open") - quiet.at("We are open")) <= 50
    assert len(coughs.asked) == len(quiet.asked) == 1
    assert coughs.report.clears == 0


def test_a_sound_of_which_no_words_come_lets_the_agent_go_on() -> None:
    call = talk(
        says("What are your hours?"),
        mumbles(into_ms=800),
        hangs_up(when="noon"),
        agent=agent(barge_in_words=0),
    )
    assert call.report.clears == 1
    assert "noon" in call.heard
    assert len(call.asked) <= 2


# Interruptions


def test_words_cut_the_agent_within_5_ms_of_being_heard() -> None:
    heard: list[float] = []
    cleared: list[float] = []
    post, clear = Line.post, Line.clear

    def posted(line: Line, event: Any) -> None:
        if isinstance(event, CallerInterim) and line.ledger.ahead(
            asyncio.get_running_loop().time()
        ):
            heard.append(asyncio.get_running_loop().time())
        post(line, event)

    def clears(line: Line, now: float) -> Any:
        cleared.append(asyncio.get_running_loop().time())
        return clear(line, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Line, "post", posted)
        patch.setattr(Line, "clear", clears)
        call = talk(says("What are your hours?"), interrupts("Excuse me, on Sunday?"), hangs_up())
    assert cleared and (cleared[0] - heard[0]) * 1000 <= 5
    cut = next(entry for entry in call.journal if isinstance(entry, Interrupted))
    assert cut.turn == 1
    segments = [entry for entry in call.journal if isinstance(entry, CallerSegment)]
    assert segments[-1].text == "Excuse me, on Sunday?"


def test_an_agent_that_needs_two_words_is_not_cut_by_one() -> None:
    who = agent(barge_in_words=2)
    one = talk(says("What are your hours?"), interrupts("Sunday?"), hangs_up(), agent=who)
    assert HOURS in one.heard and one.report.clears == 0
    two = talk(says("What are your hours?"), interrupts("And on Sunday?"), hangs_up(), agent=who)
    assert HOURS not in two.heard and two.report.clears == 1


def test_the_model_is_told_of_the_greeting_what_was_heard() -> None:
    call = talk(interrupts("What are your hours?", after_ms=900), hangs_up())
    told = call.asked[0]["system"][0]["text"]
    opened = told.split('You have opened the call with: "')[1].split('"')[0]
    assert opened.endswith("…") and "help you today" not in told


# A turn in pieces


def test_what_a_caller_adds_at_a_pause_is_the_same_turn() -> None:
    name, number = "My name is Ann Miller.", "My number is five five five."
    call = talk(says(name), says(number, after_ms=500), hangs_up())
    assert call.turns[-1] == f"{name} {number}"
    last = call.asked[-1]["messages"]
    assert [message["role"] for message in last] == ["user"]
    assert f"You said, {name} {number}" in call.heard
    assert (call.report.turns[-1].response_ms or 0) > 0


# Silence


def test_who_waits_for_a_tool_is_never_left_in_silence() -> None:
    answers = {"Is there a room?": [use("look_up", {"what": "a room"}, "Let me see."), "Yes."]}
    call = talk(
        says("Is there a room?"),
        hangs_up(when="Yes", quiet_ms=700),
        answers=answers,
        toolbox=Desk(seconds=14.0),
    )
    assert call.longest_silence() <= MOST_SILENCE_MS
    assert "Let me see.  One moment, please." in call.heard
    assert "One moment" not in str(call.asked[-1]["messages"])


def test_who_waits_for_the_model_hears_one_filler_after_the_other() -> None:
    call = talk(
        says("What are your hours?"),
        says("Is there a room?", when="noon"),
        hangs_up(),
        thinks_ms=7800,
    )
    assert call.longest_silence() <= MOST_SILENCE_MS
    assert call.heard.index("One moment, please.") < call.heard.index("I'm still working on it.")
    said = str(call.asked[-1]["messages"])
    assert "One moment" not in said and "still working" not in said


def test_a_filler_that_is_not_heard_yet_makes_room_for_the_answer() -> None:
    plain = talk(says("What are your hours?"), hangs_up(), thinks_ms=1900)
    call = talk(says("What are your hours?"), hangs_up(), thinks_ms=2020)
    assert "One moment" not in call.heard
    assert call.at("We are open") - plain.at("We are open") <= 400
