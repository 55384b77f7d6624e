"""What a recogniser and a voice do wrong while they work: each call is the call it would have been,
and one without any speech ends in words."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aybiza.actors.call import kept_phrases, speaker_actor, transcriber_actor
from aybiza.emulators.deepgram.faults import Fault
from aybiza.emulators.textaudio import encode
from aybiza.speech.reconnect import Limits
from tests.call.kit import AGENT, GREETING, Answers, side_by_side, world
from tests.call.steps import hang_up, stay, text

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


@pytest.mark.parametrize("table", [HEARD, SPOKEN, POISONED], ids=["heard", "spoken", "poisoned"])
async def test_speech_that_goes_wrong_is_the_same_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: dict[str, Fault]
) -> None:
    monkeypatch.setattr(speaker_actor, "LIMITS", Limits(stall=1.0))
    story = f"{FIRST} {LAST}" if table is POISONED else STORY

    async def call(name: str) -> None:
        async with world(tmp_path / name, answers=ANSWERS, voice_speed=4) as place:
            place.deepgram.faults.add(table[name])
            steps = text(ASK, after=r"today\?\s*$"), hang_up(r"far out\.")
            async with place.call(*steps, direct=True) as call:
                report = await call.over()
            assert report.ok, call.summary()
            assert call.heard.split() == f"{GREETING} {story}".split(), call.summary()
            assert [line for line in call.told() if line[0] == "user"] == [("user", ASK)]
            if table is POISONED:
                tried = [e for e in place.deepgram.journal.entries("speak") if "xyzzy" in e["text"]]
                assert len(tried) == 2

    await side_by_side(call, table)


async def test_without_any_speech_the_caller_hears_words_and_goodbye_and_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a fifth of the time."""
    limits = Limits(stall=0.6, words=0.7, end=2.6)
    monkeypatch.setattr(speaker_actor, "LIMITS", limits)
    monkeypatch.setattr(transcriber_actor, "LIMITS", limits)
    async with world(tmp_path, answers=ANSWERS) as place:
        for door in ("listen", "speak"):
            place.deepgram.faults.add(Fault(door, "refuse", 503, times=None))
        phrases = kept_phrases.table(place.vm)
        for phrase in (AGENT.greeting, AGENT.filler, AGENT.closing):
            phrases.keep(AGENT.voice, phrase, encode(f"{phrase} "))
        began = time.monotonic()
        async with place.call(stay()) as call:
            report = await call.over()
        assert time.monotonic() - began < 6.0
        words = f"{GREETING} {AGENT.filler} {AGENT.closing}"
        assert call.heard.split() == words.split(), call.summary()
        assert [stream.close_reason for stream in report.streams] == ["fault"]
        # Twice five sockets in this time.
        assert len(place.deepgram.journal.entries("refused")) <= 10
