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

from collections.abc import Iterable, Mapping
from typing import Final

from aybiza.config import plugs
from aybiza.config.plugs import Plugged
from aybiza.gateway.carriers.carrier import Carrier
from aybiza.gateway.carriers.twilio_codec import TwilioCodec

__all__ = ["CARRIERS", "SOFTPHONE", "TWILIO", "WHISPER", "Carrier", "chosen"]

WHISPER: Final = "/whisper"
"""Below a carrier's webhook: what somebody hears whom a caller is put through to."""

CARRIERS: Final[Mapping[str, Carrier]] = Plugged(plugs.CARRIERS)
"""All carriers by name; the rows are in `aybiza.config.plugs`."""

SOFTPHONE: Final = Carrier("softphone", "/media/softphone", TwilioCodec)
"""The browser that an operator speaks through, in Twilio's words. It is no carrier that could be
chosen: whoever has the console has it, and its streams need their token always."""

TWILIO: Final = (CARRIERS["twilio"],)


def chosen(names: Iterable[str]) -> tuple[Carrier, ...]:
    """The carriers of these names."""
    return tuple(CARRIERS[name] for name in names)
