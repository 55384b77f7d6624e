"""Voice activity: where a caller's speech begins and where it pauses.

An onset needs blocks that have all the marks of a voice: webrtcvad's judgement, a level clearly
over the line's noise, and a pitch, but not a tone. So clicks, breaths, noise, hum and key tones do
not interrupt the agent. Once there is an onset webrtcvad alone tells speech from pauses, until
`rest`.

A block is 20 ms of mu-law. Costs 5 us a block, 40 us more where it might be an onset.

Source: webrtcvad; normalised autocorrelation as in Boersma (1993).
"""

from __future__ import annotations

from collections import deque

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from aybiza.emulators.deepgram.engine import BLOCK_BYTES
from aybiza.speech import mulaw

Floats = NDArray[np.float64]

AGGRESSIVENESS = 3
# So many blocks among so many in a row have to be those of a voice.
ONSET_BLOCKS = 2
ONSET_WINDOW = 8

# Levels in dB below full scale.
QUIETEST_DB = -50.0
RISE_DB = 9.0
LOWEST_FLOOR_DB, HIGHEST_FLOOR_DB = -75.0, -35.0
# The noise floor follows quickly down and slowly up: shares of the way, a block.
FLOOR_DOWN, FLOOR_UP = 0.2, 0.02

# How alike the signal is to itself a pitch period later.
PERIODICITY = 0.6
# A share of the power that only one or two pure tones have in two narrow bands.
TONE_SHARE = 0.96

_FULL_SCALE = 32768.0
_WINDOW: Floats = np.hanning(2 * BLOCK_BYTES)
_SIZE = 1024
# Power below 160 Hz is hum; pitch is looked for from 70 to 400 Hz.
_HUM_BINS = 20
_LAGS = slice(20, 115)
_BAND_BINS = 5
_QUIETEST_POWER = (
    10 ** (QUIETEST_DB / 10) * _FULL_SCALE**2 * float((_WINDOW * _WINDOW).sum()) * _SIZE / 2
)


def _own_likeness() -> Floats:
    """The autocorrelation of the window, which lies over that of the signal."""
    power = np.abs(np.fft.rfft(_WINDOW, _SIZE)) ** 2
    likeness = np.fft.irfft(power)
    scaled: Floats = likeness / likeness[0]
    return scaled


_WINDOW_LIKENESS = _own_likeness()


class VoiceActivity:
    """See the module; one for each caller. `speaking`: there was an onset and no `rest` since."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(AGGRESSIVENESS)
        self._before: Floats = np.zeros(BLOCK_BYTES)
        self._voices: deque[bool] = deque(maxlen=ONSET_WINDOW)
        self._floor_db = LOWEST_FLOOR_DB
        self.speaking = False

    def feed(self, block: bytes) -> bool:
        """Whether there is speech in the next block."""
        pcm = mulaw.decode(block)
        voiced = bool(self._vad.is_speech(pcm.tobytes(), mulaw.SAMPLE_RATE))
        samples = pcm.astype(np.float64)
        before, self._before = self._before, samples
        if self.speaking:
            return voiced
        level_db = _level_db(samples)
        loud = level_db > max(QUIETEST_DB, self._floor_db + RISE_DB)
        voice = voiced and loud and _is_voice(np.concatenate((before, samples)))
        if not voice:
            self._follow(level_db)
        self._voices.append(voice)
        if self._voices.count(True) >= ONSET_BLOCKS:
            self.speaking = True
            self._voices.clear()
        return self.speaking

    def rest(self) -> None:
        """The utterance is over: wait for the next onset."""
        self.speaking = False

    def _follow(self, level_db: float) -> None:
        share = FLOOR_DOWN if level_db < self._floor_db else FLOOR_UP
        floor_db = self._floor_db + share * (level_db - self._floor_db)
        self._floor_db = min(max(floor_db, LOWEST_FLOOR_DB), HIGHEST_FLOOR_DB)


def _level_db(samples: Floats) -> float:
    power = float(np.mean(samples * samples)) / _FULL_SCALE**2
    return 10.0 * float(np.log10(power + 1e-12))


def _is_voice(samples: Floats) -> bool:
    """Whether two blocks have a pitch and are more than a tone or two."""
    spectrum = np.fft.rfft((samples - samples.mean()) * _WINDOW, _SIZE)
    power = spectrum.real**2 + spectrum.imag**2
    power[:_HUM_BINS] = 0.0
    total = float(power.sum())
    if total <= _QUIETEST_POWER:
        return False
    likeness = np.fft.irfft(power)
    periodicity = float((likeness[_LAGS] / _WINDOW_LIKENESS[_LAGS]).max() / likeness[0])
    if periodicity <= PERIODICITY:
        return False
    tones = 0.0
    for _ in range(2):
        peak = int(power.argmax())
        band = slice(max(0, peak - _BAND_BINS), peak + _BAND_BINS + 1)
        tones += float(power[band].sum())
        power[band] = 0.0
    return tones < TONE_SHARE * total
