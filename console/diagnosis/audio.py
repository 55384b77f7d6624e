"""What a recording of a call sounds like: levels, clipping, silence, dropouts, echo, a MOS. Pure.

    for track in measured(sound, Network(loss=0.01)):
        print(track.speech_dbfs, track.dropouts, track.mos)
    for finding in judged(tracks):
        print(finding.seen, finding.fix)

Each channel is a track of its own: of recordings with two, one is the caller and one the agent.
A frame is 20 ms; speech is what lies within 30 dB of the loudest and nearer to it than to the
noise. A dropout is a hole of digital silence in the midst of a sound: what a lost packet leaves.

A recording has no times of arrival, so jitter is estimated by what it did: `jitter_ms` is how much
the dropouts' lengths deviate. What the network tells (RTCP) may be handed in. The MOS is an
estimate by the E-model for G.711 with concealment (`aybiza.speech.mos`), less what is heard of
noise, level and clipping. It compares recordings; it is no listening test.

Errors: none; a track without sound has None where nothing can be told.
Source: ITU-T P.56 (active speech level); specification 002, "Quality Optimization" and section D,
"Poor Audio Quality".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aybiza.console.diagnosis.wav import Samples, Sound
from aybiza.speech.mos import R_DEFAULT, delay_impairment, loss_impairment, mos_of

FRAME_SECONDS: Final = 0.02
FLOOR_DBFS: Final = -96.0
SPEECH_RANGE_DB: Final = 30.0
QUIETEST_SPEECH_DBFS: Final = -50.0
FULL: Final = 0.98
"""A sample this near to full scale has been cut, if its neighbours have been too."""
CLIPPED_RUN: Final = 3
MOST_OFFSET: Final = 0.003
LEAST_SPEECH_SECONDS: Final = 0.1
"""What sounds for a shorter time is a click."""

DROPOUT_SECONDS: Final = (0.01, 0.15)
"""A shorter hole is not heard, a longer one is a pause."""
EDGE_SECONDS: Final = 0.005
EDGE_DB: Final = 15.0
"""A hole begins and ends abruptly: within so much of the level of speech. A sound that dies away
before a gate closes does not."""
APART_DB: Final = 6.0

ECHO_LAGS: Final = (0.02, 0.6)
ECHO_ENOUGH: Final = 0.35
ECHO_SECONDS: Final = 60.0

Flags = NDArray[np.bool_]


class Network(NamedTuple):
    """What is known of the way: one-way delay and jitter in ms, loss as a share."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Track:
    """A channel. Levels are dBFS, None where there is no speech; silence: the share of the time;
    longest_silence: seconds; clipped: the share of samples that were cut; dropouts: holes a minute
    of speech; lost: the share of speech that they are."""

    channel: int
    seconds: float
    peak_dbfs: float
    speech_dbfs: float | None
    noise_dbfs: float | None
    clipped: float
    silence: float
    longest_silence: float
    dropouts: float
    lost: float
    jitter_ms: float
    mos: float | None


class Finding(NamedTuple):
    """What is wrong and what mends it. channel: from 1; 0 for what is of several."""

    channel: int
    about: str
    seen: str
    fix: str


def measured(sound: Sound, network: Network | None = None) -> list[Track]:
    """A track a channel."""
    return [
        _track(number, samples, sound.rate, network or Network())
        for number, samples in enumerate(sound.channels, 1)
    ]


def _track(number: int, samples: Samples, rate: int, network: Network) -> Track:
    size = max(1, round(rate * FRAME_SECONDS))
    frames = _levels(_without_offset(samples), size)
    speech = _speech(frames)
    if float(speech.sum()) * FRAME_SECONDS < LEAST_SPEECH_SECONDS:
        speech = np.zeros_like(speech)
    heard = _mean_db(frames[speech])
    holes = [] if heard is None else _holes(samples, rate, heard - EDGE_DB)
    spoken = float(speech.sum()) * FRAME_SECONDS + sum(holes)
    lost = sum(holes) / spoken if spoken else 0.0
    quiet = frames[~speech]
    quiet = quiet[quiet > FLOOR_DBFS]
    # Telephones send comfort noise; digital silence has no level, and is quieter than any.
    noise = float(np.median(quiet)) if len(quiet) else None
    clipped = _clipped(samples)
    jitter = float(np.std(holes)) * 1000.0 if len(holes) > 1 else 0.0
    told = Track(
        number,
        round(len(samples) / rate, 3),
        _round(_db(float(np.abs(samples).max()))),
        None if heard is None else _round(heard),
        None if noise is None else _round(noise),
        round(clipped, 6),
        round(1.0 - float(speech.mean()), 4),
        round(int(_runs(~speech).max(initial=0)) * FRAME_SECONDS, 2),
        round(60.0 * len(holes) / spoken, 2) if spoken else 0.0,
        round(lost, 5),
        round(jitter, 1),
        None,
    )
    return _with_mos(told, network)


def _without_offset(samples: Samples) -> Samples:
    """A constant is no sound, however high it is. What is far below speech stays: digital silence
    is told from noise by its zeros."""
    offset = np.float32(samples.mean(dtype=np.float64))
    return samples - offset if abs(offset) > MOST_OFFSET else samples


def _with_mos(track: Track, network: Network) -> Track:
    if track.speech_dbfs is None:
        return track
    r = R_DEFAULT - delay_impairment(network.delay_ms + 2.0 * network.jitter_ms)
    r -= loss_impairment(max(network.loss, track.lost))
    r -= _heard_impairment(track)
    return replace(track, mos=round(mos_of(r), 2))


def _heard_impairment(track: Track) -> float:
    """What noise, level and clipping take from R: a decibel beyond what is comfortable costs one
    point, and each tenth of a percent of cut samples two."""
    assert track.speech_dbfs is not None
    over = max(0.0, track.speech_dbfs + 14.0) + max(0.0, -32.0 - track.speech_dbfs)
    noise = 0.0
    if track.noise_dbfs is not None:
        noise = max(0.0, 25.0 - (track.speech_dbfs - track.noise_dbfs))
    return min(60.0, over + noise + min(30.0, 2000.0 * track.clipped))


def judged(tracks: Sequence[Track], echo: tuple[float, float] | None = None) -> Iterator[Finding]:
    """What is wrong, by `_WRONG`; `echo` as `echo_of` tells it."""
    for track in tracks:
        for rule in _WRONG:
            if rule.is_so(track):
                yield Finding(track.channel, rule.about, rule.seen(track), rule.fix)
    silent = [track.channel for track in tracks if track.speech_dbfs is None]
    if silent and len(silent) < len(tracks):
        seen = f"channel {silent[0]} is silent while the other speaks"
        fix = "one-way audio: NAT or a firewall keeps RTP from one side; aybiza diagnose sip LOG"
        yield Finding(0, "one-way audio", seen, fix)
    if echo is not None and echo[0] >= ECHO_ENOUGH:
        seen = f"one channel comes back in the other after {echo[1] * 1000:.0f} ms ({echo[0]:.0%})"
        fix = "turn on echo cancellation at the carrier or switch; a handset for a loudspeaker"
        yield Finding(0, "echo", seen, fix)


class _Rule(NamedTuple):
    about: str
    is_so: Callable[[Track], bool]
    seen: Callable[[Track], str]
    fix: str


def _apart(track: Track) -> float | None:
    """How far noise lies below speech, dB."""
    if track.speech_dbfs is None or track.noise_dbfs is None:
        return None
    return track.speech_dbfs - track.noise_dbfs


_LEVEL_FIX: Final = "lower the gain of the source: speech at -18 dBFS leaves room"
_WRONG: Final = (
    _Rule(
        "no speech",
        lambda t: t.speech_dbfs is None,
        lambda t: f"nothing is loud and long enough to be speech (peak {t.peak_dbfs:g} dBFS)",
        "look whether the right channel was recorded, whether RTP came, and at the gain",
    ),
    _Rule(
        "clipping",
        lambda t: t.clipped > 0.0005,
        lambda t: f"{t.clipped:.2%} of the samples are cut off at full scale",
        _LEVEL_FIX,
    ),
    _Rule(
        "too quiet",
        lambda t: t.speech_dbfs is not None and t.speech_dbfs < -35,
        lambda t: f"speech is at {t.speech_dbfs:g} dBFS",
        "raise the gain, or turn on automatic gain control (target -18 dBFS)",
    ),
    _Rule(
        "too loud",
        lambda t: t.speech_dbfs is not None and t.speech_dbfs > -10,
        lambda t: f"speech is at {t.speech_dbfs:g} dBFS",
        _LEVEL_FIX,
    ),
    _Rule(
        "noise",
        lambda t: (apart := _apart(t)) is not None and apart < 20,
        lambda t: f"noise is at {t.noise_dbfs:g} dBFS, {_apart(t):.0f} dB below speech",
        "noise suppression at the source; barge_in_words keeps noise from breaking in",
    ),
    _Rule(
        "choppy",
        lambda t: t.lost > 0.005,
        lambda t: f"{t.dropouts:g} holes a minute of speech, {t.lost:.1%} of it",
        "packets get lost or come late: look at the network, the jitter buffer (20 to 200 ms), and"
        " the load of what sends",
    ),
)


def echo_of(one: Samples, other: Samples, rate: int) -> tuple[float, float] | None:
    """How much of one channel comes back in the other, 0 to 1, and after how many seconds; None
    where one of them is silent or too short. Of the first minute.

    An echo is fainter than who speaks in that channel, so it is looked for in its faint parts, too.
    """
    count = min(len(one), len(other), int(rate * ECHO_SECONDS))
    if count < 2 * int(rate * ECHO_LAGS[1]):
        return None
    a, b = one[:count], other[:count]
    found = [
        told
        for source, echo in ((a, b), (b, a), (a, _faint(b, rate)), (_faint(a, rate), b))
        if (told := _likeness(source, echo, rate)) is not None
    ]
    return max(found, default=None)


def _likeness(a: Samples, b: Samples, rate: int) -> tuple[float, float] | None:
    first, last = int(rate * ECHO_LAGS[0]), int(rate * ECHO_LAGS[1])
    power = float(np.sqrt(np.square(a, dtype=np.float64).sum() * np.square(b).sum()))
    if power < 1e-6:
        return None
    size = 1 << int(np.ceil(np.log2(2 * len(a))))
    crossed = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    ahead = np.abs(crossed[first:last])
    behind = np.abs(crossed[size - last + 1 : size - first + 1][::-1])
    best = max((float(side.max()), int(side.argmax())) for side in (ahead, behind))
    return round(min(1.0, best[0] / power), 3), round((best[1] + first) / rate, 3)


def _faint(samples: Samples, rate: int) -> Samples:
    """The samples without the frames in which somebody speaks here."""
    size = max(1, round(rate * FRAME_SECONDS))
    frames = _levels(samples, size)
    heard = _mean_db(frames[_speech(frames)])
    if heard is None:
        return samples
    loud = np.repeat(frames > heard - 12.0, size)[: len(samples)]
    return np.where(loud, np.float32(0.0), samples)


def _levels(samples: Samples, size: int) -> NDArray[np.float64]:
    """The level of each frame, dBFS; what is left at the end is a frame, too."""
    padded = np.concatenate([samples, np.zeros(-len(samples) % size, np.float32)])
    power = np.square(padded.reshape(-1, size), dtype=np.float64).mean(axis=1)
    return np.asarray(10.0 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10.0))))


def _speech(frames: NDArray[np.float64]) -> Flags:
    loud = float(np.percentile(frames, 95))
    least = max(QUIETEST_SPEECH_DBFS, loud - SPEECH_RANGE_DB)
    sounding = frames[frames > FLOOR_DBFS]
    floor = float(np.percentile(sounding, 10)) if len(sounding) else loud
    if loud - floor >= APART_DB:
        least = max(least, (loud + floor) / 2.0)
    return np.asarray(frames > least)


def _holes(samples: Samples, rate: int, least_dbfs: float) -> list[float]:
    """The seconds of each run of one value that a sound of this level surrounds abruptly."""
    least, most = (int(rate * seconds) for seconds in DROPOUT_SECONDS)
    edge = max(1, int(rate * EDGE_SECONDS))
    changes = np.flatnonzero(np.diff(samples) != 0) + 1
    edges = np.concatenate([[0], changes, [len(samples)]])
    lengths = np.diff(edges)
    found = []
    for at in np.flatnonzero((lengths >= max(2, least)) & (lengths <= most)):
        begins, ends = int(edges[at]), int(edges[at + 1])
        flat = abs(float(samples[begins])) < 0.01
        sides = samples[max(0, begins - edge) : begins], samples[ends : ends + edge]
        if flat and all(len(side) == edge and _level(side) > least_dbfs for side in sides):
            found.append((ends - begins) / rate)
    return found


def _level(samples: Samples) -> float:
    return _db(float(np.sqrt(np.square(samples, dtype=np.float64).mean())))


def _clipped(samples: Samples) -> float:
    """The share of samples in runs at full scale."""
    full = np.abs(samples) >= FULL
    runs = _runs(full)
    return float(runs[runs >= CLIPPED_RUN].sum()) / len(samples)


def _runs(flags: Flags) -> NDArray[np.int64]:
    """The lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return np.asarray(edges[1::2] - edges[::2])


def _mean_db(levels: NDArray[np.float64]) -> float | None:
    return float(10.0 * np.log10((10.0 ** (levels / 10.0)).mean())) if len(levels) else None


def _db(value: float) -> float:
    return 20.0 * float(np.log10(max(value, 10 ** (FLOOR_DBFS / 20.0))))


def _round(value: float) -> float:
    return round(value, 1)
