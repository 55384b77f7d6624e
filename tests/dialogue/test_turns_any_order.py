"""The turn machine under any sequence of events, its actor crashing at any step of any of them."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aybiza.dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    CallerSpeaking,
    CloseAsked,
    DigitPressed,
    Heard,
    HungUp,
    LineFailed,
    Started,
    TalkStopped,
    ToolsUsed,
)
from aybiza.dialogue.journal import CallerSegment
from tests.dialogue.call_invariants import check
from tests.dialogue.call_world import CallWorld, agent

CRASHES = st.one_of(st.none(), st.none(), st.integers(0, 8))
TURNS = st.integers(0, 6)
SEQS = st.integers(0, 5)


class AnyCall(RuleBasedStateMachine):
    """A call on which anything may happen at any time."""

    @initialize(barge_in=st.booleans(), crash_at=CRASHES)
    def begin(self, barge_in: bool, crash_at: int | None) -> None:
        self.world = CallWorld(agent(barge_in=barge_in))
        self.said: list[str] = []
        self.world.tell(Started(), crash_at)

    # The caller

    @rule(crash_at=CRASHES, fraction=st.sampled_from([0.0, 0.3, 0.99, 1.0]))
    def onset(self, crash_at: int | None, fraction: float) -> None:
        self.world.fraction = fraction
        self.world.tell(CallerSpeaking(), crash_at)

    @rule(crash_at=CRASHES, text=st.sampled_from(["", "well"]))
    def interim(self, crash_at: int | None, text: str) -> None:
        self.world.tell(CallerInterim(text), crash_at)

    @rule(crash_at=CRASHES, fraction=st.sampled_from([0.0, 0.3, 0.99, 1.0]))
    def says(self, crash_at: int | None, fraction: float) -> None:
        self.world.fraction = fraction
        text = f"w{len(self.said)}"
        if not self.world.ended:
            self.said.append(text)
        self.world.tell(CallerSaid(text), crash_at)

    @rule(crash_at=CRASHES)
    def says_nothing(self, crash_at: int | None) -> None:
        self.world.tell(CallerSaid(""), crash_at)

    @rule(crash_at=CRASHES)
    def finishes(self, crash_at: int | None) -> None:
        self.world.tell(CallerFinished(), crash_at)

    @rule(crash_at=CRASHES, back=st.integers(0, 2))
    def may_be_done(self, crash_at: int | None, back: int) -> None:
        """With words that come next, with such as do not, with none."""
        text = ("", f"w{len(self.said)}", "well")[back]
        self.world.tell(CallerMayBeDone(text), crash_at)

    @rule(crash_at=CRASHES)
    def goes_on(self, crash_at: int | None) -> None:
        self.world.tell(CallerGoesOn(), crash_at)

    @rule(crash_at=CRASHES, digit=st.sampled_from("07#*"))
    def presses(self, crash_at: int | None, digit: str) -> None:
        if not self.world.ended:
            self.said.append(digit)
        self.world.tell(DigitPressed(digit), crash_at)

    # The agent

    @precondition(lambda self: self.world.attached is not None)
    @rule(
        crash_at=CRASHES,
        kind=st.sampled_from(["sentence", "sentence", "sentence", "tools", "end", "end", "fail"]),
    )
    def answers(self, crash_at: int | None, kind: str) -> None:
        self.world.answer(kind, crash_at)

    @precondition(lambda self: self.world.attached is not None)
    @rule(crash_at=CRASHES, often=st.integers(0, 9))
    def asks_to_close(self, crash_at: int | None, often: int) -> None:
        if often == 0:
            self.world.answer("close", crash_at)

    @precondition(lambda self: self.world.playing)
    @rule()
    def is_played(self) -> None:
        self.world.play()

    @precondition(lambda self: self.world.untold)
    @rule(crash_at=CRASHES)
    def is_heard(self, crash_at: int | None) -> None:
        self.world.mark(crash_at)

    @rule(crash_at=CRASHES, sentences=st.integers(0, 3), heard=st.integers(0, 3))
    def a_question_is_answered(self, crash_at: int | None, sentences: int, heard: int) -> None:
        self.says(crash_at, 0.3)
        self.world.tell(CallerFinished(), crash_at)
        for _ in range(sentences):
            if self.world.attached is not None:
                self.world.answer("sentence", crash_at)
        for _ in range(heard):
            if self.world.playing:
                self.world.play()
            if self.world.untold:
                self.world.mark(crash_at)

    # Time, the line, and what comes late

    @precondition(lambda self: self.world.timers)
    @rule(crash_at=CRASHES, data=st.data())
    def timer_fires(self, crash_at: int | None, data: st.DataObject) -> None:
        self.world.fire(data.draw(st.sampled_from(sorted(self.world.timers))), crash_at)

    @rule(crash_at=CRASHES, often=st.integers(0, 9))
    def is_too_long(self, crash_at: int | None, often: int) -> None:
        if often == 0:
            self.world.fire("duration", crash_at)

    @rule(crash_at=CRASHES, event=st.sampled_from([HungUp(), LineFailed("gone")]), often=TURNS)
    def goes(self, crash_at: int | None, event: Any, often: int) -> None:
        if often == 0:
            self.world.tell(event, crash_at)

    @rule(again=st.booleans())
    def restarts(self, again: bool) -> None:
        if not self.world.ended:
            self.world.restart(again)
            check(self.world)

    @rule(data=st.data(), turn=TURNS, seq=SEQS, crash_at=CRASHES)
    def something_late_comes(
        self, data: st.DataObject, turn: int, seq: int, crash_at: int | None
    ) -> None:
        current = self.world.machine.conversation.turn
        assert current is not None
        turn = min(turn, current.number - 1)
        late: Any = data.draw(
            st.sampled_from(
                [
                    AnswerSentence(turn, seq, "late"),
                    ToolsUsed(turn, seq, [], []),
                    CloseAsked(turn, "goodbye"),
                    AnswerFinished(turn, "end_turn"),
                    AnswerFailed(turn, "late"),
                    TalkStopped(turn, seq, 0.5),
                    Heard(turn, 9),
                    Started(),
                ]
            )
        )
        self.world.tell(late, crash_at)

    @invariant()
    def every_word_of_the_caller_is_kept_once_and_in_order(self) -> None:
        if hasattr(self, "world"):
            kept = [e.text for _, e in self.world.journal if isinstance(e, CallerSegment)]
            assert kept == self.said


AnyCall.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyCall = AnyCall.TestCase
