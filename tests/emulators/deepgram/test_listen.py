"""What is said to audio, in the time of the audio. The recogniser is the scripted one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram.engine import BLOCK_BYTES, ScriptedRecogniser
from aybiza.emulators.deepgram.listen import (
    LONGEST_SEGMENT_MS,
    SEGMENT_MS,
    SILENT_SEGMENT_MS,
    Listening,
    Message,
    Parameters,
)
from aybiza.speech import mulaw

ALL = Parameters(endpointing_ms=300, utterance_end_ms=1000, interim_results=True, vad_events=True)
# 25 characters last 100 ms; a whole number of blocks keeps the sums plain.
TEN = "0123456789"


def listening(parameters: Parameters = ALL) -> Listening:
    return Listening(ScriptedRecogniser(), parameters)


def speech(seconds: float) -> tuple[str, bytes]:
    """A text that lasts so long, and its audio."""
    text = (TEN * (int(seconds * 25) + 1))[: round(seconds * 250)]
    return text, textaudio.encode(text)


def text_of(message: Message) -> str:
    text: str = message["channel"]["alternatives"][0]["transcript"]
    return text


def results(messages: list[Message], **wanted: Any) -> list[Message]:
    """The results with these members."""
    return [
        message
        for message in messages
        if message["type"] == "Results"
        and all(message[name] == value for name, value in wanted.items())
    ]


def of(kind: str, messages: list[Message]) -> list[Message]:
    return [message for message in messages if message["type"] == kind]


async def test_the_onset_is_told_once_with_its_time() -> None:
    _, audio = speech(1.0)
    messages = await listening().audio(mulaw.silence(2.0) + audio + mulaw.silence(0.2) + audio)
    assert of("SpeechStarted", messages) == [
        {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 2.0}
    ]


async def test_interims_come_every_250_ms_and_hold_the_text_so_far() -> None:
    words, audio = speech(2.0)
    messages = await listening().audio(audio)
    interims = results(messages, is_final=False)
    ends = [message["start"] + message["duration"] for message in interims]
    gaps = [round(b - a, 3) for a, b in pairwise(ends)]
    # 250 ms is no whole number of blocks.
    assert gaps == [0.26] * len(gaps)
    assert len(interims) == 7
    for message in interims:
        assert words.startswith(text_of(message))
        assert len(text_of(message)) == round(message["duration"] * 250)
        assert not message["speech_final"]


async def test_a_pause_of_the_endpointing_time_ends_the_speech() -> None:
    words, audio = speech(1.0)
    ears = listening()
    before = await ears.audio(mulaw.silence(0.5) + audio + mulaw.silence(0.28))
    assert results(before, is_final=True) == []
    (final,) = await ears.audio(mulaw.silence(0.02))
    assert text_of(final) == words
    assert (final["is_final"], final["speech_final"], final["from_finalize"]) == (True, True, False)
    assert (final["start"], final["duration"]) == (0.0, 1.8)
    spoken = final["channel"]["alternatives"][0]["words"]
    assert (spoken[0]["start"], spoken[-1]["end"]) == (0.5, 1.5)


async def test_a_shorter_pause_does_not_end_it() -> None:
    words, audio = speech(0.4)
    messages = await listening().audio(audio + mulaw.silence(0.28) + audio + mulaw.silence(0.3))
    assert [text_of(message) for message in results(messages, is_final=True)] == [words + words]


async def test_the_next_utterance_begins_behind_the_last() -> None:
    words, audio = speech(0.4)
    messages = await listening().audio((audio + mulaw.silence(0.6)) * 2)
    first, second = results(messages, is_final=True)
    assert (first["start"], first["duration"]) == (0.0, 0.7)
    assert (second["start"], second["duration"]) == (0.7, 1.0)
    assert text_of(first) == text_of(second) == words
    assert [message["timestamp"] for message in of("SpeechStarted", messages)] == [0.0, 1.0]


async def test_the_end_of_an_utterance_is_told_once_after_its_last_word() -> None:
    _, audio = speech(0.6)
    messages = await listening().audio(audio + mulaw.silence(0.98))
    assert of("UtteranceEnd", messages) == []
    messages = await listening().audio(audio + mulaw.silence(4.0))
    assert of("UtteranceEnd", messages) == [
        {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 0.6}
    ]


async def test_a_noise_is_an_onset_an_empty_final_and_no_utterance() -> None:
    messages = await listening().audio(b"\x00" * 800 + mulaw.silence(3.0))
    assert len(of("SpeechStarted", messages)) == 1
    (final,) = results(messages, is_final=True)
    assert (text_of(final), final["speech_final"]) == ("", True)
    assert of("UtteranceEnd", messages) == []


async def test_silence_has_an_empty_interim_a_second_and_an_empty_final_when_it_is_long() -> None:
    messages = await listening().audio(mulaw.silence(11.0))
    assert {text_of(message) for message in messages} == {""}
    ends = [round(m["start"] + m["duration"], 3) for m in results(messages, is_final=False)]
    assert ends == [1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 11.0]
    finals = results(messages, is_final=True, speech_final=True)
    assert [message["start"] for message in finals] == [0.0, SILENT_SEGMENT_MS / 1000]


async def test_long_speech_is_settled_at_a_pause_between_words() -> None:
    words, audio = speech(SEGMENT_MS / 1000)
    ears = listening()
    # The silence before it does not make it longer.
    messages = await ears.audio(mulaw.silence(4.0) + audio)
    assert results(messages, is_final=True) == []
    (final,) = results(await ears.audio(mulaw.silence(0.02)), is_final=True)
    assert (text_of(final), final["speech_final"]) == (words, False)
    more, rest = speech(0.4)
    (end,) = results(await ears.audio(rest + mulaw.silence(0.3)), is_final=True)
    assert (text_of(end), end["speech_final"]) == (more, True)


async def test_speech_without_any_pause_is_settled_all_the_same() -> None:
    words, audio = speech(2 * LONGEST_SEGMENT_MS / 1000)
    messages = await listening().audio(audio)
    finals = results(messages, is_final=True)
    assert [message["duration"] for message in finals] == [LONGEST_SEGMENT_MS / 1000] * 2
    assert "".join(text_of(message) for message in finals) == words


async def test_finalize_settles_everything_so_far_and_speech_goes_on() -> None:
    words, audio = speech(0.6)
    ears = listening()
    await ears.audio(audio)
    (final,) = await ears.finalize()
    assert (text_of(final), final["is_final"], final["from_finalize"]) == (words, True, True)
    more = await ears.audio(audio + mulaw.silence(0.3))
    assert of("SpeechStarted", more) == []
    (end,) = results(more, is_final=True)
    assert (text_of(end), end["start"], end["from_finalize"]) == (words, 0.6, False)


async def test_finalize_in_silence_is_answered_with_nothing_said() -> None:
    ears = listening()
    await ears.audio(mulaw.silence(0.5))
    (final,) = await ears.finalize()
    assert (text_of(final), final["from_finalize"]) == ("", True)


async def test_what_was_not_asked_for_does_not_come() -> None:
    words, audio = speech(1.0)
    messages = await listening(Parameters(endpointing_ms=300)).audio(audio + mulaw.silence(3.0))
    assert [text_of(message) for message in messages] == [words]


async def test_by_default_any_pause_ends_a_segment() -> None:
    words, audio = speech(0.4)
    messages = await listening(Parameters()).audio(audio + mulaw.silence(0.02) + audio)
    assert [text_of(message) for message in messages] == [words]


async def test_without_endpointing_a_pause_settles_but_does_not_end() -> None:
    words, audio = speech(0.4)
    ears = listening(Parameters(endpointing_ms=None))
    (final,) = await ears.audio(audio + mulaw.silence(1.0))
    assert (text_of(final), final["is_final"], final["speech_final"]) == (words, True, False)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=12),
    st.lists(st.integers(0, 3000), max_size=10),
)
async def test_how_the_audio_is_cut_changes_nothing(
    stretches: list[tuple[bool, int]], cuts: list[int]
) -> None:
    audio = b"".join(
        textaudio.encode("abcde" * blocks) if spoken else mulaw.silence(blocks * 0.02)
        for spoken, blocks in stretches
    )
    whole = await listening().audio(audio)
    ears, pieced, start = listening(), list[Message](), 0
    for cut in cuts:
        pieced += await ears.audio(audio[start : start + cut])
        start = min(start + cut, len(audio))
    pieced += await ears.audio(audio[start:])
    assert pieced == whole
    assert ears.seconds == pytest.approx(len(audio) // BLOCK_BYTES * 0.02)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), min_size=1, max_size=20))
async def test_segments_join_without_a_gap_and_hold_every_word_once(
    stretches: list[tuple[bool, int]],
) -> None:
    said = ""
    audio = b""
    for number, (spoken, blocks) in enumerate(stretches):
        word = chr(ord("a") + number) * 5 * blocks
        said += word if spoken else ""
        audio += textaudio.encode(word) if spoken else mulaw.silence(blocks * 0.02)
    messages = await listening().audio(audio + mulaw.silence(0.4))
    finals = results(messages, is_final=True)
    end = 0.0
    for message in finals:
        assert message["start"] == pytest.approx(end)
        end = message["start"] + message["duration"]
    assert "".join(text_of(message) for message in finals) == said


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ({}, Parameters(10, None, False, False)),
        ({"endpointing": "false"}, Parameters(None)),
        ({"endpointing": "true"}, Parameters(10)),
        ({"endpointing": "0"}, Parameters(0)),
        (
            {
                "endpointing": "300",
                "interim_results": "true",
                "utterance_end_ms": "1000",
                "vad_events": "true",
                "model": "nova-3",
            },
            Parameters(300, 1000, True, True),
        ),
    ],
)
def test_a_query_says_what_is_wanted(query: dict[str, str], parameters: Parameters) -> None:
    assert Parameters.of(query) == parameters


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({"endpointing": "soon"}, "endpointing is a number of milliseconds, not 'soon'"),
        ({"endpointing": "-5"}, "endpointing"),
        ({"endpointing": "1.5"}, "endpointing"),
        ({"endpointing": "٣٠٠"}, "endpointing"),
        ({"endpointing": "9" * 5000}, "endpointing"),
        ({"utterance_end_ms": "1000"}, "needs interim_results=true"),
        ({"utterance_end_ms": "x", "interim_results": "true"}, "utterance_end_ms"),
        ({"interim_results": "True"}, "interim_results is true or false, not 'True'"),
        ({"vad_events": "1"}, "vad_events"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(query: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Parameters.of(query)


class Fed(ScriptedRecogniser):
    """Is fed whatever comes."""

    def passes_over(self, mulaw: bytes) -> bool:
        return False


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 150)), max_size=6),
    st.integers(80, 9000),
    st.sampled_from([ALL, Parameters(), Parameters(interim_results=True)]),
)
async def test_silence_that_is_passed_over_makes_no_difference(
    parts: list[tuple[bool, int]], piece: int, parameters: Parameters
) -> None:
    audio = b"".join(
        textaudio.encode(TEN * (n // 50 + 1)) if speaks else mulaw.silence(n / 50)
        for speaks, n in parts
    )
    fed, passing = Listening(Fed(), parameters), listening(parameters)
    expected = await fed.audio(audio)
    got = [
        message
        for at in range(0, len(audio), piece)
        for message in await passing.audio(audio[at : at + piece])
    ]
    assert got == expected
    assert await passing.end() == await fed.end()
