"""The steps of a caller."""

import pytest

from aybiza.emulators import textaudio
from aybiza.emulators.phone.script import ScriptError
from aybiza.faults.caller import (
    BYTES_PER_CHAR,
    NOISE,
    breaks_off,
    hangs_up,
    interrupts,
    mumbles,
    presses,
    says,
    script_of,
    stays,
)


def test_each_step_does_what_its_name_says() -> None:
    script = script_of(
        [says("Hello."), interrupts("Wait!"), mumbles(500), presses("4"), breaks_off(), hangs_up()]
    )
    acts = ["speak", "speak", "speak", "press", "drop", "hangup"]
    assert [step.act for step in script.steps] == acts
    whens = ["quiet", "agent_speaking", "elapsed", "quiet", "elapsed", "quiet"]
    assert [step.when for step in script.steps] == whens
    assert script_of([stays()]).steps[0].act == "wait_close"


def test_words_take_the_time_that_people_need_for_them() -> None:
    (step,) = script_of([says("Hello there.")]).steps
    assert step.utterance is not None
    assert len(step.utterance.frames) * 160 >= len("Hello there.") * BYTES_PER_CHAR


def test_a_mumble_is_a_sound_without_words() -> None:
    (step,) = script_of([mumbles(into_ms=300)]).steps
    assert step.text == NOISE and step.utterance is not None
    assert textaudio.TextAudioDecoder().feed(b"".join(step.utterance.frames)) == ""


def test_steps_behind_the_end_of_a_call_are_refused() -> None:
    with pytest.raises(ScriptError, match="hangup ends the call"):
        script_of([hangs_up(), says("Hello?")])
