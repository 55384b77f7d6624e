"""The script player: when a step is done, and what is said when it cannot be."""

import tomllib
from pathlib import Path

import pytest

from aybiza.emulators.phone.audio import FRAME_BYTES, SILENCE_CODES
from aybiza.emulators.phone.line import Ear
from aybiza.emulators.phone.player import FINISHED, Failure, ScriptPlayer
from aybiza.emulators.phone.script import Step, parse

LOUD = b"\x10" * FRAME_BYTES


def player(*tables: str) -> ScriptPlayer:
    text = "".join(f"[[steps]]\n{table}\n" for table in tables)
    return ScriptPlayer(parse(tomllib.loads(text), Path("call.toml")))


def heard(until_ms: float, frames: int = 5, text: str = "") -> Ear:
    """An ear that heard so many frames, the last of which ended at `until_ms`."""
    ear = Ear(SILENCE_CODES)
    ear.listen(int(until_ms * 8) - frames * FRAME_BYTES, LOUD * frames)
    ear.read(text)
    return ear


def label(decision: object) -> str:
    assert isinstance(decision, Step), decision
    return decision.label


def reason(decision: object) -> str:
    assert isinstance(decision, Failure), decision
    return decision.reason


class TestQuiet:
    def test_waits_for_the_agent_to_speak_and_then_to_be_quiet(self) -> None:
        caller = player('label = "hi"\ntext = "Hi."')
        assert caller.decide(5000, Ear()) is None
        assert caller.decide(5699, heard(5000)) is None
        assert label(caller.decide(5700, heard(5000))) == "hi"

    def test_says_what_was_missing_when_the_time_is_up(self) -> None:
        for ear, words in [(Ear(), "had not spoken"), (heard(19_900), "quiet for 700 ms")]:
            caller = player('label = "hi"\ntext = "Hi."')
            assert caller.decide(19_999, ear) is None
            failure = reason(caller.decide(20_000, ear))
            assert failure.startswith("step 1 (hi): after 20 s") and words in failure


class TestElapsed:
    def test_counts_from_when_the_step_before_was_carried_out(self) -> None:
        caller = player('text = "a"\nafter_ms = 0', 'label = "b"\ntext = "b"\nafter_ms = 300')
        caller.decide(0, Ear())
        caller.done(1000)
        assert caller.decide(1299, Ear()) is None
        assert label(caller.decide(1300, Ear())) == "b"

    def test_counts_from_a_step_that_only_listened(self) -> None:
        caller = player('label = "greeting"', 'label = "b"\ntext = "b"\nafter_ms = 300')
        assert label(caller.decide(5000, heard(1000))) == "greeting"
        assert caller.decide(5299, Ear()) is None
        assert label(caller.decide(5300, Ear())) == "b"

    def test_with_expect_audio_it_also_needs_the_agent(self) -> None:
        caller = player('text = "a"\nafter_ms = 100\nexpect_audio = true')
        assert caller.decide(500, Ear()) is None
        assert isinstance(caller.decide(500, heard(400)), Step)


class TestAgentSpeaking:
    def test_barges_in_after_so_much_speech_not_so_much_time(self) -> None:
        caller = player('label = "stop"\ntext = "Stop."\nwhen_agent_speaking_ms = 100')
        assert caller.decide(9000, heard(8000, frames=4)) is None
        assert label(caller.decide(9000, heard(9000, frames=5))) == "stop"


class TestExpect:
    def test_waits_until_the_words_were_heard(self) -> None:
        caller = player('text = "a"\nexpect = "which day"')
        assert caller.decide(5000, heard(1000, text="One moment.")) is None
        assert isinstance(caller.decide(5000, heard(1000, text="So which day?")), Step)

    def test_a_failure_quotes_what_was_heard_and_what_was_expected(self) -> None:
        caller = player('text = "a"\nexpect = "which day"\ntimeout_s = 4')
        failure = reason(caller.decide(4000, heard(1000, text="Goodbye.")))
        assert "'Goodbye.'" in failure and "'which day'" in failure


class TestEnd:
    def test_after_the_last_step_it_is_finished(self) -> None:
        caller = player('text = "a"\nafter_ms = 0')
        caller.decide(0, Ear())
        assert caller.decide(20, Ear()) is FINISHED

    def test_waiting_for_the_end_is_never_done_by_itself_and_times_out(self) -> None:
        caller = player("wait_close = true\ntimeout_s = 2")
        assert caller.decide(1999, heard(100)) is None
        assert "the call had not ended" in reason(caller.decide(2000, heard(100)))

    @pytest.mark.parametrize("step", ["wait_close = true", "hangup = true\nafter_ms = 0"])
    def test_at_the_last_step_the_agent_may_hang_up_first(self, step: str) -> None:
        assert player(step).call_ended(Ear(), "the agent hung up", clean=True) is FINISHED

    @pytest.mark.parametrize("step", ["wait_close = true", "hangup = true\nafter_ms = 0"])
    def test_an_end_that_nobody_wanted_is_a_failure_even_there(self, step: str) -> None:
        failure = player(step).call_ended(Ear(), "the agent closed with 1011", clean=False)
        assert reason(failure) == "step 1: not reached, the agent closed with 1011"

    def test_the_agents_end_without_the_expected_words_is_a_failure(self) -> None:
        for step in ("wait_close = true", "hangup = true"):
            caller = player(f'{step}\nexpect = "bye"')
            failure = caller.call_ended(heard(400, text="Hm."), "the agent hung up", clean=True)
            assert "'Hm.' was heard, which does not match 'bye'" in reason(failure)

    def test_an_end_in_the_middle_names_the_step_not_reached_and_how_it_ended(self) -> None:
        caller = player('label = "ask"\ntext = "a"', "hangup = true")
        failure = reason(caller.call_ended(Ear(), "the agent hung up", clean=True))
        assert failure == "step 1 (ask): not reached, the agent hung up"

    def test_an_end_after_the_last_step_is_no_failure(self) -> None:
        caller = player('text = "a"\nafter_ms = 0')
        caller.decide(0, Ear())
        assert caller.call_ended(Ear(), "the stream broke", clean=False) is FINISHED
