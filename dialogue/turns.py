"""Turn-taking: who speaks, who listens, what is answered. A pure state machine.

`TurnMachine.handle(event)` gives the commands to carry out, in order. The machine holds no clock
and does no I/O; its whole state is the conversation (the fold of the journal) and the phase that
follows from it, so `TurnMachine(agent, conversation)` and `resume()` take a call up wherever its
journal ends.

All transitions stand in `_TRANSITIONS`, a row an event type and a column a phase; what is not there
changes nothing.

    LISTENING    the caller's turn
    THINKING     a turn is being answered, nothing of it has been said
    SPEAKING     sentences are being said
    INTERRUPTED  the caller broke in; without words within `RESUME_SECONDS` it was noise
    ENDED        nothing happens any more
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias

from config.agents import Agent
from dialogue.conversation import GREETING_TURN, Conversation, Turn
from dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    Ask,
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    CancelAnswer,
    CloseAsked,
    Command,
    DigitPressed,
    EndCall,
    Event,
    Heard,
    HungUp,
    LineFailed,
    Record,
    Say,
    SayAll,
    Started,
    StartTimer,
    StopTalking,
    StopTimer,
    TalkStopped,
    TimerFired,
    ToolsUsed,
)
from dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerSegment,
    CallerTurn,
    Closing,
    Ended,
    Entry,
    Interrupted,
    Resumed,
    SentenceHeard,
    ToolExchange,
)

# Words without an end of turn are taken as finished after this; the recogniser's own end comes
# earlier unless it was lost with a restarted socket.
ENDPOINT_SECONDS = 2.0
DIGIT_SECONDS = 2.0
RESUME_SECONDS = 2.0
ANSWER_ATTEMPTS = 2
SILENCE_PROMPTS = 1

DEFAULT_SILENCE_SECONDS = 30.0


class Phase(Enum):
    """What the call is doing; see the module."""

    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


Commands: TypeAlias = list[Command]


class TurnMachine:
    """See the module. `phase` and `conversation` are for reading."""

    def __init__(self, agent: Agent, conversation: Conversation | None = None) -> None:
        self.agent = agent
        self.conversation = conversation or Conversation()
        self.phase = Phase.LISTENING
        self._failures = 0
        self._prompts = 0
        self._commands: Commands = []

    def handle(self, event: Event) -> Commands:
        """What to do now that `event` has happened."""
        act = _TRANSITIONS.get((type(event), self.phase))
        return self._collect(act, event) if act else []

    def resume(self) -> Commands:
        """What to do to go on from the journal: for a restarted actor on a line that still holds."""
        return self._collect(TurnMachine._take_up, None)

    def _collect(self, act: Callable[[TurnMachine, Any], None], event: Any) -> Commands:
        self._commands = []
        act(self, event)
        commands, self._commands = self._commands, []
        return commands

    def _do(self, *commands: Command) -> None:
        self._commands.extend(commands)

    def _record(self, entry: Entry) -> None:
        self.conversation.apply(entry)
        self._commands.append(Record(entry))

    @property
    def _turn(self) -> Turn:
        return self.conversation.turn or self.conversation.at(GREETING_TURN)

    # The line

    def _start(self, event: Started) -> None:
        if not self.conversation.turns:
            self._agent_turn(GREETING_TURN, self.agent.greeting)
            return
        if event.again:
            # Number 0 is in no history: the bridge is about the line, not about the matter.
            self._do(Say(self._turn.number, 0, self.agent.bridge))
        self._take_up(None)
        if event.again and self.phase is Phase.LISTENING:
            self._do(SayAll(self._turn.number))

    def _take_up(self, _: Any) -> None:
        conversation, turn = self.conversation, self._turn
        if conversation.ended:
            self.phase = Phase.ENDED
            self._do(EndCall(conversation.ended))
        elif turn.cut is not None:
            self.phase = Phase.INTERRUPTED
            self._do(StartTimer("resume", RESUME_SECONDS))
        elif not turn.complete or turn.unheard():
            self._say_unheard()
        else:
            self._listen()
        if conversation.segments:
            self._do(StartTimer("endpoint", ENDPOINT_SECONDS))

    def _say_unheard(self) -> None:
        turn = self._turn
        unheard = turn.unheard()
        self.phase = Phase.SPEAKING if unheard else Phase.THINKING
        for seq in unheard:
            self._do(Say(turn.number, seq, turn.sentences[seq]))
        if turn.complete:
            self._do(SayAll(turn.number))
        else:
            self._do(Ask(turn.number, turn.last_seq))

    def _listen(self) -> None:
        self.phase = Phase.LISTENING
        if self.conversation.closing is not None:
            self._end(self.conversation.closing)
        else:
            seconds = self.agent.silence_timeout_s or DEFAULT_SILENCE_SECONDS
            self._do(StartTimer("silence", seconds))

    def _hung_up(self, _: HungUp) -> None:
        self._end("hangup")

    def _line_failed(self, _: LineFailed) -> None:
        self._end("fault")

    def _end(self, reason: str) -> None:
        if not self._turn.complete:
            self._do(CancelAnswer(self._turn.number))
        self._record(Ended(reason))
        self.phase = Phase.ENDED
        self._do(EndCall(reason))

    def _agent_turn(self, number: int, text: str) -> None:
        """The agent begins a turn by itself and says one thing."""
        if number != GREETING_TURN:
            self._record(CallerTurn(number, ""))
        self._record(AgentSentence(number, 1, text))
        self._record(AnswerComplete(number, "end_turn"))
        self.phase = Phase.SPEAKING
        self._do(Say(number, 1, text), SayAll(number))

    # The caller

    def _onset(self, _: Any) -> None:
        self._do(StopTimer("silence"))

    def _onset_while_answering(self, _: Any) -> None:
        if self.agent.barge_in and self.conversation.closing is None:
            self._break_in()
            self._do(StartTimer("resume", RESUME_SECONDS))

    def _break_in(self) -> None:
        turn = self._turn
        if self.phase is Phase.SPEAKING:
            self._do(StopTalking())
        if not turn.complete:
            self._do(CancelAnswer(turn.number))
        self.phase = Phase.INTERRUPTED

    def _talk_stopped(self, event: TalkStopped) -> None:
        if event.turn == self._turn.number:
            self._record(Interrupted(event.turn, event.seq, event.fraction))

    def _interim(self, event: CallerInterim) -> None:
        if event.text:
            self._words_come()

    def _interim_while_answering(self, event: CallerInterim) -> None:
        if event.text and self.agent.barge_in and self.conversation.closing is None:
            self._break_in()
            self._words_come()

    def _words_come(self) -> None:
        self._prompts = 0
        self._do(StopTimer("silence"), StopTimer("resume"))
        self._do(StartTimer("endpoint", ENDPOINT_SECONDS))

    def _said(self, event: CallerSaid) -> None:
        if event.text:
            self._record(CallerSegment(event.text))
            self._words_come()

    def _said_while_answering(self, event: CallerSaid) -> None:
        if not event.text:
            return
        if self.agent.barge_in and self.conversation.closing is None:
            self._break_in()
        self._said(event)

    def _pressed(self, event: DigitPressed) -> None:
        self._record(CallerSegment(event.digit))
        self._words_come()
        self._do(StartTimer("endpoint", DIGIT_SECONDS))

    def _pressed_while_answering(self, event: DigitPressed) -> None:
        if self.conversation.closing is None:
            self._break_in()
        self._pressed(event)

    def _finished(self, _: Any) -> None:
        text = " ".join(self.conversation.segments)
        if not text:
            return
        self._do(StopTimer("endpoint"), StopTimer("resume"), StopTimer("silence"))
        number = self._turn.number + 1
        self._record(CallerTurn(number, text))
        self._failures = 0
        self.phase = Phase.THINKING
        self._do(Ask(number, 0))

    # The answer

    def _is_current(self, turn: int) -> bool:
        return turn == self._turn.number and not self._turn.complete

    def _sentence(self, event: AnswerSentence) -> None:
        if self._is_current(event.turn) and event.seq == self._turn.last_seq + 1:
            self._record(AgentSentence(event.turn, event.seq, event.text))
            self.phase = Phase.SPEAKING
            self._do(Say(event.turn, event.seq, event.text))

    def _tools_used(self, event: ToolsUsed) -> None:
        if self._is_current(event.turn):
            exchange = ToolExchange(event.turn, event.after_seq, event.uses, event.results)
            self._record(exchange)

    def _close_asked(self, event: CloseAsked) -> None:
        if self._is_current(event.turn):
            self._record(Closing(event.reason))

    def _answer_finished(self, event: AnswerFinished) -> None:
        if not self._is_current(event.turn):
            return
        if not self._turn.sentences and self.conversation.closing is None:
            self._sentence(AnswerSentence(event.turn, 1, self.agent.error))
        self._record(AnswerComplete(event.turn, event.stop_reason))
        self._do(SayAll(event.turn))
        self._when_all_heard()

    def _answer_failed(self, event: AnswerFailed) -> None:
        if not self._is_current(event.turn):
            return
        self._failures += 1
        if self._failures < ANSWER_ATTEMPTS:
            self._do(Ask(event.turn, self._turn.last_seq))
        else:
            self._sentence(AnswerSentence(event.turn, self._turn.last_seq + 1, self.agent.error))
            self._answer_finished(AnswerFinished(event.turn, "error"))

    def _heard(self, event: Heard) -> None:
        turn = self.conversation.turns.get(event.turn)
        if turn is None or event.seq not in turn.sentences or event.seq in turn.heard:
            return
        self._record(SentenceHeard(event.turn, event.seq))
        if self.phase is Phase.SPEAKING:
            self._when_all_heard()

    def _when_all_heard(self) -> None:
        turn = self._turn
        if not turn.complete or turn.unheard():
            return
        if self.conversation.segments and self.conversation.closing is None:
            # Words that came while the agent must not be interrupted.
            self.phase = Phase.LISTENING
            self._finished(None)
        else:
            self._listen()

    # The clock

    def _timer(self, event: TimerFired) -> None:
        act = _TIMERS.get((event.name, self.phase))
        if act:
            act(self, event)

    def _silent(self, _: Any) -> None:
        number = self._turn.number + 1
        if self._prompts < SILENCE_PROMPTS:
            self._prompts += 1
            self._agent_turn(number, self.agent.silence_prompt)
        else:
            self._record(Closing("silence"))
            self._agent_turn(number, self.agent.closing)

    def _too_long(self, _: Any) -> None:
        if self.conversation.closing is not None:
            return
        if self.phase in (Phase.THINKING, Phase.SPEAKING):
            self._break_in()
        self._record(Closing("duration"))
        if not self._turn.complete:
            self._record(AnswerComplete(self._turn.number, "cancelled"))
        self._agent_turn(self._turn.number + 1, self.agent.closing)

    def _was_noise(self, _: Any) -> None:
        turn = self._turn
        if turn.cut is not None:
            self._record(Resumed(turn.number))
        if turn.complete and not turn.unheard():
            self._listen()
        else:
            self._say_unheard()


_ANSWERING = (Phase.THINKING, Phase.SPEAKING)
_LISTENING = (Phase.LISTENING, Phase.INTERRUPTED)
_LIVE = (*_ANSWERING, *_LISTENING)

_Act: TypeAlias = Callable[[TurnMachine, Any], None]


def _rows(*rows: tuple[Any, tuple[Phase, ...], _Act]) -> dict[tuple[Any, Phase], _Act]:
    return {(key, phase): act for key, phases, act in rows for phase in phases}


_TRANSITIONS = _rows(
    (Started, _LIVE, TurnMachine._start),
    (HungUp, _LIVE, TurnMachine._hung_up),
    (LineFailed, _LIVE, TurnMachine._line_failed),
    (CallerSpeaking, _LISTENING, TurnMachine._onset),
    (CallerSpeaking, _ANSWERING, TurnMachine._onset_while_answering),
    (CallerInterim, _LISTENING, TurnMachine._interim),
    (CallerInterim, _ANSWERING, TurnMachine._interim_while_answering),
    (CallerSaid, _LISTENING, TurnMachine._said),
    (CallerSaid, _ANSWERING, TurnMachine._said_while_answering),
    (CallerFinished, _LISTENING, TurnMachine._finished),
    (DigitPressed, _LISTENING, TurnMachine._pressed),
    (DigitPressed, _ANSWERING, TurnMachine._pressed_while_answering),
    (AnswerSentence, _ANSWERING, TurnMachine._sentence),
    (ToolsUsed, _ANSWERING, TurnMachine._tools_used),
    (CloseAsked, _ANSWERING, TurnMachine._close_asked),
    (AnswerFinished, _ANSWERING, TurnMachine._answer_finished),
    (AnswerFailed, _ANSWERING, TurnMachine._answer_failed),
    (Heard, _LIVE, TurnMachine._heard),
    (TalkStopped, _LIVE, TurnMachine._talk_stopped),
    (TimerFired, _LIVE, TurnMachine._timer),
)

_TIMERS = _rows(
    ("endpoint", _LISTENING, TurnMachine._finished),
    ("resume", (Phase.INTERRUPTED,), TurnMachine._was_noise),
    ("silence", (Phase.LISTENING,), TurnMachine._silent),
    ("duration", _LIVE, TurnMachine._too_long),
)
