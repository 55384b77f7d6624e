"""The journal: every entry can be written down and read back."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.journal import (
    AgentSentence,
    Analysed,
    AnswerComplete,
    Answered,
    CallerSegment,
    CallerTurn,
    Closing,
    Condensed,
    Dialled,
    Ended,
    Entry,
    Interrupted,
    Joined,
    LanguageChanged,
    LineMeasured,
    MenuOpened,
    RecordingConsent,
    Reopened,
    Resumed,
    SentenceHeard,
    SentenceUnsaid,
    ToolExchange,
    Transferred,
    Transferring,
    TurnJudged,
    decode,
    encode,
)

NUMBERS = st.integers(0, 10_000)
TEXTS = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
BLOCKS = st.lists(st.dictionaries(TEXTS, JSON, max_size=2), max_size=2)
ENTRIES = st.one_of(
    st.builds(CallerSegment, TEXTS, TEXTS),
    st.builds(CallerTurn, NUMBERS, TEXTS, TEXTS),
    st.builds(LanguageChanged, TEXTS),
    st.builds(MenuOpened, TEXTS),
    st.builds(ToolExchange, NUMBERS, NUMBERS, BLOCKS, BLOCKS),
    st.builds(AgentSentence, NUMBERS, NUMBERS, TEXTS),
    st.builds(SentenceHeard, NUMBERS, NUMBERS, st.booleans()),
    st.builds(AnswerComplete, NUMBERS, TEXTS),
    st.builds(Interrupted, NUMBERS, st.integers(-10, 10_000), st.floats(0, 1)),
    st.builds(Joined, NUMBERS),
    st.builds(Resumed, NUMBERS),
    st.builds(Closing, TEXTS, TEXTS),
    st.builds(Reopened),
    st.builds(Ended, TEXTS),
    st.builds(Transferring, TEXTS),
    st.builds(Transferred, TEXTS, TEXTS),
    st.builds(RecordingConsent, TEXTS),
)


@given(ENTRIES)
def test_an_entry_comes_back_from_json_as_it_was(entry: Entry) -> None:
    assert decode(json.loads(json.dumps(encode(entry)))) == entry


def test_every_kind_of_entry_has_a_name_of_its_own() -> None:
    kinds: dict[type, tuple[Any, ...]] = {
        CallerSegment: ("hello",),
        CallerTurn: (1, "hello"),
        ToolExchange: (1, 0, [], []),
        AgentSentence: (1, 1, "Hello."),
        SentenceHeard: (1, 1),
        SentenceUnsaid: (1, 1),
        AnswerComplete: (1, "end_turn"),
        Interrupted: (1, 1, 0.5),
        Joined: (1,),
        LanguageChanged: ("es",),
        MenuOpened: ("main/bills",),
        Resumed: (1,),
        Condensed: (1, "Caller: hello"),
        Closing: ("goodbye",),
        Reopened: (),
        Ended: ("hangup",),
        Transferring: ("front desk",),
        Transferred: ("front desk", "busy"),
        RecordingConsent: ("agreed",),
        TurnJudged: (1, -40, "booking"),
        Dialled: ("0123abcd",),
        Answered: ("machine", "tone"),
        LineMeasured: ({"seconds": 1.0},),
        Analysed: ({"summary": "hello"},),
    }
    assert set(kinds) == set(get_args(Entry))
    names = {encode(kind(*values))["type"] for kind, values in kinds.items()}
    assert len(names) == len(kinds)


def test_a_written_entry_names_its_type_and_its_fields() -> None:
    assert encode(AgentSentence(2, 1, "Yes.")) == {
        "type": "agent_sentence",
        "turn": 2,
        "seq": 1,
        "text": "Yes.",
    }


def test_what_is_written_does_not_change_with_the_entry_s_blocks() -> None:
    uses: list[dict[str, Any]] = [{"toolUse": {"input": {"day": "Friday"}}}]
    written = encode(ToolExchange(1, 0, uses, []))
    uses[0]["toolUse"]["input"]["day"] = "Monday"
    assert written["uses"] == [{"toolUse": {"input": {"day": "Friday"}}}]


TOOLS = {"type": "tool_exchange", "turn": 1, "after_seq": 0, "uses": [], "results": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "of_a_newer_version", "turn": 1},
        {"type": "caller_turn", "turn": 1},
        {"type": "resumed", "number": 1},
    ],
)
def test_what_this_version_does_not_know_is_passed_over(body: dict[str, Any]) -> None:
    assert decode(body) is None


def test_fields_of_a_newer_version_are_passed_over() -> None:
    assert decode({"type": "resumed", "turn": 3, "why": "noise"}) == Resumed(3)


TOOLS = {"type": "tool_exchange", "turn": 1, "after_seq": 0, "uses": [], "results": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": {}},
        {"type": "caller_turn", "turn": "1", "text": "Hello."},
        {"type": "caller_turn", "turn": 2**70, "text": "Hello."},
        {"type": "caller_turn", "turn": True, "text": "Hello."},
        {"type": "caller_turn", "turn": 1, "text": None},
        {"type": "interrupted", "turn": 1, "seq": 1, "fraction": float("nan")},
        {"type": "sentence_heard", "turn": 1, "seq": 1, "marked": "no"},
        {"type": "tool_exchange", "turn": 1, "after_seq": 0, "uses": ["x"], "results": []},
        {"type": "tool_exchange", "turn": 1, "after_seq": 0, "uses": [], "results": ["x"]},
        TOOLS | {"uses": [{"toolUse": 5}]},
    ],
)
def test_values_that_no_entry_has_are_passed_over(body: dict[str, Any]) -> None:
    assert decode(body) is None
