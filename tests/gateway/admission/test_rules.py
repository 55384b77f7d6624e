"""What the settings ask for at the doors."""

from __future__ import annotations

from aybiza.config.settings import load
from aybiza.gateway.admission.rules import (
    GUARDED_CALLER_CALLS,
    GUARDED_CALLER_MINUTES,
    Rules,
)
from tests.gateway.admission.carrier_keys import TELNYX_KEY


def test_each_carrier_s_key_is_found_by_its_name() -> None:
    environment = {
        "TWILIO_AUTH_TOKEN": "one",
        "AYBIZA_TELNYX_PUBLIC_KEY": TELNYX_KEY,
        "AYBIZA_SIGNALWIRE_SIGNING_KEY": "two",
    }
    rules = Rules.of(load(environment))
    assert rules.keys == {"twilio": "one", "telnyx": TELNYX_KEY, "signalwire": "two"}
    assert Rules.of(load({})).keys == {}
    assert "two" not in repr(rules)


def test_a_node_that_others_reach_bounds_what_a_caller_may_have() -> None:
    local = Rules.of(load({}))
    assert (local.caller_calls, local.caller_minutes) == (0, 0)
    guarded = Rules.of(load({"AYBIZA_BIND": "0.0.0.0"}))
    limits = (guarded.caller_calls, guarded.caller_minutes)
    assert limits == (GUARDED_CALLER_CALLS, GUARDED_CALLER_MINUTES)
    none = {"AYBIZA_BIND": "0.0.0.0", "AYBIZA_CALLER_CALLS": "0", "AYBIZA_CALLER_MINUTES": "5"}
    assert (Rules.of(load(none)).caller_calls, Rules.of(load(none)).caller_minutes) == (0, 5)


def test_a_node_behind_a_program_of_its_machine_knows_that_it_is() -> None:
    assert Rules.of(load({"AYBIZA_PUBLIC_URL": "https://a.example"})).proxied
    assert not Rules.of(load({})).proxied
    assert not Rules.of(load({"AYBIZA_BIND": "0.0.0.0"})).proxied
