"""A worker process of the acoustic engine: recognises.

Started as `python -m aybiza.emulators.deepgram.worker`; ends when its standard input ends. Requests
and replies are frames on the two pipes; `number` pairs them:

    request   length u32 | operation u8 | session u32 | number u32 | payload
    reply     length u32 | number u32 | payload

    A  audio: position u32 in the utterance | mu-law                     no reply
    P  partial: length u32 of the utterance | what it sounds like so far
    F  finish: length u32 of the utterance  | its text; the next one begins
    C  close: the session is gone                                        no reply

A reply is one byte, `KNOWN` or `UNKNOWN`, and UTF-8 text. It is unknown when the audio that came is
not the whole utterance up to the length that was told, as in a process that took another's place:
the utterance is then sent again from position 0.

Decoding holds the interpreter lock: hence processes. A decoder takes 6 MB and is lent to a session
for an utterance.

Source: pocketsphinx, `Decoder`.
"""

from __future__ import annotations

import contextlib
import gzip
import signal
import struct
import sys
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO

from aybiza.emulators.deepgram.language_model import DICTIONARY, MODEL
from aybiza.speech import mulaw
from aybiza.speech.resample import Upsampler

REQUEST = struct.Struct(">IBII")
REPLY = struct.Struct(">II")
PLACE = struct.Struct(">I")
KNOWN, UNKNOWN = b"\1", b"\0"

# Utterances at a time; more are not heard. By then the machine has long been too slow.
MOST_UTTERANCES = 40
# Decoders kept for the next utterance.
KEPT_DECODERS = 4

# Gaussians a sound is compared with; with the usual 4 one word in twelve more is wrong.
MIXTURES = 8

# Cepstral means of telephone speech, so that the first words are heard as well as the rest.
CEPSTRAL_MEANS = "46.33,3.74,3.74,20.75,2.59,1.53,-0.4,1.13,-14.68,4.56,-3.7,6.53,-3.81"

MakeDecoder = Callable[[], Any]


class Utterance:
    """An utterance that is being heard; each begins alike, whatever its decoder heard before."""

    def __init__(self, decoder: Any) -> None:
        self.decoder = decoder
        self.heard = 0
        self._up = Upsampler()
        decoder.set_cmn(CEPSTRAL_MEANS)
        decoder.start_utt()

    def audio(self, codes: bytes) -> None:
        """The next mu-law audio."""
        self.heard += len(codes)
        self.decoder.process_raw(self._up.feed(mulaw.decode(codes)).tobytes(), False, False)

    def text(self) -> str:
        """What it sounds like so far."""
        hypothesis = self.decoder.hyp()
        return hypothesis.hypstr.strip() if hypothesis else ""

    def end(self) -> str:
        """It is over: its text."""
        self.decoder.end_utt()
        return self.text()


class Hearing:
    """The sessions of a worker."""

    def __init__(self, make: MakeDecoder) -> None:
        self._make = make
        self._idle = [make()]
        self._utterances: dict[int, Utterance] = {}

    def answer(self, operation: str, session: int, payload: bytes) -> bytes | None:
        """Deal with a request; its reply."""
        utterance = self._utterances.get(session)
        (place,) = PLACE.unpack(payload[: PLACE.size]) if operation in "APF" else (0,)
        match operation:
            case "A":
                self._audio(session, utterance, place, payload[PLACE.size :])
            case "C":
                self._end(session)
            case "P" | "F":
                if place != (utterance.heard if utterance else 0):
                    return UNKNOWN
                if utterance is None:
                    return KNOWN
                text = utterance.text() if operation == "P" else self._end(session)
                return KNOWN + text.encode()
        return None

    def _audio(self, session: int, utterance: Utterance | None, place: int, codes: bytes) -> None:
        if place == 0:
            self._end(session)
            if len(self._utterances) >= MOST_UTTERANCES:
                return
            utterance = Utterance(self._idle.pop() if self._idle else self._make())
            self._utterances[session] = utterance
        if utterance is not None and utterance.heard == place:
            utterance.audio(codes)

    def _end(self, session: int) -> str:
        utterance = self._utterances.pop(session, None)
        if utterance is None:
            return ""
        text = utterance.end()
        if len(self._idle) < KEPT_DECODERS:
            self._idle.append(utterance.decoder)
        return text


def decoder_maker() -> MakeDecoder:
    """Makes decoders over the shipped language model."""
    import pocketsphinx

    text = gzip.decompress(MODEL.read_bytes())

    def make() -> Any:
        with tempfile.NamedTemporaryFile(suffix=".arpa") as unpacked:
            unpacked.write(text)
            unpacked.flush()
            return pocketsphinx.Decoder(
                lm=unpacked.name,
                dict=str(DICTIONARY),
                fwdflat=False,
                topn=MIXTURES,
                cmninit=CEPSTRAL_MEANS,
                loglevel="FATAL",
            )

    return make


def serve(source: BinaryIO, sink: BinaryIO, hearing: Hearing) -> None:
    """Answer requests until `source` ends."""
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        length, operation, session, number = REQUEST.unpack(head)
        reply = hearing.answer(chr(operation), session, source.read(length))
        if reply is not None:
            sink.write(REPLY.pack(len(reply), number) + reply)
            sink.flush()


def main() -> None:
    """Serve until standard input ends."""
    # Ctrl-C goes to all processes of a terminal; this one ends with its parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, Hearing(decoder_maker()))
    # Nobody reads any more; the interpreter would complain when it flushes.
    with contextlib.suppress(OSError):
        sys.stdout.close()


if __name__ == "__main__":
    main()
