"""Which carriers and switches a node can tell something, as its settings say.

Errors: none. A door or an account without its key is warned of.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from pydantic import SecretStr

from aybiza.config.settings import Settings
from aybiza.gateway.control.control import Control
from aybiza.gateway.control.esl import EventSocket
from aybiza.gateway.control.manager import Manager
from aybiza.gateway.control.rest import RestControl, signalwire, telnyx, twilio

log = structlog.get_logger(__name__)


def controls(settings: Settings) -> Mapping[str, Control]:
    """Those that the settings name, by the carrier's name; Asterisk's is `asterisk`.

    Reads certificates: call it before the event loop has calls to carry.
    """
    made: dict[str, Control] = {}
    token = _said(settings.twilio_auth_token)
    if settings.twilio_account_sid and token:
        api = twilio(settings.twilio_account_sid, token, settings.twilio_api)
        made["twilio"] = RestControl(api)
    if key := _said(settings.telnyx_api_key):
        made["telnyx"] = RestControl(telnyx(key, settings.telnyx_api))
    project, token = settings.signalwire_project, _said(settings.signalwire_token)
    if settings.signalwire_api and project and token:
        made["signalwire"] = RestControl(signalwire(project, token, settings.signalwire_api))
    password = _said(settings.freeswitch_password)
    if settings.freeswitch_control and password:
        made["freeswitch"] = EventSocket(settings.freeswitch_control, password)
    user, password = settings.asterisk_user, _said(settings.asterisk_secret)
    if settings.asterisk_control and user and password:
        made["asterisk"] = Manager(settings.asterisk_control, user, password)
    for carrier, named, missing in (
        ("twilio", settings.twilio_account_sid, "TWILIO_AUTH_TOKEN"),
        ("signalwire", settings.signalwire_api, "AYBIZA_SIGNALWIRE_PROJECT and _TOKEN"),
        ("freeswitch", settings.freeswitch_control, "AYBIZA_FREESWITCH_PASSWORD"),
        ("asterisk", settings.asterisk_control, "AYBIZA_ASTERISK_USER and _SECRET"),
    ):
        if named and carrier not in made:
            log.warning("carrier_cannot_be_told", carrier=carrier, do=f"set {missing}")
    return made


def _said(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
