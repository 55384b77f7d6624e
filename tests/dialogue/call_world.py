"""A call around the turn machine: what its actor, line, answers and timers do, and their crashes.

`CallWorld.tell` hands an event to the machine and carries the commands out as the call's actor
does: silence first, and what it led to, then the journal, then the rest in order. A `crash_at` lets
the actor die at that step; a new one folds the journal, resumes, and deals with the event again
unless the journal has it. The line, with all that was said and heard, and the answers outlive the
actor.

What must hold at every step raises AssertionError.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

from aybiza.claude.converse import normalise_messages
from aybiza.config.agents import Agent
from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    Ask,
    AskEagerly,
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    CallerSpeaking,
    CancelAnswer,
    CloseAsked,
    Command,
    DigitPressed,
    DropEager,
    EndCall,
    Event,
    Heard,
    HungUp,
    LineFailed,
    Record,
    Say,
    Started,
    StartTimer,
    StopTalking,
    StopTimer,
    TalkStopped,
    TimerFired,
    ToolsUsed,
    Unsaid,
)
from aybiza.dialogue.journal import (
    Entry,
    SentenceHeard,
)
from aybiza.dialogue.overheard import is_same
from aybiza.dialogue.turns import TurnMachine
from tests.dialogue.call_invariants import check, check_messages, fold

Named = tuple[int, int]

AGENT = Agent(
    name="Desk",
    system_prompt="You answer the telephone.",
    greeting="Hello there.",
    silence_prompt="Still there?",
    error="Say that again?",
    bridge="Cut off.",
    ask_again="What was that?",
    closing="Goodbye now.",
    filler="One moment.",
)


def agent(**changes: Any) -> Agent:
    """The agent of these tests, with these fields changed."""
    return AGENT.model_copy(update=changes)


# What stays in the line's inbox until it has been dealt with.
_POSTED = {
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    CallerSpeaking,
    DigitPressed,
    Heard,
    HungUp,
    LineFailed,
    Unsaid,
}


class Crash(Exception):
    """The actor dies here."""


@dataclasses.dataclass
class Answer:
    """The process that asks the model about one turn: it keeps what has come."""

    turn: int
    next_seq: int
    events: list[Event] = dataclasses.field(default_factory=list)
    tools: int = 0


class CallWorld:
    """See the module."""

    def __init__(self, who: Agent = AGENT) -> None:
        self.agent = who
        self.journal: list[tuple[int, Entry]] = []
        self.timers: dict[str, float] = {}
        self.answers: dict[int, Answer] = {}
        self.attached: int | None = None
        # An answer that is begun early: to which turn, and to which words.
        self.eager: tuple[int, str] | None = None
        # The carrier: what it has still to play, what it has played but not told, what it has told.
        self.playing: list[Named] = []
        self.untold: list[Named] = []
        self.heard: set[Named] = set()
        self.listened: set[Named] = set()
        self.texts: dict[Named, str] = {}
        # What the machine has folded, in its order.
        self.applied: list[Entry] = []
        self.ended: list[str] = []
        self.fraction = 0.5
        self.seen: set[tuple[Any, Phase, Phase]] = set()
        self._number = 0
        self._done = 0
        self._steps_left: int | None = None
        self.machine = TurnMachine(who)

    # What happens

    def tell(self, event: Event, crash_at: int | None = None) -> None:
        """`event` happens; the actor crashes at step `crash_at` of dealing with it."""
        self._number += 1
        number = self._number
        self._steps_left = crash_at
        try:
            self._handle(event, number)
        except Crash:
            self.restart()
            if number > self._done and type(event) in _POSTED:
                self._handle(event, number)
        finally:
            self._steps_left = None
        self._done = max(self._done, number)
        check(self)

    def restart(self, again: bool = False) -> None:
        """A new actor takes the call up; `again`: on a new line."""
        self._steps_left = None
        self.timers.clear()
        self.attached = self.eager = None
        self.applied = [entry for _, entry in self.journal]
        self.machine = TurnMachine(self.agent, fold(self.applied))
        self._done = max((number for number, _ in self.journal), default=0)
        if again:
            self.playing.clear()
            self.untold.clear()
            self.heard.clear()
            self.listened.clear()
            self._perform(self._ordered(Started(again=bool(self.journal))), 0)
        else:
            self._perform(self._ordered(Started()), 0)
            for named in sorted(self.heard):
                self._handle(Heard(*named), 0)

    def play(self) -> None:
        """The caller hears the next sentence to its end; the mark is not back yet."""
        named = self.playing.pop(0)
        self.untold.append(named)
        self.listened.add(named)

    def mark(self, crash_at: int | None = None) -> None:
        """The mark of the oldest sentence that was played comes back."""
        named = self.untold.pop(0)
        self.heard.add(named)
        self.tell(Heard(*named), crash_at)

    def hear(self) -> None:
        """The caller hears all that there is."""
        while self.playing:
            self.play()
            self.mark()

    def answer(self, kind: str, crash_at: int | None = None) -> None:
        """The answer that is listened to goes on: `sentence`, `tools`, `close`, `end` or `fail`."""
        assert self.attached is not None
        answer = self.answers[self.attached]
        match kind:
            case "fail":
                del self.answers[answer.turn]
                self.attached = None
                self.tell(AnswerFailed(answer.turn, "throttled"), crash_at)
                return
            case "sentence":
                seq = answer.next_seq
                answer.next_seq += 1
                words = " ".join(f"a{answer.turn}.{seq}.{word}" for word in range(4))
                event: Event = AnswerSentence(answer.turn, seq, words)
            case "tools":
                answer.tools += 1
                used = {"toolUseId": f"t{answer.turn}-{answer.next_seq}-{answer.tools}"}
                use = {"toolUse": {**used, "name": "look", "input": {}}}
                result = {"toolResult": {**used, "content": [{"json": {"found": 1}}]}}
                event = ToolsUsed(answer.turn, answer.next_seq - 1, [use], [result])
            case "close":
                event = CloseAsked(answer.turn, "goodbye")
            case _:
                event = AnswerFinished(answer.turn, "end_turn")
        answer.events.append(event)
        if isinstance(event, AnswerFinished):
            self.attached = None
        self.tell(event, crash_at)
        self._forget_finished()

    def fire(self, name: Any, crash_at: int | None = None) -> None:
        """The timer runs out."""
        self.timers.pop(name, None)
        self.tell(TimerFired(name), crash_at)

    # The actor

    def _handle(self, event: Event, number: int) -> None:
        before = self.machine.phase
        commands = self._ordered(event)
        if before is Phase.ENDED and not isinstance(event, Started):
            assert commands == []
        first = next(iter(commands), None)
        if isinstance(first, StopTalking):
            self._step()
            stopped = self._stop_talking(first)
            self._step()
            commands += self._ordered(stopped)
        self._perform(commands, number)

    def _ordered(self, event: Event) -> list[Command]:
        before = self.machine.phase
        commands = self.machine.handle(event)
        if self.machine.phase is not before:
            trigger = event.name if isinstance(event, TimerFired) else type(event)
            self.seen.add((trigger, before, self.machine.phase))
        self.applied += [command.entry for command in commands if isinstance(command, Record)]
        assert StopTalking not in map(type, commands[1:]), "silence comes late"
        return commands

    def _step(self) -> None:
        if self._steps_left is not None:
            if self._steps_left == 0:
                raise Crash
            self._steps_left -= 1

    def _perform(self, commands: list[Command], number: int) -> None:
        self._step()
        entries = [command.entry for command in commands if isinstance(command, Record)]
        if entries:
            self.journal += [(number, entry) for entry in entries]
            self._step()
        for command in commands:
            act = self._ACTS.get(type(command))
            if act is not None:
                act(self, command)
                self._step()

    def _stop_talking(self, stop: StopTalking) -> TalkStopped:
        assert (stop.turn, stop.seq) not in self.heard
        if self.playing and self.fraction == 1.0:
            self.play()
        stopped = TalkStopped(stop.turn, stop.seq, 0.0)
        if self.playing and self.playing[0][0] == stop.turn and self.fraction < 1.0:
            stopped = TalkStopped(*self.playing[0], self.fraction)
        elif self.untold and self.untold[-1][0] == stop.turn:
            stopped = TalkStopped(*self.untold[-1], 1.0)
        self.heard.update(self.untold)
        self.untold.clear()
        self.playing.clear()
        return stopped

    def _say(self, say: Say) -> None:
        named = (say.turn, say.seq)
        assert SentenceHeard(*named) not in [entry for _, entry in self.journal], "said again"
        out = {*self.playing, *self.untold, *self.heard}
        if named in out:
            return
        assert named not in self.listened, "heard twice"
        if say.seq > 1:
            before = (say.turn, say.seq - 1)
            known = SentenceHeard(*before) in [entry for _, entry in self.journal]
            assert known or before in out, "a gap"
        if say.seq > 0:
            assert self.texts.setdefault(named, say.text) == say.text
        self.playing.append(named)

    def _ask(self, ask: Ask) -> None:
        assert self.attached in (None, ask.turn), "two answers at once"
        assert ask.after_seq == self.machine.conversation.turns[ask.turn].last_seq
        if self.eager is not None:
            turn, words = self.eager
            said = self.machine.conversation.turns[ask.turn].caller
            assert turn == ask.turn and is_same(words, said), "the answer is to other words"
            self.eager = None
        check_messages(
            self, normalise_messages(self.machine.conversation.messages(ask.after_seq > 0))
        )
        self.attached = ask.turn
        known = self.answers.setdefault(ask.turn, Answer(ask.turn, ask.after_seq + 1))
        for event in list(known.events):
            if isinstance(event, AnswerFinished):
                self.attached = None
            self._handle(event, self._done)
        self._forget_finished()

    def _ask_eagerly(self, ask: AskEagerly) -> None:
        assert self.eager is None, "two answers begun at once"
        assert self.attached is None and ask.text
        assert ask.turn == max(self.machine.conversation.turns) + 1
        check_messages(self, normalise_messages(self.machine.conversation.messages_if(ask.text)))
        self.eager = ask.turn, ask.text

    def _drop_eager(self, drop: DropEager) -> None:
        assert self.eager is not None and self.eager[0] == drop.turn
        self.eager = None

    def _forget_finished(self) -> None:
        for turn in list(self.answers):
            if turn != self.attached and self.machine.conversation.turns[turn].complete:
                del self.answers[turn]

    def _cancel(self, cancel: CancelAnswer) -> None:
        self.answers.pop(cancel.turn, None)
        if self.attached == cancel.turn:
            self.attached = None

    def _start_timer(self, start: StartTimer) -> None:
        self.timers[start.name] = start.seconds

    def _stop_timer(self, stop: StopTimer) -> None:
        self.timers.pop(stop.name, None)

    def _end(self, end: EndCall) -> None:
        assert self.machine.phase is Phase.ENDED
        self.ended.append(end.reason)

    _ACTS: ClassVar[dict[type[Any], Callable[[CallWorld, Any], None]]] = {
        Ask: _ask,
        AskEagerly: _ask_eagerly,
        DropEager: _drop_eager,
        CancelAnswer: _cancel,
        EndCall: _end,
        Say: _say,
        StartTimer: _start_timer,
        StopTimer: _stop_timer,
    }
