"""The line: playback in real time, marks, clear; the ear; the pacer's timetable."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone.audio import FRAME_MS, SILENCE, SILENCE_CODES
from aybiza.emulators.phone.line import SAMPLES_PER_MS, Ear, Pacer, PlaybackBuffer

LOUD = b"\x10"


def ms(audio_ms: int, letter: bytes = LOUD) -> bytes:
    """So many milliseconds of audio."""
    return letter * (audio_ms * SAMPLES_PER_MS)


class TestPlaybackBuffer:
    def test_audio_plays_in_real_time_from_when_it_came(self) -> None:
        buffer = PlaybackBuffer()
        buffer.write(1000, ms(100))
        assert buffer.advance(1030).segments == [(8000, ms(30))]
        assert buffer.advance(1200).segments == [(8240, ms(70))]
        assert buffer.unplayed_bytes == 0

    def test_audio_that_comes_early_plays_behind_what_is_there(self) -> None:
        buffer = PlaybackBuffer()
        buffer.write(0, ms(50, b"\x01"))
        buffer.write(10, ms(50, b"\x02"))
        assert buffer.advance(200).segments == [
            (0, ms(10, b"\x01")),
            (80, ms(40, b"\x01")),
            (400, ms(50, b"\x02")),
        ]

    def test_audio_that_comes_late_leaves_a_hole(self) -> None:
        buffer = PlaybackBuffer()
        buffer.write(0, ms(20))
        buffer.write(60, ms(20))
        assert buffer.advance(100).segments == [(0, ms(20)), (480, ms(20))]

    def test_a_mark_returns_when_the_audio_before_it_was_played_not_sooner(self) -> None:
        buffer = PlaybackBuffer()
        buffer.write(0, ms(100))
        buffer.mark(0, "a")
        buffer.write(0, ms(100))
        buffer.mark(0, "b")
        assert buffer.advance(99).marks == []
        assert buffer.advance(100).marks == ["a"]
        assert buffer.advance(199).marks == []
        assert buffer.advance(200).marks == ["b"]
        assert not buffer.advance(300)

    def test_a_mark_returns_at_once_when_nothing_is_buffered(self) -> None:
        buffer = PlaybackBuffer()
        buffer.write(0, ms(100))
        buffer.mark(150, "late")
        assert buffer.advance(150).marks == ["late"]

    def test_clear_drops_the_rest_and_returns_every_mark_in_order(self) -> None:
        buffer = PlaybackBuffer()
        for name in ("a", "b"):
            buffer.write(0, ms(100))
            buffer.mark(0, name)
        buffer.clear(40)
        played = buffer.advance(500)
        assert played.segments == [(0, ms(40))]
        assert played.marks == ["a", "b"]

    def test_after_a_clear_new_audio_plays_at_once(self) -> None:
        buffer = PlaybackBuffer()
        buffer.write(0, ms(1000))
        buffer.clear(100)
        buffer.write(120, ms(20))
        assert buffer.advance(200).segments == [(0, ms(100)), (960, ms(20))]

    def test_a_stream_that_ends_takes_audio_and_marks_with_it(self) -> None:
        buffer = PlaybackBuffer()
        buffer.write(0, ms(100))
        buffer.mark(0, "a")
        buffer.drop()
        assert not buffer.advance(500)

    @given(
        st.lists(
            st.tuples(
                st.integers(0, 60),
                st.one_of(
                    st.binary(max_size=900).filter(lambda b: b"\xff" not in b),
                    st.sampled_from(["mark", "clear", "advance"]),
                ),
            ),
            max_size=30,
        )
    )
    def test_nothing_is_lost_doubled_early_or_out_of_order(
        self, commands: list[tuple[int, bytes | str]]
    ) -> None:
        """Against a model that plays sample by sample."""
        buffer, model = PlaybackBuffer(), SlowBuffer()
        heard, marks, now = bytearray(), [], 0
        for number, (wait, command) in enumerate(commands):
            now += wait
            model.run(now)
            if isinstance(command, bytes):
                buffer.write(now, command)
                model.queue += command
            elif command == "mark":
                buffer.mark(now, str(number))
                model.queue.append(str(number))
            elif command == "clear":
                buffer.clear(now)
                model.clear()
            model.run(now)
            played = buffer.advance(now)
            marks += played.marks
            for start, audio in played.segments:
                heard += b"\xff" * (start - len(heard)) + audio
            assert marks == model.marks
        assert bytes(heard) == bytes(model.heard).rstrip(b"\xff")


@dataclass
class SlowBuffer:
    """Playback one sample at a time: what `PlaybackBuffer` must be equal to."""

    queue: list[int | str] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    marks: list[str] = field(default_factory=list)

    def run(self, now_ms: int) -> None:
        self._pop_marks()
        while len(self.heard) < now_ms * SAMPLES_PER_MS:
            sample = self.queue.pop(0) if self.queue else 0xFF
            assert isinstance(sample, int)
            self.heard.append(sample)
            self._pop_marks()

    def clear(self) -> None:
        self.marks += [item for item in self.queue if isinstance(item, str)]
        self.queue.clear()

    def _pop_marks(self) -> None:
        while self.queue and isinstance(self.queue[0], str):
            self.marks.append(str(self.queue.pop(0)))


class TestEar:
    def test_adds_up_sound_and_remembers_when_it_ended(self) -> None:
        ear = Ear()
        ear.listen(800, ms(60) + SILENCE * 5)
        assert ear.sound_ms == 60
        assert ear.last_sound_ms == 160
        assert ear.quiet_ms(200) == 40

    def test_knows_no_quiet_before_the_first_sound(self) -> None:
        ear = Ear()
        ear.listen(0, SILENCE * 50)
        assert ear.quiet_ms(1000) is None

    def test_quiet_noise_is_no_sound_in_speech_but_every_letter_is_in_text_mode(self) -> None:
        faint = b"\x7e" * 160
        assert not Ear().hears(faint)
        assert Ear(SILENCE_CODES).hears(faint)

    def test_forgets_sound_and_text(self) -> None:
        ear = Ear()
        ear.listen(0, ms(60))
        ear.read("hello")
        ear.forget()
        assert (ear.sound_ms, ear.quiet_ms(60), ear.text) == (0, None, "")


class TestPacer:
    def test_frame_n_leaves_n_times_20_ms_after_the_first(self) -> None:
        pacer = Pacer()
        assert [pacer.next_ms() for _ in range(1000)] == [n * FRAME_MS for n in range(1000)]

    def test_a_burst_holds_frames_back_and_lets_them_go_together(self) -> None:
        pacer = Pacer(burst=3)
        assert [pacer.next_ms() for _ in range(7)] == [40, 40, 40, 100, 100, 100, 160]

    @given(st.floats(0, 500), st.integers(1, 10), st.integers())
    def test_jitter_never_reorders_never_hurries_and_never_adds_up(
        self, jitter_ms: float, burst: int, seed: int
    ) -> None:
        pacer = Pacer(jitter_ms, burst, random.Random(seed))
        times = [pacer.next_ms() for _ in range(200)]
        assert times == sorted(times)
        for n, time in enumerate(times):
            assert n * FRAME_MS <= time <= (n + burst - 1) * FRAME_MS + jitter_ms + 1e-6

    @pytest.mark.parametrize(("jitter_ms", "burst"), [(-1, 1), (0, 0)])
    def test_senseless_settings_are_refused(self, jitter_ms: float, burst: int) -> None:
        with pytest.raises(ValueError, match="at least"):
            Pacer(jitter_ms, burst)


def test_the_time_of_the_next_mark_is_known_ahead() -> None:
    buffer = PlaybackBuffer()
    assert buffer.mark_ms is None
    buffer.write(1000, ms(60))
    assert buffer.mark_ms is None
    buffer.mark(1000, "a")
    buffer.write(1000, ms(40))
    buffer.mark(1000, "b")
    assert buffer.mark_ms == 1060
    assert buffer.advance(1059).marks == [] and buffer.mark_ms == 1060
    assert buffer.advance(1060).marks == ["a"] and buffer.mark_ms == 1100
