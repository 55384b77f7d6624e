"""The trace: what is shown of what happened."""

from aybiza.actors.runtime.messages import Cast
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.reasons import KILLED, Crashed
from aybiza.dialogue.events import AnswerSentence, Heard
from aybiza.faults.trace import Trace, reason_text, shown, type_of


def test_a_message_is_shown_by_its_type_and_its_plain_fields() -> None:
    assert shown(Heard(1, 2)) == "Heard(at=0, turn=1, seq=2)"
    assert shown(Cast(Heard(1, 2))) == "cast Heard(at=0, turn=1, seq=2)"
    assert shown("audio") == "audio"
    assert shown(b"abc") == "3 bytes"
    assert shown(Pid("node", 7, 0)) == "#7"
    assert shown((1, None, 0.5)) == "(1, None, 0.5)"


def test_what_has_an_address_is_shown_without_it() -> None:
    assert shown(object()) == "object"


def test_a_long_message_is_one_line_of_bounded_length() -> None:
    line = shown(AnswerSentence(1, 1, "word\n" * 100))
    assert len(line) == 90 and "\n" not in line


def test_messages_are_known_by_the_name_of_their_type() -> None:
    assert type_of(Cast(Heard(1, 2))) == "Heard"
    assert type_of("stop") == "stop"


def test_a_reason_is_shown_on_one_line() -> None:
    assert reason_text(KILLED) == "killed"
    assert reason_text(Crashed(ValueError("no such day"))) == "crash ValueError: no such day"


def test_the_text_has_a_line_an_event_with_its_time() -> None:
    now = [1.5]
    trace = Trace(lambda: now[0])
    trace.note("exit", "CallActor#4", "killed")
    now[0] = 2.0
    trace.note("restart", "CallActor#5")
    first, second = trace.text().splitlines()
    assert first.split() == ["1.500", "CallActor#4", "exit", "killed"]
    assert second.split() == ["2.000", "CallActor#5", "restart"]
    assert [event.who for event in trace.of("restart")] == ["CallActor#5"]
