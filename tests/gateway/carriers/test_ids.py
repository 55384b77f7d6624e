"""What ids look like that carriers give to calls."""

from __future__ import annotations

from aybiza.gateway.carriers.ids import ANY_CALL, CALL_IDS


def test_each_carrier_has_its_own_ids() -> None:
    own = {"twilio": "CA" + "0" * 32, "telnyx": "v3:a/b+c=", "signalwire": "76ac3c36-56da"}
    for carrier, call in own.items():
        assert CALL_IDS[carrier].match(call)
    assert not CALL_IDS["twilio"].match(own["telnyx"])
    assert not CALL_IDS["signalwire"].match(own["telnyx"])


def test_a_call_s_id_is_one_whosever_it_is() -> None:
    own = ("CA" + "0" * 32, "v3:a/b+c=", "9f1c2e60-58a1-4a7c-9d57-0c3f5a1b2c3d", "a" * 128)
    assert all(map(ANY_CALL.match, own))
    assert not any(map(ANY_CALL.match, ("", "CA <b>", "a\n", "\u00e4", "a" * 129)))
