"""What ids look like that carriers give to calls, streams and accounts: one table for all who read.

    CALL_IDS["telnyx"].match(form["CallSid"])
    ANY_CALL.match(told["call"])

An id is spliced into JSON and written to logs, hence the alphabets. Twilio's have 32 hexadecimal
digits behind two letters; nothing here depends on that, so the count is left to Twilio. Switches
give UUIDs, Telnyx the ids of its call control.

Contract: patterns for `match`, each anchored at its end. Errors: none.
Source: Twilio, "TwiML Voice: request parameters"; Telnyx, "TeXML"; SignalWire, "cXML: request
parameters"; Asterisk, "AudioSocket"; mod_audio_fork, README.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

PLAIN: Final = re.compile(r"[0-9A-Za-z_.:-]{1,64}\Z", re.ASCII)
"""Of accounts, and of calls of all but Telnyx."""

WIDE: Final = re.compile(r"[0-9A-Za-z_.:=+/-]{1,128}\Z", re.ASCII)
"""Of whatever Telnyx gives one to."""

CALL_IDS: Final[Mapping[str, re.Pattern[str]]] = {
    "twilio": re.compile(r"CA[0-9A-Za-z_-]{1,62}\Z", re.ASCII),
    "telnyx": WIDE,
    "signalwire": PLAIN,
    "softphone": re.compile(r"CA[0-9a-f]{32}\Z", re.ASCII),
}
"""What a call's id looks like, of carriers whose webhook names it and of our own softphone."""

ANY_CALL: Final = WIDE
"""What a call's id looks like, whosever it is; no carrier's is wider."""
