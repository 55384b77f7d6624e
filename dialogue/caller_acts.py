"""What a turn machine does about the caller: voice, words and keys, in and out of turn.

Errors: none. What an act is says `aybiza.dialogue.turn_acts`.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any, Final

from aybiza.dialogue.barge_in import ANSWERING
from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AskEagerly,
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    CallerSpeaking,
    CancelAnswer,
    DigitPressed,
    StartTimer,
    StopTimer,
    TalkStopped,
    TimerFired,
)
from aybiza.dialogue.journal import (
    CallerSegment,
    Interrupted,
    Joined,
    Reopened,
    Resumed,
    SentenceHeard,
)
from aybiza.dialogue.overheard import words_of
from aybiza.dialogue.turn_acts import TurnActs

MASK: Final = "•"
"""A key that is kept from everybody but the tools."""
END_KEY_SECONDS: Final = 3.0
"""So long behind an entry that is complete by its number the key that ends one belongs to it."""
KEYS: Final = frozenset((*"0123456789*#ABCD", MASK))


class CallerActs(TurnActs):
    """See the module."""

    def _voice_cuts(self, _: CallerSpeaking) -> bool:
        return self._barge_in.voice_cuts()

    def _voice(self, event: CallerSpeaking) -> None:
        self._barge_in.voice(event.at)

    def _voice_waits(self, event: CallerSpeaking) -> None:
        self._voice(event)
        if self.phase is Phase.INTERRUPTED or self._giving == "words":
            self._await_caller()

    def _voice_breaks_in(self, event: CallerSpeaking) -> None:
        self._voice(event)
        self._silence_agent()
        self._await_caller()

    def _is_nothing(self, event: CallerInterim | CallerSaid) -> bool:
        begun = isinstance(event, CallerInterim)
        return self._barge_in.is_nothing(event.text, begun=begun)

    def _nothing(self, _: Any) -> None:
        """Nobody has said anything to the matter."""

    def _interim(self, event: CallerInterim) -> None:
        self._giving = "words"
        self._break_in(self._barge_in.may_cut(event.text, event.at))
        self._await_caller()

    def _said(self, event: CallerSaid) -> None:
        may_cut = self._barge_in.may_cut(event.text, event.at)
        self._giving = "words"
        self._break_in(may_cut)
        self._record(self._piece(event))
        self._await_caller()

    def _pressed(self, event: DigitPressed) -> None:
        self._giving = "digits"
        self._break_in(not self._barge_in.is_protected())
        if not (self._entered() and event.digit == self.policy.keys_end):
            self._record(self._key(event))
            if self._chosen() is not None:
                self._complete_at = event.at
        self._await_caller()

    def _is_last_key(self, event: DigitPressed) -> bool:
        """Whether all is entered with this key."""
        entered, most = self._entered(), self.policy.keys_most
        return bool(entered and event.digit == self.policy.keys_end) or entered + 1 == most

    def _take_keys(self, event: DigitPressed) -> None:
        if event.digit != self.policy.keys_end:
            self._record(self._key(event))
            self._complete_at = event.at
        self._giving = None
        self._take_turn()

    def is_end_of_all(self, event: DigitPressed) -> bool:
        """Whether the key that ends an entry comes behind one that was complete without it, or
        behind a choice from a menu."""
        ends = bool(self.policy.keys_end) and event.digit == self.policy.keys_end
        ends = ends and self._chosen(event.digit) is None
        late = event.at - self._complete_at > END_KEY_SECONDS
        return ends and not late and not self.conversation.segments

    def _entered(self) -> int:
        """How many keys the caller has pressed since the last words."""
        segments = reversed(self.conversation.segments)
        return sum(1 for _ in takewhile(lambda text: text in KEYS, segments))

    def is_secret(self, event: DigitPressed) -> bool:
        """Whether the key is for the tools alone; what is chosen from a menu is no secret."""
        return self.policy.keys_masked and self._chosen(event.digit) is None

    def _key(self, event: DigitPressed) -> CallerSegment:
        return CallerSegment(MASK if self.is_secret(event) else event.digit)

    def _piece(self, event: CallerSaid) -> CallerSegment:
        return CallerSegment(event.text, event.language if self.policy.languages else "")

    def _break_in(self, allowed: bool) -> None:
        if allowed and self.phase in ANSWERING:
            self._silence_agent()

    def _is_unheard_answer(self, event: TalkStopped) -> bool:
        """Whether the words that silenced the agent go on with a turn whose answer is unheard."""
        unheard = self._barge_in.is_unheard(event.turn, event.seq, event.fraction)
        return self._giving is not None and unheard

    def _join(self, event: TalkStopped) -> None:
        cancelled = not self._turn.complete
        self._record(Joined(event.turn))
        if cancelled:
            self._do(CancelAnswer(event.turn))
        self._await_caller()

    def _talk_stopped(self, event: TalkStopped) -> None:
        turn = self.conversation.turns.get(event.turn)
        if turn is None or turn.cut is not None or turn.joined:
            return
        for seq in turn.unheard():
            if seq < event.seq or (seq == event.seq and event.fraction >= 1.0):
                self._record(SentenceHeard(turn.number, seq, marked=False))
        self._record(Interrupted(turn.number, event.seq, event.fraction))
        if turn is self._turn:
            self._cancel_answer()
            self._await_caller()

    def _may_go_on(self, _: CallerFinished) -> bool:
        words = self._giving == "words" and bool(self.conversation.segments)
        return words and self._barge_in.patience() > 0

    def _wait_on(self, event: CallerFinished) -> None:
        if self._may_begin():
            self._begin()
        self._do(StopTimer("silence"), StartTimer("endpoint", self._barge_in.patience()))

    # A turn that may be over

    def _may_begin(self, event: CallerMayBeDone | None = None) -> bool:
        words = self._with(event.text if event is not None else "")
        left = self._eager_begun < self.policy.eager_answers
        whole = bool(words) and not self._barge_in.is_unfinished(words)
        return left and whole and self._giving != "digits" and not self._is_echo(event)

    def _is_echo(self, event: CallerMayBeDone | None) -> bool:
        return event is not None and self._barge_in.is_nothing(event.text)

    def _begin_eagerly(self, event: CallerMayBeDone) -> None:
        self._giving = "words"
        self._begin(event.text)
        self._await_caller()

    def _begin(self, text: str = "") -> None:
        self._eager = self._with(text)
        self._eager_begun += 1
        self._do(AskEagerly(self._turn.number + 1, self._eager))

    def _with(self, text: str) -> str:
        """The caller's words so far, with these behind them."""
        return " ".join(filter(None, [*self.conversation.segments, text]))

    def _is_as_begun(self, event: CallerInterim | CallerSaid) -> bool:
        """Whether these words are those to which an answer was begun, as far as they go."""
        words = words_of(self._with(event.text))
        return words_of(self._eager or "")[: len(words)] == words

    def _goes_on(self, _: CallerGoesOn) -> None:
        self._drop_eager()
        self._await_caller()

    def _interim_otherwise(self, event: CallerInterim) -> None:
        self._drop_eager()
        self._interim(event)

    def _said_otherwise(self, event: CallerSaid) -> None:
        self._drop_eager()
        self._said(event)

    def _pressed_otherwise(self, event: DigitPressed) -> None:
        self._drop_eager()
        self._pressed(event)

    def _quiet_otherwise(self, _: TimerFired) -> None:
        """What was to be said has not come; it is quiet all the same."""
        self._drop_eager()
        self._do(StartTimer("endpoint", 0.0))

    def _gives_words(self, _: CallerFinished) -> bool:
        # The recogniser hears no end of keys; the next may take the caller a while.
        return self._giving != "digits"

    def _finished(self, event: CallerFinished) -> None:
        self._giving = None
        if self.conversation.segments:
            self._take_turn(late=max(0.0, event.seconds - self.policy.heard_out))

    def _done_while_answering(self, _: Any) -> None:
        self._giving = None

    def _quiet(self, _: TimerFired) -> None:
        self._giving = None
        self._settle()

    def _has_words(self, _: TimerFired) -> bool:
        return bool(self.conversation.segments)

    def _resume_talking(self, _: TimerFired) -> None:
        self._giving = None
        self._record(Resumed(self._turn.number))
        self._go_on()

    def _takes_back(self, event: CallerInterim | CallerSaid) -> bool:
        begun = isinstance(event, CallerInterim)
        return self._barge_in.takes_back(event.text, begun=begun)

    def _take_back(self, event: CallerInterim | CallerSaid) -> None:
        self._giving = "words"
        if self.policy.barge_in:
            self._silence_agent()
        if isinstance(event, CallerSaid):
            self._record(self._piece(event))
        self._record(Reopened())
        self._do(StopTimer("closing"))
        self._await_caller()

    def _said_while_closing(self, event: CallerSaid) -> None:
        if event.text:
            self._record(self._piece(event))

    def _pressed_while_closing(self, event: DigitPressed) -> None:
        self._record(self._key(event))
