"""A-law: the codes of the recommendation, and how far from mu-law's they are."""

from __future__ import annotations

import numpy as np

from aybiza.speech import alaw, mulaw
from tests.cases import each

EVERY_CODE = bytes(range(256))


@each([(0xD5, 0), (0xAA, 32_256), (0x2A, -32_256), (0x55, -8)])
def test_a_law_codes_are_those_of_the_recommendation(code: int, sample: int) -> None:
    near = int(mulaw.decode(alaw.to_mulaw(bytes([code])))[0])
    assert abs(near - sample) <= max(8, abs(sample) // 32)


def test_a_law_is_at_most_a_step_away_from_what_was_said() -> None:
    there = alaw.LINEAR[np.frombuffer(alaw.from_mulaw(EVERY_CODE), dtype=np.uint8)].astype(int)
    samples = mulaw.decode(EVERY_CODE).astype(int)
    assert np.all(np.abs(there - samples) <= np.maximum(8, np.abs(samples) // 32))
    assert alaw.to_mulaw(alaw.from_mulaw(b"\xff" * 3)) == b"\xff" * 3
