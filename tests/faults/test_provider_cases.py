"""Faults of providers that people have met: each is a plan, and the caller hears what is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aybiza.faults.fault import Fault
from aybiza.faults.plan import Plan
from aybiza.faults.trial import Outcome, tried

ASK = "What is it like?"
FOUR = ["One is here.", "Two is here.", "Three is here.", "Four is here."]
WHOLE = " ".join(FOUR)
GREETING = "Welcome to the front desk, how can I help you today?"
TOOL = [{"tool": "look_up", "input": {"what": "it"}, "say": "Let me see."}, "I have found it."]


def call(*faults: Fault, answer: list[Any] | None = None, **more: Any) -> Outcome:
    """A caller who asks one thing, and hangs up behind the answer."""
    steps: list[Mapping[str, Any]] = [{"say": ASK}, {"hang_up": True, "quiet_ms": 4000}]
    given = {ASK: answer or [WHOLE]}
    plan = Plan(steps=steps, faults=[one.checked() for one in faults], answers=given, **more)
    outcome = tried(plan)
    assert outcome.broken == []
    assert outcome.strikes or not faults
    return outcome


def said(outcome: Outcome) -> str:
    """All that was heard behind the greeting."""
    return " ".join(outcome.heard.split()).removeprefix(GREETING).strip()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("stream_exception", "throttlingException"),
        ("stream_exception", "validationException"),
        ("stream_exception", "modelStreamErrorException"),
        ("stream_error", "InternalFailure"),
        ("silent_end", None),
        ("bad_crc", None),
        ("rst", None),
        ("fin", None),
    ],
)
@pytest.mark.parametrize("into", [0, 3])
def test_a_stream_that_breaks_anywhere_costs_no_sentence(
    kind: str, code: str | None, into: int
) -> None:
    broken = Fault(f"bedrock.{kind}", at=0.0, code=code, into=into)
    assert said(call(broken)) == WHOLE


def test_a_model_that_is_slow_each_time_is_heard() -> None:
    slow = Fault("bedrock.slow_header", at=0.0, seconds=8.0, times=0)
    steps: list[Mapping[str, Any]] = [{"say": ASK}, {"hang_up": True, "after_ms": 24_000}]
    outcome = tried(Plan(steps=steps, faults=[slow.checked()], answers={ASK: [WHOLE]}))
    assert outcome.broken == [] and said(outcome).endswith(WHOLE)


POISON = [
    "The first part is fine.",
    "The glyph xyzzy cannot be said.",
    "The last part is fine too.",
]


@pytest.mark.parametrize("kind", ["refuse_text", "never_say"])
@pytest.mark.parametrize("phrases", [False, True])
def test_a_sentence_that_no_voice_says_costs_no_other(kind: str, phrases: bool) -> None:
    faults = Fault(f"speak.{kind}", at=0.0, text="xyzzy", times=0)
    outcome = call(faults, answer=[" ".join(POISON)], phrases=phrases)
    heard = said(outcome)
    assert POISON[0] in heard and POISON[2] in heard and "xyzzy" not in heard


def test_a_voice_that_falls_silent_once_is_replaced_and_nothing_is_lost() -> None:
    outcome = call(Fault("speak.stall", after="AgentSentence(turn=1)"), phrases=True)
    assert all(said(outcome).count(text) == 1 for text in FOUR)


@pytest.mark.parametrize("door", ["listen", "speak"])
@pytest.mark.parametrize("phrases", [False, True])
def test_a_door_that_takes_each_connection_and_closes_it_ends_in_words(
    door: str, phrases: bool
) -> None:
    outcome = call(Fault(f"{door}.close", at=0.0, code=1011, times=0), phrases=phrases)
    assert "Thank you for calling. Goodbye." in outcome.heard


@pytest.mark.parametrize(
    ("kind", "runs"),
    [("empty_tool_input", True), ("garbage_tool_json", False), ("cut_tool", False)],
)
def test_a_tool_runs_with_a_whole_input_or_not_at_all(kind: str, runs: bool) -> None:
    outcome = call(Fault(f"bedrock.{kind}", at=0.0), answer=TOOL)
    assert said(outcome).endswith("I have found it.")
    results = [
        block["toolResult"]["status"]
        for record in outcome.requests
        for message in (record.body or {}).get("messages", [])
        for block in message["content"]
        if "toolResult" in block
    ]
    assert results[:1] == (["success"] if runs or kind == "cut_tool" else ["error"])


@pytest.mark.parametrize(
    "fault",
    [
        Fault("listen.no_final", at=0.0, times=0),
        Fault("listen.stale_utterance_end", at=0.0, times=0),
        Fault("listen.unknown_word_end", at=0.0, times=0),
        Fault("listen.double_final", at=0.0, times=0),
        Fault("listen.low_confidence", at=0.0, times=0, value=0.2),
        Fault("listen.repeat_interim", at=0.0, times=0),
        Fault("speak.double_flushed", at=0.0, times=0),
        Fault("speak.no_cleared", at=0.0, times=0),
    ],
    ids=lambda fault: str(fault.what),
)
def test_what_a_recogniser_or_a_voice_does_oddly_is_not_heard(fault: Fault) -> None:
    assert said(call(fault)) == WHOLE
