"""What a turn machine does about an answer: its sentences, its tools, its end, and the wait for it.

Errors: none. What an act is says `aybiza.dialogue.turn_acts`.
"""

from __future__ import annotations

from aybiza.dialogue.barge_in import SAYING
from aybiza.dialogue.conversation import GREETING_TURN
from aybiza.dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    Ask,
    CloseAsked,
    Heard,
    Say,
    SayAll,
    SpeechTroubled,
    StartTimer,
    TimerFired,
    ToolsUsed,
    Unsaid,
)
from aybiza.dialogue.journal import (
    TRANSFER,
    SentenceHeard,
    SentenceUnsaid,
    ToolExchange,
)
from aybiza.dialogue.turn_acts import TurnActs

# Before any tool was used.
_NO_USE = ToolExchange(GREETING_TURN, 0, [], [])


class AnswerActs(TurnActs):
    """See the module."""

    def _is_next(self, event: AnswerSentence) -> bool:
        return self._is_awaited(event) and event.seq == self._turn.last_seq + 1

    def _tools_used(self, event: ToolsUsed) -> None:
        """What a tool did is done, whether its answer is still wanted or not."""
        turn = self.conversation.worker(event.turn)
        uses = [block for block in event.uses if "toolUse" in block]
        known = [(one.uses, one.results) for one in turn.exchanges] if turn is not None else []
        if turn is not None and (uses, event.results) not in known:
            after_seq = min(event.after_seq, turn.last_seq) if turn.number == event.turn else 0
            self._record(ToolExchange(turn.number, after_seq, uses, event.results))

    def _close_asked(self, event: CloseAsked) -> None:
        self._close(event.reason, self.policy.closing, event.to)
        if event.reason == "goodbye" and self._has_said_goodbye():
            self._cancel_answer()
            self._complete(event.turn, "end_turn")

    def _has_said_goodbye(self) -> bool:
        """Whether the message that ends the call had words of its own: no others are needed."""
        *before, last = (exchange.after_seq for exchange in self._turn.exchanges or [_NO_USE])
        return last > max(before, default=0)

    def _answer_finished(self, event: AnswerFinished) -> None:
        if not self._turn.sentences:
            self._sentence(AnswerSentence(event.turn, 1, self._instead_of_nothing()))
        self._complete(event.turn, event.stop_reason)

    def _instead_of_nothing(self) -> str:
        words = {None: self.agent.error, TRANSFER: self.agent.filler}
        return words.get(self.conversation.closing, self.agent.closing)

    def _is_worth_another(self, event: AnswerFailed) -> bool:
        return self._is_awaited(event) and self._failures + 1 < self.policy.attempts

    def _ask_again(self, event: AnswerFailed) -> None:
        self._failures += 1
        self._do(Ask(event.turn, self._turn.last_seq))

    def _apologise(self, event: AnswerFailed) -> None:
        self._sentence(AnswerSentence(event.turn, self._turn.last_seq + 1, self.agent.error))
        self._complete(event.turn, "error")

    def _close_without(self, event: AnswerFailed) -> None:
        self._answer_finished(AnswerFinished(event.turn, "error"))

    def _heard(self, event: Heard | Unsaid) -> None:
        turn = self.conversation.turns.get(event.turn)
        if turn is None or event.seq not in turn.unheard():
            return
        was = self.phase
        entry = SentenceHeard if isinstance(event, Heard) else SentenceUnsaid
        self._record(entry(event.turn, event.seq))
        if was in SAYING and turn is self._turn and turn.complete and not turn.unheard():
            if not turn.heard:
                # The speaker apologises instead; whether that is heard, nobody else watches.
                self._do(StartTimer("voice", self.policy.voice_lost))
            self._settle()

    def _close_late(self, _: TimerFired) -> None:
        """The last words do not come from the model."""
        self._cancel_answer()
        self._answer_finished(AnswerFinished(self._turn.number, "late"))

    def _has_filler(self, _: TimerFired) -> bool:
        return self._fillers < len(self.policy.fillers)

    def _may_fill(self, _: SpeechTroubled) -> bool:
        return bool(self.policy.fillers)

    def _fill(self, event: TimerFired | SpeechTroubled) -> None:
        number, fillers = self._turn.number, self.policy.fillers
        # Number 0 is in no history: the model has not said it.
        self._do(Say(number, 0, fillers[self._fillers % len(fillers)]), SayAll(number))
        waited = event.seconds if isinstance(event, SpeechTroubled) else 0.0
        self._do(StartTimer("voice", max(0.0, self.policy.voice_lost - waited)))
        self._fillers += 1
        self._aside = True

    def _is_unanswered(self, _: TimerFired) -> bool:
        return not self._turn.complete and not self._turn.unheard()

    def _give_up(self, _: TimerFired) -> None:
        turn, self._watched = self._turn, None
        self._cancel_answer()
        self._sentence(AnswerSentence(turn.number, turn.last_seq + 1, self.policy.late))
        self._complete(turn.number, "late")
