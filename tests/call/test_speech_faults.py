"""What a recogniser and a voice do wrong while they work: each call is the call it would have been,
and one without any speech ends in words."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.call import kept_phrases, speaker_actor
from aybiza.emulators.deepgram.faults import Fault
from aybiza.emulators.textaudio import encode
from aybiza.faults.desk import AGENT, Answers
from aybiza.faults.testing import Caller, Node, hangs_up, says, stays
from aybiza.speech.reconnect import Limits
from tests.call.quick import GREETING, PACE, heard

ASK = "Tell me a story, please."
FIRST, POISON, LAST = "There was a lighthouse.", "The glyph xyzzy was on it.", "It shone far out."
STORY = f"{FIRST} {POISON} {LAST}"
ANSWERS: Answers = {ASK: [STORY]}

# What goes wrong, by what it goes wrong with.
HEARD: dict[str, Fault] = {
    "words stay interim": Fault("listen", "no_final"),
    "finals are late": Fault("listen", "late_final", seconds=0.5),
    "finals come twice": Fault("listen", "double_final", times=None),
    "the end of an utterance is missing": Fault("listen", "no_utterance_end", times=None),
    "the last word's end is not known": Fault("listen", "unknown_word_end", times=None),
    "the same interim again": Fault("listen", "repeat_interim", seconds=0.3, times=None),
}
SPOKEN: dict[str, Fault] = {
    "a flush is slow": Fault("speak", "slow", seconds=0.8, text=POISON),
    "a flush is never answered": Fault("speak", "never_say", text=POISON),
    "a flush is spoken and not told": Fault("speak", "no_flushed", text=POISON),
    "a flush is told twice": Fault("speak", "double_flushed", times=None),
    "a text is refused once": Fault("speak", "refuse_text", text="xyzzy"),
}
POISONED: dict[str, Fault] = {
    "a text is refused": Fault("speak", "refuse_text", text="xyzzy", times=None),
    "a text is never said": Fault("speak", "never_say", text="xyzzy", times=None),
}


@pytest.fixture
def aybiza_answers() -> Answers:
    return ANSWERS


@pytest.fixture
def aybiza_world() -> dict[str, Any]:
    return {**PACE, "thinks_ms": 50, "delta_ms": 20, "voice_speed": 4}


@pytest.mark.parametrize("name", [*HEARD, *SPOKEN, *POISONED])
def test_speech_that_goes_wrong_is_the_same_call(
    node: Node, call: Caller, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two tries of a text that is never said have to fit into what a caller may wait for words.
    monkeypatch.setattr(speaker_actor, "LIMITS", Limits(stall=1.0))
    deepgram = node.world.deepgram
    deepgram.faults.add((HEARD | SPOKEN | POISONED)[name])
    placed = call(says(ASK, when=r"today\?\s*$"), hangs_up(when=r"far out\."))
    assert placed.report.ok, placed.report.failure
    story = f"{FIRST} {LAST}" if name in POISONED else STORY
    assert heard(placed) == f"{GREETING} {story}"
    assert [line for line in placed.told() if line[0] == "user"] == [("user", ASK)]
    if name in POISONED:
        spoken = deepgram.service.journal.entries("speak")
        assert len([entry for entry in spoken if "xyzzy" in entry["text"]]) == 2


def test_without_any_speech_the_caller_hears_words_and_goodbye_and_is_let_go(
    node: Node, call: Caller
) -> None:
    deepgram = node.world.deepgram
    for door in ("listen", "speak"):
        deepgram.faults.add(Fault(door, "refuse", 503, times=None))
    phrases = kept_phrases.table(node.vm)
    for phrase in (AGENT.greeting, AGENT.filler, AGENT.closing):
        phrases.keep(AGENT.voice, phrase, encode(f"{phrase} "))
    placed = call(stays())
    words = heard(placed)
    assert words.startswith(f"{GREETING} {AGENT.filler}")
    assert words.endswith(AGENT.closing)
    assert placed.report.duration_ms < 35_000
    reasons = [stream.close_reason for stream in placed.report.streams]
    assert reasons == ["fault"] * 2, "once more behind the carrier's words, and no more"
    for door in ("listen", "speak"):
        opened = [at for at, which, _ in deepgram.opened if which == door]
        assert all(later - at > 10.0 for at, later in zip(opened, opened[5:], strict=False))
