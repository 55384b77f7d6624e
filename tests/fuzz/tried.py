"""How many inputs each decoder has been given without a fault, as the page of threats tells.

Who gives one more (`python -m tests.fuzz --inputs 1000000 --decoder NAME`) writes it down here: the
page is held to it.
"""

from __future__ import annotations

from typing import Final

MILLION: Final = 1_000_000

_WHOLE: Final = (
    "waits "
    "frames wire channel twilio telnyx signalwire freeswitch audiosocket forms tokens deepgram "
    "bedrock agents plans routes vapi literals rules scripts quotas cookies phrases ledgers "
    "trails journals redis dynamodb sqlite periods numbers esl ami dialled headers subprotocols "
    "http_door addresses controls requests twiml answers results analyses pages told_answers "
    "inputs links programs refusals sealed chat voices embeddings passages collectors "
    "keys orders wishes attempts signals certificates dial_rules dial_lists experiments "
    "selections "
)
_FEWER: Final = {
    "models": 102_000,
    "recordings": 12_000,
    "campaigns": 21_000,
    "tools": 12_000,
    "prices": 12_000,
    "sip": 12_000,
    "personas": 12_000,
    "words": 12_000,
    "wav": 2_000,
    "documents": 2_000,
    "listed": 2_000,
    "schemas": 2_000,
    "http_bytes": 1_000,
    "media_bytes": 1_000,
    "settings": 1_000,
}
"""Those that read much of an input, or whole connections."""

TRIED: Final[dict[str, int]] = {**dict.fromkeys(_WHOLE.split(), MILLION), **_FEWER}
