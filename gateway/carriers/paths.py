"""The carriers whose calls a node takes: where each comes in, and what its wire is.

    twilio       /media              TwiML of /incoming
    telnyx       /media/telnyx       TeXML of /incoming/telnyx
    signalwire   /media/signalwire   cXML of /incoming/signalwire
    freeswitch   /media/freeswitch   a switch of one's own: no webhook, its dialplan decides
    softphone    /media/softphone    the console's page: no webhook, the page asks for its token

The first three read the same answer to their webhook: `<Connect><Stream>` with `<Parameter>`s,
behind it a `<Redirect>`. `AYBIZA_CARRIERS` says which of them a node lets in. Asterisk comes by TCP
and has a door of its own (`aybiza.gateway.carriers.audio_socket`).

Source: Telnyx, "TeXML: Stream" and "Connect"; SignalWire, "cXML: <Stream>"; mod_audio_fork, README.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aybiza.gateway.carriers.codec import Codec
from aybiza.gateway.carriers.freeswitch_codec import SUBPROTOCOL, FreeSwitchCodec
from aybiza.gateway.carriers.signalwire_codec import SignalWireCodec
from aybiza.gateway.carriers.telnyx_codec import TelnyxCodec
from aybiza.gateway.carriers.twilio_codec import TwilioCodec

WHISPER: Final = "/whisper"
"""Below a carrier's webhook: what somebody hears whom a caller is put through to."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier. `path`: of its media websocket; `codec` makes the codec of a connection.

    `webhook`: the path at which it asks what to do with a call; empty if it does not ask.
    `stream`: attributes that `<Stream>` needs there. `subprotocol`: what its websockets offer.
    `names_the_call`: its streams know a call by another id than its webhooks, so the parameter
    `CallSid` has to tell them.
    """

    name: str
    path: str
    codec: Callable[[], Codec]
    webhook: str = ""
    stream: Mapping[str, str] = field(default_factory=dict)
    subprotocol: str = ""
    names_the_call: bool = False


CARRIERS: Final[Mapping[str, Carrier]] = {
    carrier.name: carrier
    for carrier in (
        Carrier("twilio", "/media", TwilioCodec, "/incoming"),
        Carrier(
            "telnyx",
            "/media/telnyx",
            TelnyxCodec,
            "/incoming/telnyx",
            # Without these the stream is one-way but for MP3 files, in whatever codec the call has.
            {
                "track": "inbound_track",
                "codec": "PCMU",
                "bidirectionalMode": "rtp",
                "bidirectionalCodec": "PCMU",
                "bidirectionalSamplingRate": "8000",
            },
            names_the_call=True,
        ),
        Carrier("signalwire", "/media/signalwire", SignalWireCodec, "/incoming/signalwire"),
        Carrier("freeswitch", "/media/freeswitch", FreeSwitchCodec, subprotocol=SUBPROTOCOL),
    )
}
"""All carriers by name."""

SOFTPHONE: Final = Carrier("softphone", "/media/softphone", TwilioCodec)
"""The browser that an operator speaks through, in Twilio's words. It is no carrier that could be
chosen: whoever has the console has it, and its streams need their token always."""

TWILIO: Final = (CARRIERS["twilio"],)


def chosen(names: Iterable[str]) -> tuple[Carrier, ...]:
    """The carriers of these names."""
    return tuple(CARRIERS[name] for name in names)
