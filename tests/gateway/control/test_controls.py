"""What a node can tell carriers follows from its settings."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from aybiza.config.settings import load
from aybiza.gateway.control.control import Switch
from aybiza.gateway.control.controls import controls

ALL = {
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "AYBIZA_TELNYX_API_KEY": "key",
    "AYBIZA_SIGNALWIRE_API": "https://example.signalwire.com",
    "AYBIZA_SIGNALWIRE_PROJECT": "p-1",
    "AYBIZA_SIGNALWIRE_TOKEN": "token",
    "AYBIZA_FREESWITCH_CONTROL": "127.0.0.1:8021",
    "AYBIZA_FREESWITCH_PASSWORD": "password-of-ours",
    "AYBIZA_ASTERISK_CONTROL": "127.0.0.1:5038",
    "AYBIZA_ASTERISK_USER": "aybiza",
    "AYBIZA_ASTERISK_SECRET": "secret-of-ours",
}


def test_a_node_without_settings_can_tell_nobody_anything() -> None:
    assert controls(load({})) == {}
    assert controls(load({"TWILIO_AUTH_TOKEN": "token"})) == {}


async def test_each_carrier_has_its_control_and_switches_put_through() -> None:
    made = controls(load(ALL))
    assert set(made) == {"twilio", "telnyx", "signalwire", "freeswitch", "asterisk"}
    switches = {name for name, control in made.items() if isinstance(control, Switch)}
    assert switches == {"freeswitch", "asterisk"}
    for control in made.values():
        await control.aclose()


@pytest.mark.parametrize("missing", [name for name in ALL if name != "AYBIZA_TELNYX_API_KEY"])
def test_half_of_what_a_carrier_needs_is_nothing_and_warned_of(missing: str) -> None:
    settings = load({name: value for name, value in ALL.items() if name != missing})
    with capture_logs() as logs:
        assert len(controls(settings)) == 4
    warned = [entry["do"] for entry in logs if entry["event"] == "carrier_cannot_be_told"]
    named = missing.endswith(("_CONTROL", "_API", "_SID"))
    assert len(warned) == (0 if named else 1)
    assert "token" not in str(logs).replace("_TOKEN", "")
