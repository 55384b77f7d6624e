"""A switch's address serves the switch, not those for whom a connection from there is made."""

from __future__ import annotations

import pytest

from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.rules import Knock, Rules
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, ProtocolError, Start

SWITCH, PROXY, STRANGER = "10.1.2.3", "10.0.0.7", "203.0.113.9"
START = Start("s", "call-1", "", ("inbound",), MULAW_8000_MONO, {})


def stream(admission: Admission, peer: str, **headers: str) -> Start:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    caller = admission.caller(Knock(peer, False, "/media/freeswitch", "/media/freeswitch", named))
    visit = admission.visit(caller.address, carrier="freeswitch", hidden=caller.hidden)
    return visit.start(START)


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": STRANGER},
        {"x_forwarded_for": SWITCH},
        {"forwarded": f"for={STRANGER}"},
        {"via": "1.1 nginx"},
        {"x_real_ip": STRANGER},
    ],
)
def test_a_proxy_at_a_switch_s_address_does_not_speak_for_the_switch(
    headers: dict[str, str],
) -> None:
    admission = Admission(Rules(stream_tokens=True, switches=(f"{SWITCH}/32",)))
    with pytest.raises(ProtocolError, match="missing"):
        stream(admission, SWITCH, **headers)
    assert stream(admission, SWITCH).call_sid == "call-1"


@pytest.mark.parametrize(
    "chain", [STRANGER, f"{SWITCH}, {STRANGER}", f"{SWITCH}, {STRANGER}, {PROXY}", "unknown"]
)
def test_trust_ends_at_the_last_proxy_that_is_trusted(chain: str) -> None:
    rules = Rules(stream_tokens=True, switches=(f"{SWITCH}/32",), trusted_proxies=(f"{PROXY}/32",))
    with pytest.raises(ProtocolError, match="missing"):
        stream(Admission(rules), PROXY, x_forwarded_for=chain)
    assert stream(Admission(rules), PROXY, x_forwarded_for=f"{STRANGER}, {SWITCH}")
