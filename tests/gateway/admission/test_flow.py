"""How many bytes a media connection may bring."""

from __future__ import annotations

from aybiza.gateway.admission.flow import BURST_BYTES, BYTES_A_SECOND, EARLY_BYTES, Flow


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_before_its_start_a_stream_brings_little() -> None:
    flow = Flow(Clock())
    assert flow.take(EARLY_BYTES, started=False)
    assert not flow.take(1, started=False)


def test_a_started_stream_may_bring_a_burst_and_then_its_rate() -> None:
    clock = Clock()
    flow = Flow(clock)
    assert flow.take(BURST_BYTES, started=True)
    assert not flow.take(1, started=True)
    clock.now += 2.0
    assert flow.take(2 * BYTES_A_SECOND - 1, started=True)
    assert not flow.take(2, started=True)


def test_hours_of_speech_are_never_too_much() -> None:
    clock = Clock()
    flow = Flow(clock)
    for _ in range(50_000):
        clock.now += 0.02
        assert flow.take(700, started=True)


def test_silence_does_not_save_up_more_than_a_burst() -> None:
    clock = Clock()
    flow = Flow(clock)
    clock.now += 3600.0
    assert not flow.take(BURST_BYTES + 1, started=True)
