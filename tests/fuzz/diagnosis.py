"""Decoders of what operators have diagnosed: logs of switches, and recordings."""

from __future__ import annotations

from aybiza.console.diagnosis.audio import echo_of, judged, measured
from aybiza.console.diagnosis.sip_rules import judged as judged_sip
from aybiza.console.diagnosis.sip_trace import read as read_trace
from aybiza.console.diagnosis.wav import WavError
from aybiza.console.diagnosis.wav import read as read_wav
from tests.console.diagnosis.sip_kit import FORMS, good, message, sdp
from tests.console.diagnosis.wav_kit import CODED, riff
from tests.fuzz.decoder import Decoder
from tests.fuzz.mutate import broken_bytes, broken_text


def sip() -> Decoder:
    """Traces of each switch, with all kinds of messages."""
    call = good(sdp("192.168.1.5", "9 18"), sdp("0.0.0.0"))
    call += [("out", message("503 Away", "3 INVITE")), ("in", message("INFO", "4 INFO"))]
    call += [("in", message("BYE", "5 BYE", more="Reason: Q.850;cause=102"))]
    # Three messages of each call: what is judged is a message beside the next.
    few = [call, *(call[at : at + 3] for at in range(len(call) - 2))]
    logs = ["\n".join(form(part)) for form in FORMS.values() for part in few]
    logs.append("Got  RTP packet from    10.0.0.9:4000 (type 00)\n" * 60)
    return Decoder(
        lambda random: broken_text(random, random.choice(logs), logs),
        lambda text: judged_sip(read_trace(text.split("\n"))),
    )


def wav() -> Decoder:
    """Recordings of each code, in one and in two channels."""
    files = [
        riff(code, bits, body[: len(body) // 16 * 16], channels=channels)
        for code, bits, body, _ in CODED.values()
        for channels in (1, 2)
    ]

    def decode(data: bytes) -> None:
        sound = read_wav(data)
        echo = echo_of(sound.channels[0], sound.channels[-1], sound.rate)
        list(judged(measured(sound), echo))

    return Decoder(
        lambda random: broken_bytes(random, random.choice(files), files), decode, (WavError,)
    )
