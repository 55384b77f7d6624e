"""What is measured and judged while a call goes on, for its analysis. Part of CallActor.

    analysis.heard(event)          each event of the call: what it tells of who talks
    analysis.entered(entry)        each entry: a turn of the caller is given to be judged
    analysis.judged(judged)        it was; in the journal from now on
    analysis.hint(turn, said)      what the agent is to offer with the answer to `said`, for the
                                   model, or ""
    analysis.over(reason)          the call's line has ended: its figures are journalled, and a
                                   call that is over is given to be analysed
    line_over(vm, line)            for the line's owner: it has ended, whoever was there to see

A turn is judged off the loop and beside its answer (`AnalysisActor`), so how a turn sounds is known
to the answers behind it; that a caller says the same again is seen at once. Of an agent without
`[analysis]` nothing is measured.

Errors: none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aybiza.actors import names
from aybiza.actors.call.analysis_actor import Analyse, Judge, understood_in
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.memory.journals import append, journals
from aybiza.actors.runtime import VM, Pid
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.events import (
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    Event,
)
from aybiza.dialogue.journal import CallerTurn, Entry, LineMeasured, TurnJudged, encode
from aybiza.dialogue.offers import AGAIN_TURNS, offer
from aybiza.speech.line import Line
from aybiza.speech.line_figures import LineFigures

OFFER: Final = (
    "The caller seems to be in difficulties. If it fits, offer {offer}, in one short sentence"
    " behind your answer."
)


class CallAnalysis:
    """See the module."""

    def __init__(
        self,
        vm: VM,
        to: Pid,
        context: CallContext,
        conversation: Conversation,
        remember: Callable[[list[dict[str, Any]], None], None],
    ) -> None:
        self._vm = vm
        self._to = to
        self._context = context
        self._conversation = conversation
        self._remember = remember
        self._wanted = context.agent.analysis
        line = context.line
        if self._wanted is not None and line.figures is None:
            line.figures = LineFigures()
        self._figures = line.figures

    def heard(self, event: Event) -> None:
        """See the module."""
        if self._figures is None:
            return
        talk = self._figures.talk
        match event:
            case CallerSpeaking(at=at):
                talk.onset(at)
            case CallerInterim(at=at) | CallerSaid(at=at):
                talk.words(at)
            case CallerFinished(seconds, at=at):
                talk.finished(at - seconds)

    def entered(self, entry: Entry) -> None:
        """See the module."""
        if self._wanted is None or not self._wanted.judges_turns:
            return
        match entry:
            case CallerTurn(turn, text) if text:
                spoken = self._context.line.language or self._context.agent.language
                wanted = understood_in(spoken, self._wanted)
                judge = Judge(self._context.call_id, turn, text, wanted, self._to)
                self._vm.cast(names.ANALYSES, judge)

    def judged(self, judged: TurnJudged) -> None:
        """See the module."""
        if judged.turn in self._conversation.turns:
            self._conversation.apply(judged)
            self._remember([encode(judged)], None)

    def hint(self, turn: int, said: str) -> str:
        """See the module."""
        if self._wanted is None or not self._wanted.offers:
            return ""
        turns = [
            one
            for one in list(self._conversation.turns.values())[-AGAIN_TURNS - 1 :]
            if one.caller and not one.joined
        ]
        texts = [one.caller for one in turns]
        moods = [one.judged.mood if one.judged is not None else None for one in turns]
        # A turn that is asked for early does not stand in the journal yet; its words may be those
        # of the turn before.
        if turn not in self._conversation.turns:
            texts, moods = [*texts, said], [*moods, None]
        found = offer(self._wanted.offers, texts, moods)
        return OFFER.format(offer=found) if found else ""

    def over(self, reason: str) -> None:
        """See the module. `reason`: as in `aybiza.dialogue.journal.Ended`, or why the call has left
        this node."""
        if self._figures is None:
            return
        line_over(self._vm, self._context.line)
        self._figures = None
        if self._conversation.ended == reason:
            self._vm.cast(names.ANALYSES, Analyse(self._context, reason))


def line_over(vm: VM, line: Line) -> None:
    """The line has ended, perhaps without its CallActor: what was measured on it goes behind what
    the call's journal has here. Never waits, never fails."""
    figures, journal = line.figures, journals(vm).get(line.call_id)
    line.figures = None
    if figures is not None and journal is not None and journal.rows:
        entry = encode(LineMeasured(figures.told()))
        append(vm, line.call_id, journal.last + 1, journal.rows[-1].event, [entry])
