"""Each invariant says no to what it is there for, and nothing to a call as it should be."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerSegment,
    CallerTurn,
    Closing,
    Ended,
    Entry,
    SentenceHeard,
    Transferred,
)
from aybiza.dialogue.toolbox import ToolRun
from aybiza.emulators.bedrock.journal import Record
from aybiza.emulators.phone.report import Heard, Report, Stream, Turn
from aybiza.faults.desk import AGENT
from aybiza.faults.fault import Fault
from aybiza.faults.injector import Strike
from aybiza.faults.invariants import INVARIANTS, broken
from aybiza.faults.plan import Plan
from aybiza.faults.trace import Happened
from aybiza.faults.trial import Outcome

ENTRIES: list[Entry] = [
    AgentSentence(0, 1, "Welcome."),
    SentenceHeard(0, 1),
    CallerTurn(1, "What about the garden?"),
    AgentSentence(1, 1, "It opens at nine."),
    AnswerComplete(1, "end_turn"),
    SentenceHeard(1, 1),
    Ended("hangup"),
]
REPORT = Report(
    "x",
    "CA1",
    ok=True,
    duration_ms=8000.0,
    turns=[Turn("1", "What about the garden?", 2000.0, 3000.0, 3500.0, 500.0)],
    heard=[Heard(100.0, 1000.0, "Welcome. "), Heard(3500.0, 5000.0, "It opens at nine. ")],
    streams=[Stream("MZ1", "ws://x", 0.0)],
)
GOOD = Outcome(
    Plan(), REPORT, 0.0, over=True, entries=[(float(n), e) for n, e in enumerate(ENTRIES)]
)


def report(**changes: Any) -> dict[str, Any]:
    return {"report": dataclasses.replace(REPORT, **changes)}


def request(text: str) -> Record:
    content = [{"text": text}]
    messages = [
        {"role": "user", "content": [{"text": "What about the garden?"}]},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [{"text": "And then?"}]},
    ]
    return Record(2, "converse-stream", "m", 0.0, body={"messages": messages}, outcome="completed")


def entries(*more: Entry) -> dict[str, Any]:
    return {"entries": [(float(n), e) for n, e in enumerate([*ENTRIES, *more])]}


SILENT = [Heard(100.0, 1000.0, "Welcome. "), Heard(7900.0, 8000.0, "It opens at nine. ")]
GLUED = [Heard(100.0, 1000.0, "Welcome. "), Heard(3500.0, 5000.0, "It opens at nine.It closes. ")]
TWICE = [*REPORT.heard, Heard(6000.0, 7000.0, "It opens at nine. ")]
WRITE = ToolRun("book", "t1", {"what": "a table"}, "CA1", turn=1, said="No.")

AGREED = dataclasses.replace(WRITE, said="Yes, a table.")
ASKED = Plan(
    consents={"Yes, a table.": "Shall I book a table?"},
    answers={"Yes, a table.": [{"tool": "book", "input": {"what": "a table"}, "say": ""}, "Done."]},
)


def asked(question: str, at: float = 3500.0) -> dict[str, Any]:
    """The caller has heard the question, and agreed."""
    heard = [*REPORT.heard[:1], Heard(at, at + 1500.0, f"{question} ")]
    said = Turn("2", "Yes, a table.", 6000.0, 7000.0, 7400.0, 400.0)
    told = entries(CallerTurn(2, said.said), AgentSentence(2, 1, "Done."), AnswerComplete(2, "end"))
    return {**report(heard=heard, turns=[REPORT.turns[0], said]), **told}


HALVES = report(
    turns=[Turn("1", "What about", 2000.0, 3000.0), Turn("2", "the island?", 3100.0, 3600.0)]
)

BROKEN = [
    ("ends", {"problem": "nothing is ready"}),
    ("ends", report(failure="the call was longer than 700 s")),
    ("left", {"left": ["process SpeakerActor"]}),
    ("crashes", {"crashes": ["CallActor#3: KeyError(1)"]}),
    ("silence", report(heard=SILENT)),
    ("silence", report(duration_ms=60_000.0)),
    ("connections", {"opened": [(n / 2, "listen", "CA1") for n in range(11)]}),
    ("apart", report(heard=GLUED)),
    ("once", report(heard=TWICE)),
    ("once", report(heard=REPORT.heard[:1])),
    ("once", entries(AgentSentence(1, 2, "Lost."), CallerTurn(2, "x"))),
    ("answered", entries(AnswerComplete(1, "end_turn"))),
    ("answered", {"entries": [(0.0, ENTRIES[0]), (1.0, ENTRIES[1])]}),
    ("histories", {"requests": [dataclasses.replace(request("x"), outcome="refused")]}),
    ("history_heard", {"requests": [request("It opens at nine. And nobody heard that.")]}),
    ("writes", {"written": [WRITE]}),
    ("writes", {"written": [dataclasses.replace(WRITE, said="Yes.")]}),
    ("writes", {"written": [AGREED], "plan": ASKED}),
    ("writes", {"written": [AGREED] * 2, "plan": ASKED, **asked("Shall I book a table?")}),
    ("writes", {"written": [], "plan": ASKED, **asked("Shall I book a table?")}),
    ("intensity", {"restarts": [n / 10 for n in range(12)]}),
    ("costs", {"spent": (5, 7)}),
    ("costs", {"answers": (5, 7)}),
    ("costs", {"charged_s": 8.1}),
    ("put_through", entries(Ended("transfer"))),
    ("put_through", entries(Transferred("sales", "busy"), AgentSentence(2, 1, "It is noon."))),
    ("prompt", report(turns=[dataclasses.replace(REPORT.turns[0], response_ms=3000.0)])),
    (
        "split",
        {**HALVES, **entries(CallerTurn(2, "What about"), CallerTurn(3, "the island?"))},
    ),
]  # fmt: skip


def test_a_call_as_it_should_be_breaks_nothing() -> None:
    heard = dataclasses.replace(GOOD, requests=[request("It opens at nine.")])
    assert broken(heard) == []


def test_words_that_another_answer_has_in_two_sentences_are_said_in_both() -> None:
    apart: list[Entry] = [
        *ENTRIES[:-1],
        CallerTurn(2, "When?"),
        AgentSentence(2, 1, "It opens"),
        AgentSentence(2, 2, "at nine. Really."),
        AnswerComplete(2, "end_turn"),
    ]
    again = Heard(6000.0, 7000.0, "It opens at nine. Really. ")

    def found(said: list[Entry]) -> list[str]:
        told = [(float(number), entry) for number, entry in enumerate(said)]
        heard = dataclasses.replace(REPORT, heard=[*REPORT.heard, again])
        call = dataclasses.replace(GOOD, entries=told, report=heard)
        return [line for line in broken(call) if line.startswith("once: heard")]

    assert found(apart) == []
    assert found(ENTRIES) != []


@pytest.mark.parametrize(("name", "changes"), BROKEN)
def test_what_does_not_hold_is_told_under_its_name(name: str, changes: dict[str, Any]) -> None:
    lines = broken(dataclasses.replace(GOOD, **changes))
    assert any(line.startswith(f"{name}: ") for line in lines), lines


def test_what_a_carrier_does_not_tell_is_held_against_nobody() -> None:
    deaf = Strike(1.0, Fault("line.deaf", at=1.0), "*", "speaking")
    lost = dataclasses.replace(GOOD, **report(heard=REPORT.heard[:1]))
    assert any(line.startswith("once: taken for heard") for line in broken(lost))
    lost = dataclasses.replace(lost, strikes=[deaf])
    assert not any(line.startswith("once: taken for heard") for line in broken(lost))


def test_what_a_voice_leaves_out_of_several_texts_is_held_against_nobody() -> None:
    lost = dataclasses.replace(
        GOOD, **report(heard=REPORT.heard[:1]), requests=[request("It opens at nine.")]
    )
    names = ["once: taken for heard", "history_heard: request 2 has"]
    assert all(any(line.startswith(name) for line in broken(lost)) for name in names)
    for texts in (["It opens at nine."], ["Good day.", "Yes. It opens at nine. Come in."]):
        left = dataclasses.replace(lost, left_out=texts)
        assert not any(line.startswith(tuple(names)) for line in broken(left))
    lost = dataclasses.replace(lost, left_out=["It opens at ten.", "It opens", "at nine."])
    assert all(any(line.startswith(name) for line in broken(lost)) for name in names)


def test_the_words_for_who_waits_may_be_heard_once_a_turn_beside_those_of_the_journal() -> None:
    filler = AGENT.filler
    said = entries(AgentSentence(1, 2, filler), SentenceHeard(1, 2))
    heard = [*REPORT.heard, *(Heard(5000.0 + n, 5001.0 + n, f"{filler} ") for n in (1, 2))]
    told = dataclasses.replace(GOOD, **said, **report(heard=heard))
    assert broken(told) == []
    heard.append(Heard(5500.0, 5600.0, f"{filler} "))
    assert [line.partition(":")[0] for line in broken(told)] == ["once"]


def test_who_could_not_be_heard_for_long_and_leaves_behind_goodbye_was_not_passed_over() -> None:
    unheard: dict[str, Any] = {"entries": [(0.0, ENTRIES[0]), (1.0, ENTRIES[1])]}
    assert any("was lost" in line for line in broken(dataclasses.replace(GOOD, **unheard)))
    for last, told in ((Closing("fault"), False), (Closing("goodbye"), True)):
        leaves = [*unheard["entries"], (2.0, last), (3.0, Ended("hangup"))]
        lines = broken(dataclasses.replace(GOOD, entries=leaves))
        assert any("was lost" in line for line in lines) is told


def test_who_was_told_to_wait_until_the_call_was_over_was_not_passed_over() -> None:
    opened = [(2.5, "listen", "CA1")]
    for reason, told in (("hangup", False), ("duration", False), ("silence", True)):
        over = [(0.0, ENTRIES[0]), (1.0, ENTRIES[1]), (8.0, Ended(reason))]
        lines = broken(dataclasses.replace(GOOD, entries=over, opened=opened))
        assert any("was lost" in line for line in lines) is told
    over = [(0.0, ENTRIES[0]), (1.0, ENTRIES[1]), (8.0, Ended("duration"))]
    assert any("was lost" in line for line in broken(dataclasses.replace(GOOD, entries=over)))


def test_a_socket_that_breaks_off_at_the_pause_between_two_sentences_takes_it_along() -> None:
    for at, door, told in ((4.0, "speak", False), (2.0, "speak", True), (4.0, "listen", True)):
        glued = dataclasses.replace(GOOD, **report(heard=GLUED), opened=[(at, door, "CA1")])
        assert any(line.startswith("apart") for line in broken(glued)) is told


def test_who_speaks_of_their_health_is_greeted_again_where_their_node_is_lost() -> None:
    lost = [Strike(1.0, Fault("node.lost", at=1.0, node="one"), "*", "listening")]
    twice = dataclasses.replace(GOOD, **entries(AnswerComplete(1, "end_turn")))
    for health, strikes, told in ((True, lost, False), (True, [], True), (False, lost, True)):
        plan = Plan(agent={"health_data": health})
        lines = broken(dataclasses.replace(twice, plan=plan, strikes=strikes))
        assert ("answered: turn 1 was answered 2 times" in lines) is told


def test_every_invariant_is_seen_to_say_no() -> None:
    names = {check.__name__.removeprefix("_") for check in INVARIANTS}
    assert names == {name for name, _ in BROKEN}


def test_what_the_caller_has_agreed_to_is_written_once() -> None:
    agreed = {"written": [AGREED], "plan": ASKED, **asked("Shall I book a table?")}
    lines = broken(dataclasses.replace(GOOD, **agreed))
    assert not [line for line in lines if line.startswith("writes")]


def test_what_was_lost_is_not_said_to_be_two_turns() -> None:
    lines = broken(dataclasses.replace(GOOD, **{**HALVES, **entries(CallerTurn(2, "What about"))}))
    assert [line.partition(":")[0] for line in lines] == ["answered"]


def test_what_was_cut_off_does_not_go_on_in_what_is_heard_next() -> None:
    begun = Heard(5500.0, 5600.0, "It opens ", cut=True)
    heard = [*REPORT.heard, begun, Heard(6000.0, 7000.0, "At nine, it opens. ")]
    assert broken(dataclasses.replace(GOOD, **report(heard=heard))) == []
    begun.cut = False
    lines = broken(dataclasses.replace(GOOD, **report(heard=heard)))
    assert [line.partition(":")[0] for line in lines] == ["once"]


def test_words_that_nothing_hears_are_lost_unless_the_caller_left_while_told_to_wait() -> None:
    unheard: list[tuple[float, Entry]]
    unheard = [(at, e) for at, e in GOOD.entries if not isinstance(e, CallerTurn)]
    told = dataclasses.replace(GOOD, entries=unheard, opened=[(2.5, "listen", "CA1")])
    lost = "answered: what the caller said was lost: 'What about the garden?'"
    assert lost not in broken(told)
    never_told = dataclasses.replace(told, **report(heard=REPORT.heard[:1]))
    works = dataclasses.replace(told, opened=[(1.0, "listen", "CA1")])
    heard_later = dataclasses.replace(told, entries=[*unheard, (5.0, CallerSegment("Hello?"))])
    stayed = dataclasses.replace(told, **report(duration_ms=17_000.0))
    pressed = dataclasses.replace(told, entries=[*unheard, (5.0, CallerSegment("1"))])
    assert lost not in broken(pressed)
    for outcome in (never_told, works, heard_later, stayed):
        assert lost in broken(outcome)


def test_words_that_no_recogniser_was_there_for_are_lost_to_nobody_while_the_caller_is_told() -> (
    None
):
    unheard: list[tuple[float, Entry]]
    unheard = [(at, e) for at, e in GOOD.entries if not isinstance(e, CallerTurn)]
    call = dataclasses.replace(GOOD, entries=unheard, opened=[(1.0, "listen", "CA1")])
    doors: dict[str, list[tuple[float, str, str]]] = {
        "gone before": [(1.0, "connected", "listen"), (1.9, "disconnected", "listen")],
        "gone in mid-sentence": [(1.0, "connected", "listen"), (2.5, "disconnected", "listen")],
        "never gone": [(1.0, "connected", "listen")],
        "back": [
            (1.0, "connected", "listen"),
            (1.9, "disconnected", "listen"),
            (3.0, "connected", "listen"),
        ],
        "the voice's": [(1.0, "connected", "speak"), (1.9, "disconnected", "speak")],
    }
    for name, events in doors.items():
        happened = [Happened(at, "door", who, f"door={door}") for at, who, door in events]
        lines = broken(dataclasses.replace(call, happened=happened))
        lost = "answered: what the caller said was lost: 'What about the garden?'" in lines
        assert lost is (name != "gone before"), name


def test_a_call_begins_anew_where_a_node_is_lost_and_no_store_can_be_asked() -> None:
    lost = Fault("node.lost", at=1.0, node="one")
    twice = dataclasses.replace(GOOD, **entries(AnswerComplete(1, "end_turn")))

    def told(*others: Fault, at: float = 1.5, loses: bool = True) -> bool:
        struck = [Strike(at, fault, "*", "listening") for fault in others]
        strikes = [*struck, *([Strike(1.0, lost, "*", "listening")] if loses else [])]
        plan = Plan(faults=[strike.fault for strike in strikes])
        lines = broken(dataclasses.replace(twice, plan=plan, strikes=strikes))
        return any(line.startswith("answered: turn 1") for line in lines)

    disk, redis = Fault("disk.slow", seconds=4.0), Fault("redis.gone", seconds=2.0)
    assert not told(disk) and not told(disk, redis)
    assert told() and told(redis) and told(disk, at=4.0) and told(disk, loses=False)
    assert not told(disk, Fault("redis.empty"), at=0.5), "Redis has lost it"
