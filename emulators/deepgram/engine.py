"""Engines: what hears and what speaks behind Deepgram's wire.

A `Recogniser` belongs to one listen socket and is given its audio in blocks of 20 ms. An `Engine`
makes recognisers and speaks; the same text in the same voice is the same audio, byte by byte, so
that a sentence can be taken up where it broke off. The scripted engine is exact and instant: its
audio is text (`aybiza.emulators.textaudio`).

Errors: `SynthesisError` when a text cannot be spoken.
"""

from __future__ import annotations

from typing import Protocol

from aybiza.emulators.textaudio import BYTES_PER_CHAR, SILENCE_CODES, TextAudioDecoder, encode

BLOCK_BYTES = 160
BLOCK_MS = 20

_SILENCE = bytes(sorted(SILENCE_CODES))


class SynthesisError(Exception):
    """A text cannot be spoken; the message says why."""


class Recogniser(Protocol):
    """Hears one caller."""

    async def feed(self, block: bytes) -> bool:
        """Take 20 ms of mu-law audio; whether there is speech in it."""

    def passes_over(self, mulaw: bytes) -> bool:
        """Whether all of this is silence that makes no difference, so that it need not be fed."""

    async def partial(self) -> str:
        """What the utterance that is going on sounds like so far."""

    async def finish(self) -> str:
        """The utterance is over: its text; the next one begins."""

    async def close(self) -> None:
        """The socket is gone."""


class Engine(Protocol):
    """Makes recognisers and speaks."""

    async def start(self) -> None:
        """Be ready to hear and speak."""

    async def stop(self) -> None:
        """End whatever was started; what is still asked of it is answered with nothing."""

    def recogniser(self) -> Recogniser:
        """For a new listen socket."""

    async def synthesise(self, text: str, voice: str) -> bytes:
        """The mu-law audio of `text`; nothing for a text without a word."""


class ScriptedRecogniser:
    """Reads the text out of the audio."""

    def __init__(self) -> None:
        self._decoder = TextAudioDecoder()
        self._text = ""

    def passes_over(self, mulaw: bytes) -> bool:
        return not mulaw.strip(_SILENCE)

    async def feed(self, block: bytes) -> bool:
        if not block.strip(_SILENCE):
            return False
        self._text += self._decoder.feed(block)
        return True

    async def partial(self) -> str:
        return self._text.strip()

    async def finish(self) -> str:
        text, self._text = self._text.strip(), ""
        return text

    async def close(self) -> None:
        """Nothing is held."""


class ScriptedEngine:
    """See the module. `bytes_per_char`: how slowly it speaks; with 500 as people do."""

    bytes_per_char = BYTES_PER_CHAR

    async def start(self) -> None:
        """There is nothing to start."""

    async def stop(self) -> None:
        """There is nothing to stop."""

    def recogniser(self) -> ScriptedRecogniser:
        return ScriptedRecogniser()

    async def synthesise(self, text: str, voice: str) -> bytes:
        if not text.strip():
            return b""
        # A flush sounds apart from the next one, so a blank stands behind it; within a flush
        # there is what the client sent.
        return encode(text if text[-1].isspace() else text + " ", self.bytes_per_char)
