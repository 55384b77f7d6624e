"""The emulated carriers' codes: vectors of the recommendation, and what they refuse."""

from __future__ import annotations

import pytest

from aybiza.emulators.phone.line_audio import line_audio
from aybiza.emulators.phone.messages import AgentError
from aybiza.speech import mulaw


def test_a_law_has_the_codes_of_the_recommendation() -> None:
    audio = line_audio("PCMA", ">")
    loud = mulaw.encode(mulaw.decode(b"\x80\x00"))
    assert audio.sent(loud) == b"\xaa\x2a"
    assert audio.sent(b"\xff") == b"\xd5"
    assert mulaw.decode(audio.taken(b"\xd5\x55\xaa\x2a")).tolist() == [8, -8, 32124, -32124]


def test_linear_audio_is_as_long_as_its_rate_says_in_its_order_of_bytes() -> None:
    said = bytes(range(0x10, 0x20))
    for name, times in (("L16", 1), ("L16@16000", 2), ("L16@24000", 3)):
        audio = line_audio(name, "<")
        assert len(audio.sent(said)) == 2 * times * len(said)
        assert audio.taken(audio.sent(said)) == said
    assert line_audio("L16", ">").sent(said)[::2] == line_audio("L16", "<").sent(said)[1::2]


def test_what_is_no_audio_of_a_line_is_an_error() -> None:
    with pytest.raises(AgentError, match="half a sample"):
        line_audio("L16", ">").taken(b"\0")
    with pytest.raises(ValueError, match="'OPUS'"):
        line_audio("OPUS", ">")
