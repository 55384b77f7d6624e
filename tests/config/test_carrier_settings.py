"""The settings of carriers' APIs and control doors."""

from __future__ import annotations

from aybiza.config.settings import FIELDS, is_secret, load


def test_the_apis_are_the_carriers_own_unless_said_otherwise() -> None:
    settings = load({})
    assert settings.twilio_api == "https://api.twilio.com"
    assert settings.telnyx_api == "https://api.telnyx.com"
    assert settings.signalwire_api is None
    assert settings.freeswitch_control is settings.asterisk_control is None


def test_keys_tokens_and_passwords_are_secrets() -> None:
    hidden = {name for name in FIELDS if name.endswith(("_PASSWORD", "_API_KEY", "_SECRET"))}
    hidden |= {"AYBIZA_SIGNALWIRE_TOKEN", "TWILIO_AUTH_TOKEN"}
    assert len(hidden) >= 6
    assert all(map(is_secret, hidden))
