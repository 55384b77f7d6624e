"""The page of the turn machine is what its table says, and the table is what the machine does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aybiza.config.agents import Agent
from aybiza.config.menus import Choice, Menu
from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AnswerSentence,
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    DigitPressed,
    Heard,
    HungUp,
    LineFailed,
    Started,
    TimerFired,
    ToolsUsed,
    Unsaid,
)
from aybiza.dialogue.journal import Ended, SentenceHeard, Transferred, Transferring
from aybiza.dialogue.turns import _TRANSITIONS
from docs.draw_turns import PAGE, page
from tests.dialogue.call_world import CallWorld, agent
from tests.dialogue.calls import LIVE, QUIET, SILENT, TOO_LONG, call, tell


def test_the_page_is_what_the_script_draws() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.draw_turns"


def test_every_phase_can_be_reached_and_left() -> None:
    arrows = [line.split(":")[0].split() for line in page().splitlines() if " --> " in line]
    named = {*Phase.__members__, "[*]"}
    assert {start for start, _, _ in arrows} == {end for _, _, end in arrows} == named


def answered(world: CallWorld, *kinds: str) -> CallWorld:
    """The answer goes on so; at `heard` the caller hears what there is of it."""
    for kind in kinds:
        world.hear() if kind == "heard" else world.answer(kind)
    return world


def greeted(who: Agent) -> CallWorld:
    return tell(CallWorld(who), Started())


def back_from_a_transfer(world: CallWorld) -> CallWorld:
    world.journal += [(0, Transferring("desk")), (0, Ended("transfer"))]
    world.journal.append((0, Transferred("desk", "busy")))
    world.restart(again=True)
    return world


def in_pieces() -> CallWorld:
    """The caller is asked for a number, says some of it, and may go on."""
    world = call(Phase.THINKING)
    world.answers.clear()
    world.attached = None
    tell(world, AnswerSentence(1, 1, "What is your number?", ends="end_turn"))
    world.hear()
    return tell(world, CallerSaid("four"), CallerFinished())


def in_pieces_over_the_agent() -> CallWorld:
    """The same, before the agent has come to an end."""
    world = call(Phase.THINKING)
    tell(world, AnswerSentence(1, 1, "What is your number?"))
    return tell(world, CallerSaid("four"), CallerFinished())


def torn(world: CallWorld) -> CallWorld:
    """The last words were heard, and the end of the call did not get into the journal."""
    world.journal.append((0, SentenceHeard(1, 2)))
    world.restart()
    return world


def heard(world: CallWorld) -> CallWorld:
    world.hear()
    return world


def unsaid(world: CallWorld) -> CallWorld:
    """No voice says what is to be heard."""
    turn = world.machine.conversation.turn
    assert turn is not None
    return tell(world, *(Unsaid(turn.number, seq) for seq in turn.unheard()))


def of_menus() -> Iterator[CallWorld]:
    """A menu's keys, wherever a turn is taken: one is answered, the other puts through."""
    keys = {"1": Choice(say="At nine."), "4": Choice(transfer="desk")}
    menus = {"main": Menu(prompt="One or four?", keys=keys)}

    def begun(**fields: Any) -> CallWorld:
        return greeted(agent(menus=menus, **fields))

    def asked(**fields: Any) -> CallWorld:
        return heard(begun(**fields))

    def dropped(world: CallWorld) -> CallWorld:
        # What no voice has said is not played either.
        world.playing.clear()
        return unsaid(world)

    well, done = CallerInterim("well"), CallerFinished()
    for key in map(DigitPressed, keys):
        yield from (tell(world, key, QUIET) for world in (asked(), begun()))
        yield from (tell(world, key, well, done) for world in (asked(), begun()))
        yield tell(asked(keys_most=1), key)
        yield tell(begun(keys_most=1), CallerInterim("wait"), key)
        for end in (done, QUIET):
            yield tell(asked(), key, well, CallerMayBeDone("well"), end)
        for ends in (heard, dropped):
            greeting = tell(begun(greeting_yields=False), key, QUIET)
            greeting.play()
            greeting.mark()
            yield ends(greeting)
            answer = tell(asked(protected=("At nine.",)), DigitPressed("1"), QUIET)
            yield ends(tell(answer, key, QUIET))


def test_every_arrow_of_the_table_is_taken_by_some_call() -> None:
    listening, thinking, speaking, _ = LIVE
    said = CallerSaid("so")
    cut_at_the_end = answered(call(speaking), "end")
    cut_at_the_end.fraction = 1.0
    breaks_in, goes_on = CallerInterim("wait"), CallerSaid("and Friday")
    before_a_word = answered(call(thinking), "sentence")
    before_a_word.fraction = 0.0
    said_goodbye = ToolsUsed(1, 2, [{"toolUse": {"toolUseId": "t"}}], [])
    greeting = [tell(CallWorld(), Started()) for _ in range(6)]
    worlds = [
        *(tell(call(phase), gone) for phase in LIVE for gone in (HungUp(), LineFailed("gone"))),
        *(tell(call(phase), TOO_LONG) for phase in LIVE),
        *(tell(call(phase), TimerFired("voice")) for phase in LIVE),
        tell(tell(CallWorld(), Started()), TimerFired("voice")),
        tell(answered(call(speaking), "close"), TimerFired("voice")),
        *(tell(call(phase), breaks_in, QUIET) for phase in LIVE),
        tell(greeting[0], HungUp()),
        tell(greeting[1], LineFailed("gone")),
        tell(greeting[2], TOO_LONG),
        tell(greeting[3], goes_on),
        tell(greeting[4], breaks_in, QUIET),
        tell(before_a_word, goes_on),
        tell(call(listening), Started(again=True)),
        tell(CallWorld(), Started(closed=True)),
        *(
            tell(call(phase, agent(keys_most=1)), DigitPressed("4"))
            for phase in (listening, Phase.INTERRUPTED)
        ),
        heard(tell(greeted(agent(barge_in=False)), said, CallerFinished())),
        heard(tell(call(speaking, agent(barge_in=False)), said, CallerFinished())),
        *(back_from_a_transfer(call(phase)) for phase in LIVE),
        back_from_a_transfer(tell(CallWorld(), Started())),
        torn(answered(call(speaking), "close", "end")),
        *(
            tell(answered(call(phase), "close"), event)
            for phase in (thinking, speaking)
            for event in (breaks_in, goes_on, HungUp())
        ),
        answered(tell(call(speaking), said_goodbye), "close"),
        tell(answered(heard(call(speaking)), "close"), breaks_in),
        tell(answered(heard(call(speaking)), "close"), goes_on),
        tell(answered(tell(heard(call(speaking)), said_goodbye), "close")),
        tell(answered(heard(call(speaking)), "close"), TimerFired("wait")),
        tell(answered(call(speaking), "close"), TimerFired("closing")),
        tell(call(thinking), *(TimerFired("wait") for _ in range(5))),
        tell(call(listening), SILENT, Heard(1, 1), SILENT),
        *(tell(call(phase), said, end) for phase in LIVE for end in (CallerFinished(), QUIET)),
        tell(CallWorld(), Started()),
        tell(call(listening), SILENT),
        tell(cut_at_the_end, breaks_in, QUIET),
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
        unsaid(tell(CallWorld(), Started())),
        unsaid(tell(greeted(agent(barge_in=False)), said, CallerFinished())),
        unsaid(call(speaking)),
        unsaid(answered(call(speaking), "end")),
        unsaid(answered(call(speaking), "close", "end")),
    ]
    begun = CallerMayBeDone("a question")
    worlds += [
        tell(call(phase), *first, begun, event)
        for phase, first in ((listening, []), (speaking, [breaks_in]))
        for event in (
            CallerGoesOn(),
            goes_on,
            breaks_in,
            DigitPressed("1"),
            QUIET,
            HungUp(),
            TimerFired("voice"),
            LineFailed("gone"),
            TOO_LONG,
        )
    ]
    worlds += [
        tell(call(listening), begun, CallerSaid("a question"), end)
        for end in (CallerFinished(), QUIET)
    ]
    worlds += of_menus()
    worlds += [in_pieces(), in_pieces_over_the_agent(), tell(CallWorld(), Started(closed=True))]
    taken = {arrow for world in worlds for arrow in world.seen}
    assert taken == {
        (event, phase, to)
        for (event, phase), rows in _TRANSITIONS.items()
        for row in rows
        for to in row.leads_to
    }
