"""The caller against a simulated agent: frames, keys, marks, turns, in made-up time."""

import base64
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators import textaudio
from aybiza.emulators.phone.audio import FRAME_BYTES, FRAME_MS, SILENCE
from aybiza.emulators.phone.caller import SILENT_PAYLOAD, Caller, Tick
from aybiza.emulators.phone.messages import Audio, Clear, MarkSet
from aybiza.emulators.phone.player import FINISHED, Failure
from aybiza.emulators.phone.report import Progress, Report
from aybiza.emulators.phone.script import parse


class Call:
    """A caller, and a clock that goes in frames. `at` says what the agent does, and when."""

    def __init__(self, text: str, record: bool = False) -> None:
        self.report = Report("test", "CA1")
        self.progress: list[Progress] = []
        script = parse(tomllib.loads(text), Path("call.toml"), "text")
        self.caller = Caller(script, self.report, self.progress.append, record)
        self.ticks: list[Tick] = []
        self.marks: list[tuple[float, str]] = []
        self.plans: dict[int, Callable[[], object]] = {}

    def agent_says(self, at_ms: int, text: str) -> None:
        """The words come at once, as text audio, with a mark behind them."""
        self.plans[at_ms] = lambda: self.send(at_ms, text)

    def agent_clears(self, at_ms: int) -> None:
        self.plans[at_ms] = lambda: self.note(at_ms, self.caller.receive(at_ms, Clear()))

    def send(self, at_ms: int, text: str) -> None:
        self.caller.receive(at_ms, Audio(textaudio.encode(text)))
        self.note(at_ms, self.caller.receive(at_ms, MarkSet(text)))

    def note(self, at_ms: float, names: list[str]) -> None:
        self.marks += [(at_ms, name) for name in names]

    def run(self, until_ms: int = 60_000) -> Self:
        for now_ms in range(0, until_ms, FRAME_MS):
            if now_ms in self.plans:
                self.plans[now_ms]()
            tick = self.caller.tick(now_ms)
            self.ticks.append(tick)
            self.note(now_ms, tick.marks)
            if self.caller.outcome is not None:
                break
        return self

    def sent(self) -> bytes:
        return b"".join(base64.b64decode(tick.payload) for tick in self.ticks)


def steps(*tables: str) -> str:
    return "".join(f"[[steps]]\n{table}\n" for table in tables)


def spoken_ms(text: str) -> int:
    """How long text audio takes to play."""
    return len(textaudio.encode(text)) * FRAME_MS // FRAME_BYTES


class TestSpeaking:
    def test_is_silent_until_it_is_time_and_then_says_exactly_the_words(self) -> None:
        call = Call(steps('text = "Hello there."\nafter_ms = 100')).run()
        sent = call.sent()
        assert [tick.payload for tick in call.ticks[:5]] == [SILENT_PAYLOAD] * 5
        assert sent[5 * FRAME_BYTES :].startswith(textaudio.encode("Hello there."))
        decoded = textaudio.TextAudioDecoder().feed(sent + SILENCE * 20)
        assert decoded.strip() == "Hello there."
        assert call.caller.outcome is FINISHED

    def test_keys_are_pressed_one_by_one_on_a_silent_line(self) -> None:
        call = Call(steps('dtmf = "12#"\nafter_ms = 0', "after_ms = 500")).run()
        keys = [(n, tick.key) for n, tick in enumerate(call.ticks) if tick.key]
        assert keys == [(0, "1"), (8, "2"), (16, "#")]
        assert call.sent().strip(b"\xff") == b""
        assert call.report.turns[0].said == "keys 12#"

    def test_a_hang_up_comes_with_or_without_stop(self) -> None:
        for how, end in [("true", "stop"), ('"without_stop"', "close")]:
            call = Call(steps(f"hangup = {how}\nafter_ms = 0")).run()
            assert (call.ticks[-1].end, call.caller.outcome) == (end, FINISHED)

    def test_a_dropped_stream_is_not_the_end(self) -> None:
        call = Call(steps("drop = true\nafter_ms = 0", "hangup = true\nafter_ms = 100")).run()
        assert [tick.end for tick in call.ticks if tick.end] == ["drop", "stop"]

    def test_a_call_over_its_limit_fails_and_hangs_up(self) -> None:
        call = Call("limit_s = 1\n" + steps("wait_close = true")).run()
        assert call.ticks[-1].end == "stop"
        assert call.caller.outcome == Failure("the call was longer than 1 s")


class TestConversation:
    SCRIPT = steps(
        'label = "ask"\ntext = "Which day?"\nexpect = "help"',
        'label = "bye"\nhangup = true\nexpect = "Tuesday"',
    )

    def test_speaks_when_the_agent_is_quiet_and_measures_the_answer(self) -> None:
        call = Call(self.SCRIPT)
        call.agent_says(200, "How can I help?")
        call.agent_says(3000, "On Tuesday.")
        call.run()
        assert call.caller.outcome is FINISHED
        turn = call.report.turns[0]
        quiet_from = 200 + spoken_ms("How can I help?")
        assert quiet_from + 700 <= turn.start_ms <= quiet_from + 700 + 2 * FRAME_MS
        assert turn.end_ms is not None and turn.response_ms == 3000 - turn.end_ms
        assert turn.heard == "On Tuesday."
        assert call.report.greeting_ms == 200

    def test_what_was_heard_before_the_callers_words_does_not_count_as_the_answer(self) -> None:
        call = Call(self.SCRIPT)
        call.agent_says(200, "How can I help? Not on Tuesday.")
        call.run()
        assert isinstance(call.caller.outcome, Failure)
        assert "step 2 (bye)" in call.caller.outcome.reason

    def test_marks_come_back_when_the_words_before_them_were_heard(self) -> None:
        call = Call(self.SCRIPT)
        call.agent_says(200, "How can I help?")
        call.agent_says(3000, "On Tuesday.")
        call.run()
        assert [name for _, name in call.marks] == ["How can I help?", "On Tuesday."]
        for (at_ms, name), sent_ms in zip(call.marks, (200, 3000), strict=True):
            assert 0 <= at_ms - (sent_ms + spoken_ms(name)) <= FRAME_MS
        assert (call.report.marks_set, call.report.marks_returned) == (2, 2)

    def test_progress_tells_the_conversation_in_order(self) -> None:
        call = Call(self.SCRIPT)
        call.agent_says(200, "How can I help?")
        call.agent_says(3000, "On Tuesday.")
        call.run()
        told = [(progress.kind, progress.text.split(" after ")[0]) for progress in call.progress]
        assert told == [
            ("agent", "begins to speak"),
            ("agent", "How can I help?"),
            ("caller", "Which day?"),
            ("agent", "begins to answer"),
            ("agent", "On Tuesday."),
        ]
        times = [progress.at_ms for progress in call.progress]
        assert times == sorted(times)


class TestBargeIn:
    LONG = "We are open from eight in the morning until six in the evening on all weekdays."
    SCRIPT = steps(
        'text = "Stop."\nwhen_agent_speaking_ms = 100',
        'hangup = true\nexpect = "Sorry"',
    )

    def test_the_caller_hears_nothing_after_the_clear_and_the_mark_comes_back(self) -> None:
        call = Call(self.SCRIPT)
        call.agent_says(0, self.LONG)
        call.agent_clears(200)
        call.agent_says(1000, "Sorry?")
        call.run()
        first, second = call.report.heard
        assert first.cut and self.LONG.startswith(first.text) and 0 < len(first.text) < 60
        assert second.text == "Sorry?"
        assert (200, self.LONG) in call.marks

    def test_the_time_from_the_first_word_to_the_clear_is_measured(self) -> None:
        call = Call(self.SCRIPT)
        call.agent_says(0, self.LONG)
        call.agent_clears(200)
        call.agent_says(1000, "Sorry?")
        call.run()
        turn = call.report.turns[0]
        assert turn.barge_in
        assert turn.clear_after_ms == 200 - turn.start_ms
        assert turn.first_audio_ms == 1000
        assert call.caller.outcome is FINISHED

    def test_words_that_came_before_a_late_clear_are_not_taken_for_the_answer(self) -> None:
        call = Call(self.SCRIPT.replace('expect = "Sorry"', 'label = "end"'))
        call.agent_says(0, self.LONG)
        call.agent_clears(280)
        call.agent_says(3000, "Sorry?")
        call.run()
        turn = call.report.turns[0]
        assert turn.end_ms is not None and turn.end_ms < 280
        assert call.report.duration_ms >= 3000 + 700

    @pytest.mark.parametrize("clear_ms", [200, 202, 205])
    def test_the_words_after_a_clear_in_the_middle_of_a_letter_are_heard_whole(
        self, clear_ms: int
    ) -> None:
        call = Call(self.SCRIPT)
        call.agent_says(0, self.LONG)
        call.plans[200] = lambda: call.caller.receive(clear_ms, Clear())
        call.plans[220] = lambda: call.send(220, "Sorry?")
        call.run()
        assert call.report.heard[-1].text == "Sorry?"

    @pytest.mark.parametrize("quiet_ms", [100, 700])
    def test_speaking_after_the_agents_last_word_is_no_barge_in(self, quiet_ms: int) -> None:
        call = Call(steps(f'text = "Hi."\nafter_quiet_ms = {quiet_ms}'))
        call.agent_says(0, "Hello.")
        assert not call.run().report.turns[0].barge_in

    def test_silence_that_still_waits_to_be_played_is_no_voice(self) -> None:
        call = Call(steps('text = "Hi."'))
        call.agent_says(0, "Hello.")
        call.plans[20] = lambda: call.caller.receive(20, Audio(SILENCE * 200))
        turn = call.run().report.turns[0]
        assert not turn.barge_in and turn.start_ms < 2000


class TestRecording:
    def test_both_tracks_are_on_one_timeline(self) -> None:
        call = Call(steps('text = "Hi."', "after_ms = 500"), record=True)
        call.agent_says(200, "Hello.")
        call.run()
        said, heard = call.caller.tracks()
        assert np.flatnonzero(heard)[0] == 200 * 8
        assert np.flatnonzero(said)[0] == call.report.turns[0].start_ms * 8

    def test_nothing_is_kept_unless_asked_for(self) -> None:
        call = Call(steps('text = "Hi."'))
        call.agent_says(200, "Hello.")
        call.run()
        assert [len(track) for track in call.caller.tracks()] == [0, 0]


class TestStreamGone:
    def test_what_waited_to_be_played_is_never_heard(self) -> None:
        call = Call(steps("after_ms = 3000"))
        call.agent_says(0, "We are open every day.")
        call.plans[40] = lambda: call.caller.stream_gone(40)
        call.run()
        assert len(call.report.heard_text) < 15
        assert call.marks == []

    @pytest.mark.parametrize("clean", [True, False])
    def test_an_end_by_the_agent_is_judged_by_the_script(self, clean: bool) -> None:
        call = Call(steps("wait_close = true"))
        call.caller.call_ended("the agent closed", clean)
        assert (call.caller.outcome is FINISHED) == clean


class Idler(Call):
    """Ticks only where something may be due."""

    def run(self, until_ms: int = 60_000) -> Self:
        idle_until = 0.0
        for now_ms in range(0, until_ms, FRAME_MS):
            if now_ms in self.plans:
                self.plans[now_ms]()
                idle_until = self.caller.idle_until_ms(now_ms)
            if now_ms < idle_until:
                self.caller.pass_over(1)
                continue
            tick = self.caller.tick(now_ms)
            self.ticks.append(tick)
            self.note(now_ms, tick.marks)
            if self.caller.outcome is not None:
                break
            idle_until = self.caller.idle_until_ms(now_ms)
        return self


CONDITIONS = st.sampled_from(
    [
        "after_quiet_ms = 300",
        "after_quiet_ms = 1500",
        "after_ms = 240",
        "after_ms = 2000",
        "when_agent_speaking_ms = 400",
        'after_ms = 100\nexpect = "b"',
        'when_agent_speaking_ms = 100\nexpect = "b"',
        "",
    ]
)
ACTS = st.sampled_from(['text = "Yes."', 'dtmf = "12"', "drop = true", ""])
LAST = st.sampled_from(["hangup = true", "wait_close = true", ""])
AGENT = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["a", "ab and c", "clear"])), max_size=12
)


@given(st.lists(st.tuples(ACTS, CONDITIONS), max_size=4), LAST, AGENT)
def test_who_idles_until_something_is_due_misses_nothing(
    script: list[tuple[str, str]], last: str, agent: list[tuple[int, str]]
) -> None:
    told = [f"{act}\n{when}" for act, when in script] + [last]
    text = "limit_s = 20\n" + steps(*(f"timeout_s = 4\n{step}" for step in told))
    calls = [Call(text, record=True), Idler(text, record=True)]
    for call in calls:
        for frame, words in agent:
            at_ms = frame * FRAME_MS
            if words == "clear":
                call.agent_clears(at_ms)
            else:
                call.agent_says(at_ms, words)
        call.run()
    always, idle = calls
    assert idle.marks == always.marks
    assert idle.caller.outcome == always.caller.outcome
    assert [t for t in idle.ticks if t.key or t.end] == [t for t in always.ticks if t.key or t.end]
    assert (idle.report.turns, idle.report.duration_ms) == (
        always.report.turns,
        always.report.duration_ms,
    )
    assert idle.report.heard_text == always.report.heard_text
    for one, other in zip(idle.caller.tracks(), always.caller.tracks(), strict=True):
        assert np.array_equal(one, other)
