"""The contract of every codec, whatever the carrier: refusals, and what a sender may rely on."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.settings import load
from aybiza.emulators.phone.audio import payload_of
from aybiza.emulators.phone.audio_socket import AudioSocketWire
from aybiza.emulators.phone.bridge import HangUp, Wire
from aybiza.emulators.phone.freeswitch import FreeSwitchWire
from aybiza.emulators.phone.messages import (
    CONNECTED,
    AgentMessage,
    Audio,
    Clear,
    MarkSet,
    StreamWriter,
    new_sid,
    read,
)
from aybiza.emulators.phone.signalwire import SignalWireWire
from aybiza.emulators.phone.telnyx import TelnyxWire
from aybiza.gateway.carriers.audio_socket_codec import CLEAR, MARK, AudioSocketCodec
from aybiza.gateway.carriers.codec import (
    MAX_FRAME_BYTES,
    MAX_REASON_BYTES,
    Codec,
    Connected,
    Dtmf,
    Event,
    Frame,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
)
from aybiza.gateway.carriers.paths import CARRIERS, TWILIO, chosen

CALL = "40325ec2-5efd-4bd3-805f-53576e581d13"
SPEECH = bytes(range(128, 208)) + bytes(range(80))
"""20 ms of mu-law that survives the way over linear samples."""


class TwilioWire:
    """Twilio's side, as the telephone has it."""

    subprotocol: str | None = None

    def __init__(self) -> None:
        self._sid = new_sid("MZ")
        self._writer = StreamWriter(self._sid, CALL, new_sid("AC"))

    def start(self, call_id: str, parameters: Mapping[str, str]) -> Sequence[Frame]:
        return (CONNECTED, self._writer.start(parameters))

    def media(self, mulaw: bytes) -> Sequence[Frame]:
        return (self._writer.media(payload_of(mulaw)),)

    def dtmf(self, digit: str) -> Sequence[Frame]:
        return (self._writer.dtmf(digit),)

    def mark(self, name: str) -> Sequence[Frame]:
        return (self._writer.mark(name),)

    def stop(self) -> Sequence[Frame]:
        return (self._writer.stop(),)

    def read(self, frame: Frame) -> Sequence[AgentMessage | HangUp]:
        return (read(frame, self._sid),)


KINDS: dict[str, tuple[Callable[[], Codec], Callable[[], Wire]]] = {
    "twilio": (CARRIERS["twilio"].codec, TwilioWire),
    "telnyx": (CARRIERS["telnyx"].codec, lambda: TelnyxWire(swap_every=0)),
    "telnyx swapped": (CARRIERS["telnyx"].codec, lambda: TelnyxWire(swap_every=3)),
    "signalwire": (CARRIERS["signalwire"].codec, SignalWireWire),
    "signalwire enveloped": (CARRIERS["signalwire"].codec, lambda: SignalWireWire(enveloped=True)),
    "freeswitch": (CARRIERS["freeswitch"].codec, FreeSwitchWire),
    "audio socket": (AudioSocketCodec, lambda: AudioSocketWire(now=lambda: 0.0)),
}
kinds = pytest.mark.parametrize("kind", KINDS)
frames = st.text() | st.binary() | st.text(st.characters(exclude_categories=()))


def decoded(codec: Codec, given_frames: Sequence[Frame]) -> list[Event]:
    """All events of these frames."""
    return [event for frame in given_frames for event in codec.decode(frame)]


def begun(kind: str) -> tuple[Codec, Wire]:
    """A codec whose stream has started, and the carrier's end of it."""
    codec, wire = KINDS[kind][0](), KINDS[kind][1]()
    start = decoded(codec, wire.start(CALL, {"From": "+13122010094"}))[-1]
    assert isinstance(start, Start) and start.call_sid == CALL
    return codec, wire


@kinds
def test_a_stream_is_read_from_its_start_to_its_stop(kind: str) -> None:
    codec, wire = KINDS[kind][0](), KINDS[kind][1]()
    sent = [*wire.start(CALL, {"From": "+13122010094"})]
    for _ in range(7):
        sent += wire.media(SPEECH)
    sent += [*wire.dtmf("#"), *wire.stop()]
    events = [event for event in decoded(codec, sent) if not isinstance(event, Connected)]
    assert [type(event) for event in events] == [Start, *[Media] * 7, Dtmf, Stop]
    audio = [event for event in events if isinstance(event, Media)]
    assert {event.payload for event in audio} == {SPEECH}
    assert all(one.timestamp_ms < two.timestamp_ms for one, two in pairwise(audio))
    assert Dtmf("#") in events


@kinds
def test_the_number_of_the_caller_comes_along_where_the_carrier_tells_it(kind: str) -> None:
    codec, wire = KINDS[kind][0](), KINDS[kind][1]()
    start = decoded(codec, wire.start(CALL, {"From": "+13122010094"}))[-1]
    assert isinstance(start, Start)
    told = {} if kind == "audio socket" else {"From": "+13122010094"}
    assert dict(start.custom_parameters) == told


@kinds
def test_a_mark_comes_back_by_the_name_it_was_sent_by(kind: str) -> None:
    codec, wire = begun(kind)
    if kind == "audio socket":
        assert decoded(codec, codec.mark("0:1:2")) == [Mark("0:1:2")]
    else:
        assert [m for f in codec.mark("0:1:2") for m in wire.read(f)] == [MarkSet("0:1:2")]
        assert decoded(codec, wire.mark("0:1:2")) == [Mark("0:1:2")]


@kinds
@given(sizes=st.lists(st.integers(1, 2000), max_size=6))
def test_all_audio_before_a_mark_reaches_the_caller_before_it(kind: str, sizes: list[int]) -> None:
    codec, wire = begun(kind)
    given_audio = [(SPEECH * 13)[:size] for size in sizes]
    sent = [frame for audio in given_audio for frame in codec.media(audio)]
    sent += codec.mark("m")
    if kind == "audio socket":
        assert sent[-1] == f"{MARK}m"
        wire = AudioSocketWire(now=iter(range(10**6)).__next__)
        sent = sent[:-1]
    reached = [message for frame in sent for message in wire.read(frame)]
    audio = b"".join(message.mulaw for message in reached if isinstance(message, Audio))
    assert spoken(audio) == spoken(b"".join(given_audio))
    assert kind == "audio socket" or reached[-1] == MarkSet("m")


def spoken(audio: bytes) -> bytes:
    """Audio without the silence that a codec may fill up with."""
    return audio.replace(b"\xff", b"")


@kinds
def test_a_clear_is_the_carriers_own(kind: str) -> None:
    codec, wire = begun(kind)
    if kind == "audio socket":
        assert list(codec.clear()) == [CLEAR]
    else:
        assert [m for f in codec.clear() for m in wire.read(f)] == [Clear()]


@kinds
def test_what_comes_out_of_turn_is_refused_and_the_stream_goes_on(kind: str) -> None:
    codec, wire = KINDS[kind][0](), KINDS[kind][1]()
    early = [*wire.dtmf("1")]
    with pytest.raises(ProtocolError):
        decoded(codec, early)
    codec, wire = begun(kind)
    with pytest.raises(ProtocolError):
        decoded(codec, [KINDS[kind][1]().start(CALL, {})[-1]] * 2)
    assert decoded(codec, wire.dtmf("1")) == [Dtmf("1")]


@kinds
@given(given_frame=frames, started=st.booleans())
def test_only_protocol_errors_come_out_of_any_bytes(
    kind: str, given_frame: Frame, started: bool
) -> None:
    codec = begun(kind)[0] if started else KINDS[kind][0]()
    try:
        codec.decode(given_frame)
    except ProtocolError as error:
        assert error.close_code in {1003, 1007, 1008, 1009}
        assert error.reason.isascii() and len(error.reason) <= MAX_REASON_BYTES


@kinds
@given(data=st.data())
def test_a_frame_that_was_changed_anywhere_is_taken_or_refused(
    kind: str, data: st.DataObject
) -> None:
    codec, wire = KINDS[kind][0](), KINDS[kind][1]()
    sent = [*wire.start(CALL, {"From": "+1"}), *wire.media(SPEECH), *wire.dtmf("1"), *wire.stop()]
    changed = data.draw(st.integers(0, len(sent) - 1))
    for number, frame in enumerate(sent):
        if number == changed:
            at = data.draw(st.integers(0, len(frame)))
            to = data.draw(st.integers(at, len(frame)))
            put = data.draw(st.binary())
            if isinstance(frame, str):
                sent[number] = frame[:at] + put.decode("latin-1") + frame[to:]
            else:
                sent[number] = frame[:at] + put + frame[to:]
        try:
            codec.decode(sent[number])
        except ProtocolError as error:
            assert error.close_code in {1003, 1007, 1008, 1009}


@pytest.mark.parametrize("kind", ["twilio", "telnyx", "signalwire", "freeswitch"])
def test_a_frame_that_is_too_long_is_refused(kind: str) -> None:
    codec, _ = begun(kind)
    with pytest.raises(ProtocolError) as refusal:
        codec.decode('{"event":"' + "x" * MAX_FRAME_BYTES + '"}')
    assert refusal.value.close_code == 1009


@given(st.text(), st.integers(1000, 4999))
def test_a_reason_always_fits_a_close_frame(reason: str, code: int) -> None:
    error = ProtocolError(code, reason * 20)
    assert error.reason.isascii() and len(error.reason) <= MAX_REASON_BYTES


def test_the_settings_name_the_carriers_that_there_are() -> None:
    assert chosen(load({"AYBIZA_CARRIERS": ",".join(CARRIERS)}).carriers) == tuple(
        CARRIERS.values()
    )
    assert chosen(load({}).carriers) == TWILIO


def test_paths_and_webhooks_are_each_carriers_own() -> None:
    paths = [carrier.path for carrier in CARRIERS.values()]
    webhooks = [carrier.webhook for carrier in CARRIERS.values() if carrier.webhook]
    assert len(set(paths)) == len(paths) and len(set(webhooks)) == len(webhooks)
