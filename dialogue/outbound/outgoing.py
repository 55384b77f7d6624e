"""The turn machine of a call that the agent has placed: first, who has answered?

    OutgoingTurns(agent, conversation).handle(event)

It is the turn machine (`aybiza.dialogue.turns`) once a person is there. Before that, and instead of
it where a machine has answered, events go by the state that the journal tells:

    waiting    nobody knows who it is: a hello, a silence or a machine's words decide
    talking    a person, or whoever says nothing; for some seconds a phrase or a tone still tells a
               machine (`aybiza.dialogue.outbound.who_answers`)
    machine    it speaks: its beep, or a silence behind its words, has the message begin
    leaving    the message is said, whole, and the call is over. A beep in its midst has it said
               once more; whoever speaks into it is a person after all

Contract as that of the turn machine: no clock, no I/O, and the state is the fold of the journal.
Errors: none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from aybiza.config.agents import Agent
from aybiza.config.outgoing import Outgoing
from aybiza.dialogue.barge_in import TALKING
from aybiza.dialogue.conversation import GREETING_TURN, Conversation, Phase
from aybiza.dialogue.events import (
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    Command,
    Event,
    HungUp,
    LineFailed,
    Record,
    Started,
    StartTimer,
    StopTimer,
    TalkStopped,
    TimerFired,
    ToneHeard,
)
from aybiza.dialogue.journal import VOICEMAIL, AnswerComplete, Answered, CallerTurn
from aybiza.dialogue.outbound.ledger import HUMAN, MACHINE, UNKNOWN
from aybiza.dialogue.outbound.machine_words import is_machine
from aybiza.dialogue.outbound.who_answers import QUIET_SECONDS, WhoAnswers
from aybiza.dialogue.overheard import words_of
from aybiza.dialogue.turns import TurnMachine

SILENCE_SECONDS: Final = 3.0
"""So long a machine is silent behind its greeting that it records, though it has no beep."""
BEEP_SECONDS: Final = 0.4
"""From a tone that has told the machine to the message: others may follow."""
MACHINE_SECONDS: Final = 60.0
"""A machine that speaks for longer records nothing."""
MESSAGE_SECONDS: Final = 90.0
LATE_SECONDS: Final = 1.5
"""Words that come so soon behind the beginning of the message were said before it."""
PERSONS_WORDS: Final = 2
CALLING: Final = (
    "You have placed this call: the person did not call you. Say who is calling and why, ask if it"
    " is a good moment, and end the call if they want that."
)
"""What the model is told of it."""
_SENTENCE: Final = re.compile(r"(?<=[.!?\u0964])\s+|(?<=[\u3002\uff01\uff1f])\s*")
_SPEECH: Final = (CallerSpeaking, CallerInterim, CallerSaid)
_ENDS: Final = (HungUp, LineFailed)


def turns_of(agent: Agent, conversation: Conversation) -> TurnMachine:
    """The turn machine of a call, whoever has placed it."""
    return (OutgoingTurns if conversation.dialled else TurnMachine)(agent, conversation)


def calling(agent: Agent) -> Agent:
    """The agent as it is on calls that it has placed."""
    plan = agent.outbound or Outgoing()
    told = (agent.custom_instructions, CALLING, plan.instructions)
    return agent.model_copy(
        update={
            "greeting": plan.greeting or agent.greeting,
            "custom_instructions": "\n\n".join(filter(None, told)),
        }
    )


class OutgoingTurns(TurnMachine):
    """See the module."""

    def __init__(self, agent: Agent, conversation: Conversation | None = None) -> None:
        super().__init__(calling(agent), conversation)
        self._plan = agent.outbound or Outgoing()
        self._who = WhoAnswers("multi" if agent.languages else agent.language)
        # What a crash may lose: how the call was opened, since when a machine speaks and the
        # message is said, whether it is said again, whether somebody has spoken into it.
        self._opening = Started()
        self._machine_at = self._message_at = 0.0
        self._again = self._said_again = self._is_sure = False

    @property
    def state(self) -> str:
        """See the module."""
        conversation = self.conversation
        if conversation.ended is not None:
            return "over"
        if conversation.answered == MACHINE:
            return "leaving" if conversation.closing == VOICEMAIL else "machine"
        return "talking" if conversation.answered else "waiting"

    def handle(self, event: Event) -> list[Command]:
        """See `TurnMachine`."""
        act = _STATES.get(self.state)
        ends = isinstance(event, _ENDS) or _is_timer(event, "duration")
        return super().handle(event) if act is None or ends else act(self, event)

    # Nobody knows who it is

    def _waiting(self, event: Event) -> list[Command]:
        greeted = self.conversation.turn is not None
        if isinstance(event, Started):
            self._opening = replace(event, closed=False)
            wait = StartTimer("answering", self._plan.hello_seconds)
            opens = self._plan.speaks_first or greeted
            return [*(super().handle(self._opening) if opens else ()), wait]
        if _is_timer(event, "answering"):
            paused = self._who.quiet()
            return self._met(*((paused.by, paused.why) if paused else (UNKNOWN, "silence")))
        verdict = self._who.told(event)
        if verdict is not None and verdict.by == MACHINE:
            return self._is_machine(event, verdict.why)
        behind = super().handle(event) if greeted else []
        if verdict is not None:
            return [*behind, *self._met(verdict.by, verdict.why)]
        if isinstance(event, _SPEECH):
            words = self._who.has_words
            quiet = QUIET_SECONDS if words else self._plan.hello_seconds
            return [*behind, StartTimer("answering", quiet)]
        return behind

    def _met(self, by: str, why: str) -> list[Command]:
        """It is somebody whom the agent talks to."""
        met = [self._noted(Answered(by, why)), StopTimer("answering")]
        greeted = self.conversation.turn is not None
        return [*met, *(() if greeted else super().handle(self._opening))]

    def _talking(self, event: Event) -> list[Command]:
        if _is_timer(event, "answering"):
            return []
        verdict = None if self._is_sure else self._who.told(event)
        if verdict is not None and (verdict.by, verdict.why) in _STILL:
            return self._is_machine(event, verdict.why)
        commands = super().handle(event)
        spoke = any(_is_turn(command) for command in commands)
        if spoke and self.conversation.answered == UNKNOWN:
            commands.append(self._noted(Answered(HUMAN, "spoke")))
        return commands

    # A machine

    def _is_machine(self, event: Event, why: str) -> list[Command]:
        self._commands = []
        self._machine_at = event.at
        turn, speaks = self.conversation.turn, self.phase in TALKING
        if speaks:
            self._silence_agent()
        self._drop_eager()
        if turn is not None and not turn.complete:
            self._cancel_answer()
            self._record(AnswerComplete(turn.number, "cancelled"))
        self._record(Answered(MACHINE, why))
        self._do(StopTimer("endpoint"), StopTimer("silence"), StopTimer("wait"))
        if self._plan.voicemail == "hang_up":
            self._do(StopTimer("answering"))
            self._end(MACHINE)
        else:
            seconds = BEEP_SECONDS if why == "tone" else SILENCE_SECONDS
            self._do(StartTimer("answering", seconds))
        return self._commands

    def _machine(self, event: Event) -> list[Command]:
        if isinstance(event, TalkStopped):
            # Who is spoken to now does not listen.
            return [one for one in super().handle(event) if not isinstance(one, StartTimer)]
        if self._machine_at and event.at - self._machine_at > MACHINE_SECONDS:
            self._commands = []
            self._end(MACHINE)
            return self._commands
        if isinstance(event, ToneHeard) or _is_timer(event, "answering"):
            return self._leave(event)
        if isinstance(event, (Started, *_SPEECH)):
            return [StartTimer("answering", SILENCE_SECONDS)]
        return []

    def _leave(self, event: Event) -> list[Command]:
        self._commands = []
        self._message_at = event.at
        self._do(StopTimer("answering"))
        self._close(VOICEMAIL, MESSAGE_SECONDS)
        self._say_message()
        return self._commands

    def _say_message(self) -> None:
        turn = self.conversation.turn
        number = (GREETING_TURN if turn is None else turn.number) + 1
        self._agent_turn(number, *filter(None, _SENTENCE.split(self._plan.message)))

    def _leaving(self, event: Event) -> list[Command]:
        match event:
            case ToneHeard() if self.phase is Phase.CLOSING and not self._said_again:
                self._commands = []
                self._again = self._said_again = True
                self._silence_agent()
                return self._commands
            case TalkStopped() if self._again:
                self._again = False
                commands = super().handle(event)
                self._commands = []
                self._message_at = event.at
                self._do(StartTimer("closing", MESSAGE_SECONDS))
                self._say_message()
                return [*commands, *self._commands]
            case CallerInterim() | CallerSaid() if not self._is_person(event):
                return []
        commands = super().handle(event)
        if self.conversation.closing is None and self.conversation.ended is None:
            self._is_sure = True
            commands.append(self._noted(Answered(HUMAN, "spoke")))
        return commands

    def _is_person(self, event: CallerInterim | CallerSaid) -> bool:
        late = event.at - self._message_at < LATE_SECONDS
        few = len(words_of(event.text)) < PERSONS_WORDS
        return not (late or few or is_machine(event.text, self.agent.language))

    def _noted(self, entry: Answered) -> Record:
        self.conversation.apply(entry)
        return Record(entry)


_STILL: Final = frozenset(((MACHINE, "phrase"), (MACHINE, "tone")))
"""What still tells a machine when it has been taken for a person."""

_STATES: Final[dict[str, Callable[[OutgoingTurns, Any], list[Command]]]] = {
    "waiting": OutgoingTurns._waiting,
    "talking": OutgoingTurns._talking,
    "machine": OutgoingTurns._machine,
    "leaving": OutgoingTurns._leaving,
}


def _is_timer(event: Event, name: str) -> bool:
    return isinstance(event, TimerFired) and event.name == name


def _is_turn(command: Command) -> bool:
    return isinstance(command, Record) and isinstance(command.entry, CallerTurn)
