"""What was said is compared by its letters, and noise asks for nothing."""

from types import SimpleNamespace
from typing import Any

from aybiza.dialogue.journal import AgentSentence, CallerTurn, Joined
from aybiza.emulators.phone.report import Heard, Report, Turn
from aybiza.faults.caller import NOISE
from aybiza.faults.desk import AGENT
from aybiza.faults.fault import Fault
from aybiza.faults.injector import Strike
from aybiza.faults.spoken import asks, letters, only_listens


def test_blanks_marks_and_case_make_no_difference() -> None:
    assert letters("Yes, a Table!") == letters("yes a table") == "yesatable"


def test_noise_and_keys_ask_for_no_answer() -> None:
    said = ("Hello.", NOISE, "keys 42#", "")
    assert [asks(Turn("1", text, 0.0)) for text in said] == [True, False, False, False]


def test_a_sound_of_listening_is_no_turn_if_an_answer_was_thought_of_while_it_was_made() -> None:
    said = Turn("2", "Okay.", 5000.0, end_ms=5200.0)

    def is_no_turn(taken_s: float, spoken_s: float, heard_ms: float = 0.0) -> bool:
        entries = [
            (taken_s, CallerTurn(1, "Where is it?")),
            (spoken_s, AgentSentence(1, 1, "Here.")),
        ]
        report = Report("x", "CA1", heard=[Heard(heard_ms, heard_ms + 1000.0, "Here.")])
        outcome: Any = SimpleNamespace(
            entries=entries, zero=0.0, agent=AGENT, report=report, strikes=struck
        )
        return only_listens(outcome, said)

    struck: list[Strike] = []
    assert is_no_turn(4.0, 6.0) and is_no_turn(5.1, 6.0) and is_no_turn(4.0, 5.1)
    assert not is_no_turn(4.0, 4.5) and not is_no_turn(5.3, 6.0)
    # The answer is there, and not heard yet.
    assert is_no_turn(4.0, 4.9, 5020.0)
    assert not is_no_turn(4.0, 4.9, 4980.0) and not is_no_turn(4.0, 4.4, 5020.0)
    struck += [Strike(4.0, Fault("listen.close"), "*", "thinking")]
    assert not is_no_turn(4.0, 4.4, 5020.0)
    struck += [Strike(4.0, Fault("elevenlabs.slow"), "*", "thinking")]
    assert is_no_turn(4.0, 4.4, 5020.0) and not is_no_turn(4.0, 4.4, 4980.0)


def test_an_answer_that_was_taken_back_before_it_was_heard_is_owed_still() -> None:
    said = Turn("3", "Okay.", 5000.0, end_ms=5200.0)
    asked: list[Any] = [
        (3.0, CallerTurn(1, "Where is it?")),
        (3.5, AgentSentence(1, 1, "Here.")),
    ]
    after: list[Any] = [
        (6.0, CallerTurn(2, "Where is it? 4 2")),
        (6.5, AgentSentence(2, 1, "Here.")),
    ]
    report = Report("x", "CA1", heard=[Heard(7000.0, 8000.0, "Here.")])

    def is_no_turn(entries: list[Any]) -> bool:
        outcome: Any = SimpleNamespace(
            entries=entries, zero=0.0, agent=AGENT, report=report, strikes=[]
        )
        return only_listens(outcome, said)

    assert is_no_turn([*asked, (4.0, Joined(1)), *after])
    assert not is_no_turn([*asked, *after])


def test_who_said_words_that_a_recogniser_tells_late_has_waited_since_then() -> None:
    said = Turn("3", "Okay.", 5000.0, end_ms=5200.0)
    asked = Turn("2", "Where is it?", 3000.0, end_ms=4000.0)
    entries: list[Any] = [(6.0, CallerTurn(1, "Where is it?")), (6.5, AgentSentence(1, 1, "Here."))]
    report = Report("x", "CA1", heard=[Heard(7000.0, 8000.0, "Here.")], turns=[asked, said])

    def is_no_turn(*what: str, text: str = "Where is it?") -> bool:
        strikes = [Strike(1.0, Fault(one), "*", "listening") for one in what]
        told = [(6.0, CallerTurn(1, text)), *entries[1:]]
        outcome: Any = SimpleNamespace(
            entries=told, zero=0.0, agent=AGENT, report=report, strikes=strikes
        )
        return only_listens(outcome, said)

    assert is_no_turn("listen.stall") and is_no_turn("flux.close", "speak.slow")
    assert not is_no_turn() and not is_no_turn("speak.slow")
    assert not is_no_turn("listen.stall", text="Hello?")
