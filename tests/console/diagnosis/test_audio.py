"""What a recording sounds like."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aybiza.console.diagnosis.audio import Network, Track, echo_of, judged, measured
from aybiza.console.diagnosis.wav import Samples, Sound

RATE = 8000


def talk(seconds: float = 8.0, level: float = 0.2, seed: int = 1) -> Samples:
    """Noise in words of 400 ms with pauses of 200 ms between, over a faint hiss."""
    chance = np.random.default_rng(seed)
    count = int(seconds * RATE)
    words = (np.arange(count) % 4800) < 3200
    voice = chance.normal(0.0, level / 2, count) * words
    return (voice + chance.normal(0.0, level / 1000, count)).astype(np.float32)


def one(samples: Samples, network: Network | None = None) -> Track:
    (track,) = measured(Sound(RATE, "PCM", 16, (samples,)), network)
    return track


def abouts(*samples: Samples) -> list[str]:
    return [finding.about for finding in judged(measured(Sound(RATE, "PCM", 16, samples)))]


def test_levels_silence_and_noise_are_those_of_the_signal() -> None:
    track = one(talk())
    assert abs(track.speech_dbfs + 20.0 if track.speech_dbfs else 99) < 1.0
    assert abs(track.noise_dbfs + 74.0 if track.noise_dbfs else 99) < 2.0
    assert abs(track.silence - 1 / 3) < 0.05
    assert 0.15 < track.longest_silence < 0.25
    assert (track.clipped, track.dropouts) == (0.0, 0.0)
    assert track.mos is not None and track.mos > 4.3
    assert abouts(talk()) == []


def test_each_fault_is_found_and_costs() -> None:
    good = one(talk()).mos or 0.0
    cut = np.clip(talk(level=0.9) * 3, -1.0, 1.0).astype(np.float32)
    hiss = talk() + np.random.default_rng(2).normal(0, 0.03, 64_000).astype(np.float32)
    holes = talk()
    for at in range(1000, 60_000, 4800):
        holes[at : at + 320] = 0.0
    for samples, about in (
        (cut, "clipping"),
        (talk(level=0.01), "too quiet"),
        (hiss, "noise"),
        (holes, "choppy"),
    ):
        assert about in abouts(samples), about
        assert (one(samples).mos or 0.0) < good - 0.1, about


def test_a_constant_and_a_click_are_no_speech() -> None:
    for samples in (np.full(RATE, 0.09), np.full(4, 0.09), np.eye(1, RATE, 700)[0] * 0.5):
        track = one(samples.astype(np.float32))
        assert (track.speech_dbfs, track.mos) == (None, None)
        assert abouts(samples.astype(np.float32)) == ["no speech"]
    assert abouts(talk() + np.float32(0.05)) == []


def test_holes_are_counted_and_pauses_are_not() -> None:
    holes = talk()
    for at in range(1000, 60_000, 4800):
        holes[at : at + 320] = 0.0
    track = one(holes)
    # Thirteen holes of 40 ms in the 5.3 s that are spoken.
    assert abs(track.lost - 13 * 0.04 / (8.0 * 2 / 3)) < 0.02
    gated = talk() * (np.arange(64_000) % 4800 < 3200)
    assert one(gated.astype(np.float32)).lost == 0.0


def test_a_sound_that_dies_away_before_a_gate_closes_is_no_hole() -> None:
    samples = talk()
    for at in range(2000, 60_000, 4800):
        samples[at : at + 800] *= np.linspace(1.0, 0.0, 800, dtype=np.float32)
        samples[at + 800 : at + 1200] = 0.0
    assert one(samples).lost == 0.0


def test_holes_of_one_length_have_no_jitter() -> None:
    even, uneven = talk(), talk()
    for number, at in enumerate(range(1000, 60_000, 4800)):
        even[at : at + 320] = 0.0
        uneven[at : at + 160 + 320 * (number % 2)] = 0.0
    assert one(even).jitter_ms < 1.0
    assert one(uneven).jitter_ms > 15.0


def test_delay_jitter_and_loss_of_the_network_lower_the_mos() -> None:
    told = [
        one(talk(), network).mos or 0.0
        for network in (
            Network(),
            Network(delay_ms=150),
            Network(delay_ms=150, jitter_ms=40),
            Network(150, 40, 0.05),
        )
    ]
    assert told == sorted(told, reverse=True) and len(set(told)) == 4


def test_a_silent_side_of_two_is_one_way_audio() -> None:
    silent = np.zeros(64_000, np.float32)
    assert abouts(talk(), silent) == ["no speech", "one-way audio"]
    assert abouts(silent) == ["no speech"]


def test_an_echo_is_found_where_the_other_speaks_and_where_nobody_does() -> None:
    caller = talk(seed=1)
    agent = np.roll(talk(seed=2), 2400)
    assert (echo_of(caller, agent, RATE) or (1.0,))[0] < 0.2
    late = np.roll(caller, 1600) * np.float32(0.1)
    for echoed in (agent + late, late):
        told = echo_of(caller, echoed.astype(np.float32), RATE)
        assert told is not None and abs(told[1] - 0.2) < 0.001
        assert [each.about for each in judged([], told)] == ["echo"]
    assert echo_of(caller, np.zeros_like(caller), RATE) is None


@given(arrays(np.float32, st.integers(1, 4000), elements=st.floats(-1, 1, width=32)))
def test_whatever_it_holds_it_is_measured(samples: Samples) -> None:
    track = one(samples)
    assert 0.0 <= track.silence <= 1.0 and 0.0 <= track.clipped <= 1.0
    assert track.mos is None or 1.0 <= track.mos <= 4.5
    list(judged([track], echo_of(samples, samples, RATE)))
