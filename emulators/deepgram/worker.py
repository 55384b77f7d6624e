"""A worker process of the acoustic engine: recognises and, without flite, speaks.

Started as `python -m emulators.deepgram.worker`; ends when its standard input ends. Requests and
replies are frames on the two pipes, answered in order:

    request   length u32 | operation u8 | session u32 | payload
    reply     length u32 | payload

    A  audio: mu-law of the utterance       no reply
    P  partial                              what it sounds like so far, UTF-8
    F  finish: the utterance is over        its text; the next one begins
    C  close: the session is gone           no reply
    S  speak: UTF-8 text                    mu-law audio

Decoding holds the interpreter lock and espeak is not thread-safe: hence processes.

Source: pocketsphinx, `Decoder`; espeak-ng, `speak_lib.h`.
"""

from __future__ import annotations

import ctypes
import gzip
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from emulators.deepgram.language_model import DICTIONARY, MODEL
from speech import mulaw
from speech.resample import Downsampler, Upsampler

REQUEST = struct.Struct(">IBI")
REPLY = struct.Struct(">I")

# Cepstral means of telephone speech, so that the first words of a call are heard as well as the rest.
CEPSTRAL_MEANS = "46.33,3.74,3.74,20.75,2.59,1.53,-0.4,1.13,-14.68,4.56,-3.7,6.53,-3.81"

ESPEAK_RATE = 22050
ESPEAK_VOICE = b"en-us"
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_CHARACTERS_UTF8 = 1


class Recognition:
    """The utterances of one session."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._up = Upsampler()
        self._open = False

    def audio(self, codes: bytes) -> None:
        """More of the utterance."""
        if not self._open:
            self._decoder.start_utt()
            self._up = Upsampler()
            self._open = True
        samples = self._up.feed(mulaw.decode(codes))
        self._decoder.process_raw(samples.tobytes(), False, False)

    def partial(self) -> str:
        """What it sounds like so far."""
        return self._text() if self._open else ""

    def finish(self) -> str:
        """The text of the utterance, which is over."""
        if not self._open:
            return ""
        self._decoder.end_utt()
        self._open = False
        return self._text()

    def _text(self) -> str:
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr.strip() if hypothesis else ""


def decoder_factory() -> Callable[[], Any]:
    """Makes decoders over the shipped language model; one is made ahead."""
    import pocketsphinx

    text = gzip.decompress(MODEL.read_bytes())

    def make() -> Any:
        with tempfile.NamedTemporaryFile(suffix=".arpa") as unpacked:
            unpacked.write(text)
            unpacked.flush()
            return _decoder(pocketsphinx, unpacked.name)

    ready = [make()]
    return lambda: ready.pop() if ready else make()


def _decoder(pocketsphinx: Any, model: str) -> Any:
    return pocketsphinx.Decoder(
        lm=model,
        dict=str(DICTIONARY),
        fwdflat=False,
        cmninit=CEPSTRAL_MEANS,
        loglevel="FATAL",
    )


class Espeak:
    """espeak-ng through the library that comes with `espeakng-loader`."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._samples: list[bytes] = []
        path = str(Path(espeakng_loader.get_data_path()).parent).encode()
        rate = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, path, 0)
        if rate != ESPEAK_RATE:
            raise OSError(f"espeak-ng did not start: its rate is {rate}")
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        # Kept: the library calls it as long as it lives.
        self._callback = kind(self._take)
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_SetVoiceByName(ESPEAK_VOICE)

    def speak(self, text: str) -> bytes:
        """The mu-law audio of `text`."""
        self._samples.clear()
        data = text.encode() + b"\0"
        self._library.espeak_Synth(
            data, ctypes.c_size_t(len(data)), 0, 0, 0, _CHARACTERS_UTF8, None, None
        )
        self._library.espeak_Synchronize()
        pcm = np.frombuffer(b"".join(self._samples), dtype=np.int16)
        down = Downsampler(ESPEAK_RATE)
        return mulaw.encode(np.concatenate([down.feed(pcm), down.flush()]))

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._samples.append(ctypes.string_at(samples, count * 2))
        return 0


def main() -> None:
    """Serve until standard input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    make = decoder_factory()
    sessions: dict[int, Recognition] = {}
    espeak: Espeak | None = None
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        length, operation, session = REQUEST.unpack(head)
        payload = source.read(length)
        reply: bytes | None = None
        match chr(operation):
            case "A":
                if session not in sessions:
                    sessions[session] = Recognition(make())
                sessions[session].audio(payload)
            case "P":
                reply = sessions[session].partial().encode() if session in sessions else b""
            case "F":
                reply = sessions[session].finish().encode() if session in sessions else b""
            case "C":
                sessions.pop(session, None)
            case "S":
                espeak = espeak or Espeak()
                reply = espeak.speak(payload.decode())
        if reply is not None:
            sink.write(REPLY.pack(len(reply)) + reply)
            sink.flush()


if __name__ == "__main__":
    main()
