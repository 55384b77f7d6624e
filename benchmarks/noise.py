"""Whether gain, a gate or suppression of noise helps a recogniser: words that are heard wrong.

    python -m aybiza.benchmarks.noise                    the table of docs/voice_quality.md
    python -m aybiza.benchmarks.noise --recordings 4 --snr 10

The callers' recordings that come with the telephone are spoken into white noise, a babble of other
voices and the hum of a mains, at several ratios of speech to noise. Each way of treating a line is
given that as a node has it, mu-law frames of 20 ms at 8000 Hz, and what it gives is heard by the
offline recogniser. A number is the share of words wrong: substituted, left out or put in.

RNNoise and WebRTC's suppression are tried where their packages are installed (`pyrnnoise` 0.4 with
`--no-deps`, `webrtc-noise-gain` 1.3). Nothing else of aybiza knows them.

Needs the extra `offline`. A run is repeatable: noise is drawn from a seed. Errors: `ImportError`
without the recogniser.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aybiza.emulators.deepgram.worker import MakeDecoder, Utterance, decoder_maker
from aybiza.emulators.phone.make_recordings import recordings
from aybiza.emulators.phone.script import SCRIPTS
from aybiza.speech import mulaw
from aybiza.speech.resample import Downsampler, Upsampler
from aybiza.speech.wav import read_wav

Floats = NDArray[np.float64]
Treatment = Callable[[bytes], bytes]

RATE: Final = mulaw.SAMPLE_RATE
FRAME: Final = RATE // 50
SEED: Final = 1
SNRS: Final = (20, 10, 5)
LOUD: Final = 3000.0
"""Root mean square of the speech: some -21 dBFS, as most callers are."""
QUIET: Final = LOUD / 10
"""A caller who is 20 dB quieter."""
HUM_HERTZ: Final = (60, 120, 180, 300)
VOICES_OF_A_BABBLE: Final = 4
GATE_DB: Final = 8.0
GATED: Final = 0.1
_WORD: Final = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording: its samples at `LOUD`, and its words."""

    samples: Floats
    words: tuple[str, ...]


def spoken(number: int) -> list[Spoken]:
    """The first `number` recordings."""
    found = []
    for recording in recordings(sorted(SCRIPTS.glob("*.toml")))[:number]:
        samples = read_wav(recording.path).astype(np.float64)
        words = tuple(_WORD.findall(recording.text.lower()))
        found.append(Spoken(samples * LOUD / _level(samples), words))
    return found


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """How many words have to be changed, left out or put in to make one of the other."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(said, 1):
        before, row[0] = row[0], at
        for place, other in enumerate(heard, 1):
            cost = min(row[place] + 1, row[place - 1] + 1, before + (word != other))
            before, row[place] = row[place], cost
    return row[-1]


def white(size: int, rng: np.random.Generator, _: Sequence[Spoken]) -> Floats:
    """Noise of all frequencies."""
    return rng.standard_normal(size)


def hum(size: int, rng: np.random.Generator, _: Sequence[Spoken]) -> Floats:
    """A mains and its harmonics."""
    at = np.arange(size) / RATE
    waves = [
        np.sin(2 * np.pi * hertz * at + rng.random() * 6) / place
        for place, hertz in enumerate(HUM_HERTZ, 1)
    ]
    total: Floats = np.sum(waves, axis=0)
    return total


def babble(size: int, rng: np.random.Generator, others: Sequence[Spoken]) -> Floats:
    """Other people who talk."""
    total = np.zeros(size)
    for _ in range(VOICES_OF_A_BABBLE):
        voice = others[int(rng.integers(len(others)))].samples
        total += np.roll(np.resize(voice, size), int(rng.integers(size)))
    return total


NOISES: Final = {"white": white, "babble": babble, "hum": hum}


def nothing() -> Treatment:
    """The line as it is."""
    return lambda frame: frame


def gain() -> Treatment:
    """Brings the level of what is loud to `LOUD`, slowly, up to 20 dB."""
    level = LOUD

    def treat(frame: bytes) -> bytes:
        nonlocal level
        samples = mulaw.decode(frame).astype(np.float64)
        now = _level(samples)
        if now > level / 4:
            level += 0.05 * (now - level)
        else:
            level *= 0.995
        return _coded(samples * min(10.0, LOUD / level))

    return treat


def gate() -> Treatment:
    """Turns down by 20 dB what is not `GATE_DB` above the floor of the noise."""
    floor = 100.0

    def treat(frame: bytes) -> bytes:
        nonlocal floor
        samples = mulaw.decode(frame).astype(np.float64)
        now = _level(samples)
        floor += (0.2 if now < floor else 0.01) * (now - floor)
        return _coded(samples * (1.0 if now > floor * 10 ** (GATE_DB / 20) else GATED))

    return treat


def webrtc(gain_dbfs: int, level: int) -> Callable[[], Treatment]:
    """WebRTC's, of 16,000 Hz and 10 ms at a time."""
    made: Any = importlib.import_module("webrtc_noise_gain").AudioProcessor

    def treatment() -> Treatment:
        processor, up, down = made(gain_dbfs, level), Upsampler(), Downsampler(2 * RATE)

        def treat(frame: bytes) -> bytes:
            wide = up.feed(mulaw.decode(frame)).tobytes()
            done = [processor.Process10ms(wide[at : at + 320]).audio for at in (0, 320)]
            return mulaw.encode(down.feed(np.frombuffer(b"".join(done), dtype=np.int16)))

        return treat

    return treatment


def rnnoise() -> Callable[[], Treatment]:
    """RNNoise, of 48,000 Hz and 10 ms at a time."""
    library = _library()

    def treatment() -> Treatment:
        state, up, down = library.create(), Upsampler(6), Downsampler(6 * RATE)

        def treat(frame: bytes) -> bytes:
            wide = up.feed(mulaw.decode(frame)).reshape(2, -1)
            done = [library.process_mono_frame(state, half)[0] for half in wide]
            return mulaw.encode(down.feed(np.concatenate(done).astype(np.int16)))

        return treat

    return treatment


def _library() -> Any:
    """RNNoise without the package's own front, which wants a reader of audio files."""
    found = importlib.util.find_spec("pyrnnoise")
    if found is None or found.origin is None:
        raise ImportError("No module named 'pyrnnoise'")
    path = Path(found.origin).with_name("rnnoise.py")
    spec = importlib.util.spec_from_file_location("rnnoise", path)
    assert spec is not None and spec.loader is not None
    library = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(library)
    return library


def treatments() -> Iterator[tuple[str, Callable[[], Treatment]]]:
    """What can be tried here."""
    yield from (("nothing", nothing), ("gain", gain), ("gate", gate))
    libraries: list[tuple[str, Callable[[], Callable[[], Treatment]]]] = [
        ("WebRTC, noise 1 of 4", lambda: webrtc(0, 1)),
        ("WebRTC, noise 3 of 4", lambda: webrtc(0, 3)),
        ("WebRTC, gain", lambda: webrtc(9, 0)),
        ("RNNoise", rnnoise),
    ]
    for name, load in libraries:
        try:
            yield name, load()
        except ImportError as error:
            print(f"{name}: not tried, {error}")


def heard(make: MakeDecoder, line: Floats, treat: Treatment) -> list[str]:
    """The words of a line that has been treated."""
    codes = _coded(line)
    codes += mulaw.silence(-len(codes) % FRAME / RATE)
    utterance = Utterance(make())
    utterance.audio(b"".join(treat(codes[at : at + FRAME]) for at in range(0, len(codes), FRAME)))
    return _WORD.findall(utterance.end().lower())


def lines(
    callers: Sequence[Spoken], snrs: Sequence[int]
) -> Iterator[tuple[str, list[tuple[Floats, tuple[str, ...]]]]]:
    """Each kind of line with all callers on it, and what they say."""
    yield "clean", [(caller.samples, caller.words) for caller in callers]
    yield "quiet", [(caller.samples * QUIET / LOUD, caller.words) for caller in callers]
    for name, noise in NOISES.items():
        for snr in snrs:
            rng = np.random.default_rng(SEED)
            on_it = []
            for caller in callers:
                others = [each for each in callers if each is not caller] or callers
                sound = LOUD * noise(len(caller.samples), rng, others)
                loud = LOUD / 10 ** (snr / 20) / _level(sound)
                on_it.append((caller.samples + sound * loud, caller.words))
            yield f"{name} {snr} dB", on_it


def table(
    number: int, snrs: Sequence[int], only: Sequence[str] = ()
) -> list[tuple[str, list[tuple[str, float]]]]:
    """The share of words wrong of each treatment and line."""
    make, callers = decoder_maker(), spoken(number)
    decoder = make()
    found = []
    on_lines = list(lines(callers, snrs))
    for name, treatment in treatments():
        if only and name not in only:
            continue
        row = []
        for line, on_it in on_lines:
            wrong = sum(
                errors(words, heard(lambda: decoder, samples, treatment()))
                for samples, words in on_it
            )
            row.append((line, wrong / sum(len(words) for _, words in on_it)))
        found.append((name, row))
        print(name, " ".join(f"{line}: {share:.2f}" for line, share in row), flush=True)
    return found


def _level(samples: Floats) -> float:
    return max(1.0, float(np.sqrt(np.mean(samples**2))))


def _coded(samples: Floats) -> bytes:
    return mulaw.encode(np.clip(samples, -32768, 32767).astype(np.int16))


def main() -> None:
    """Run the command line."""
    options = argparse.ArgumentParser(prog="python -m aybiza.benchmarks.noise")
    options.add_argument("--recordings", type=int, default=24, help="how many callers speak")
    options.add_argument("--snr", type=int, nargs="+", default=SNRS, help="speech to noise, in dB")
    options.add_argument("--only", nargs="+", default=(), help="treatments, by their names")
    given = options.parse_args()
    found = table(given.recordings, given.snr, given.only)
    print("\n| | " + " | ".join(line for line, _ in found[0][1]) + " |")
    print("|---" * (len(found[0][1]) + 1) + "|")
    for name, row in found:
        print(f"| {name} | " + " | ".join(f"{100 * share:.0f} %" for _, share in row) + " |")


if __name__ == "__main__":
    main()
