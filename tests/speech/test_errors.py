"""How speech services say no."""

from __future__ import annotations

from aybiza.speech.deepgram_socket import DeepgramClosed, DeepgramRefused
from aybiza.speech.errors import SpeechClosed, SpeechRefused


def test_errors_of_each_service_are_of_one_kind() -> None:
    refused, closed = DeepgramRefused(401), DeepgramClosed(1011, "gone")
    assert isinstance(refused, SpeechRefused) and refused.status == 401
    assert isinstance(closed, SpeechClosed) and (closed.code, closed.reason) == (1011, "gone")
    assert "DEEPGRAM_API_KEY" in str(refused) and "1011 gone" in str(closed)
