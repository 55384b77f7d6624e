"""The sequence: what people want to see of a trace, and nothing that comes all the time."""

from aybiza.faults.sequence import sequence
from aybiza.faults.trace import Happened


def test_messages_exits_and_words_are_lines_with_their_time() -> None:
    events = [
        Happened(1.0, "send", "CallActor#3", "cast Speak(turn=1)", "SpeakerActor#4"),
        Happened(1.5, "exit", "CallActor#3", "killed"),
        Happened(2.0, "line", "CA1", "agent: Hello."),
    ]
    assert sequence(events) == [
        "    1.00  CallActor#3 → SpeakerActor#4: cast Speak(turn=1)",
        "    1.50  ✝ CallActor#3 exit killed",
        "    2.00  ☎ CA1 line agent: Hello.",
    ]


def test_what_comes_all_the_time_is_left_out_and_what_repeats_is_counted() -> None:
    events = [
        Happened(1.0, "send", "Task#1", "audio", "TranscriberActor#2"),
        Happened(1.0, "send", "Task#1", "1600 bytes", "MediaWriter#2"),
        Happened(1.0, "start", "Task#5", ""),
        *[Happened(1.0 + n, "log", "warning", "slow") for n in range(3)],
    ]
    assert sequence(events) == ["    1.00  ! warning log slow  × 3"]


def test_a_long_sequence_is_its_end() -> None:
    events = [Happened(float(n), "line", "CA1", f"agent: {n}") for n in range(10)]
    assert sequence(events, most=2)[0] == "… 8 lines before"
    assert len(sequence(events, most=2)) == 3


def test_a_message_without_a_name_is_a_line_too() -> None:
    event = Happened(1.0, "send", "world", "(success, 120)", "CircuitBreakerActor#6")
    assert sequence([event]) == ["    1.00  world → CircuitBreakerActor#6: (success, 120)"]
