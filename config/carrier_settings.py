"""Settings of what a node tells carriers and switches: their APIs and control doors.

Source: Twilio, SignalWire and Telnyx, REST APIs; FreeSWITCH, mod_event_socket; Asterisk, AMI.
"""

from typing import Annotated

from pydantic import BaseModel, StringConstraints

from aybiza.config.fields import AbsolutePath, HostPort, HttpUrl, Secret, Text, secret, setting
from aybiza.config.tables import GROUP

AccountSid = Annotated[Text, StringConstraints(pattern=r"^AC[0-9a-f]{32}\Z")]
Project = Annotated[Text, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
UserName = Annotated[Text, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}\Z")]

_HOST_PORT = "host:port, such as 127.0.0.1:"


class CarrierSettings(BaseModel):
    """How calls are ended, and on a switch of one's own put through, beside their media."""

    model_config = GROUP

    twilio_account_sid: AccountSid | None = setting(
        "TWILIO_ACCOUNT_SID",
        None,
        "AC and 32 hexadecimal digits",
        "Twilio's account; with it and TWILIO_AUTH_TOKEN, calls are ended by Twilio's API.",
    )
    twilio_api: HttpUrl = setting(
        "AYBIZA_TWILIO_API",
        "https://api.twilio.com",
        "an http or https URL such as https://api.twilio.com",
        "Where Twilio's API is.",
    )
    outbound_file: AbsolutePath | None = setting(
        "AYBIZA_OUTBOUND_FILE",
        None,
        "an absolute path of a file",
        "Rules of the calls that the node places: who, when, how often; unset: it places none.",
    )
    telnyx_api_key: Secret | None = secret(
        "AYBIZA_TELNYX_API_KEY", "Telnyx's API key; with it, calls are ended by Telnyx's API."
    )
    telnyx_api: HttpUrl = setting(
        "AYBIZA_TELNYX_API",
        "https://api.telnyx.com",
        "an http or https URL such as https://api.telnyx.com",
        "Where Telnyx's API is.",
    )
    signalwire_api: HttpUrl | None = setting(
        "AYBIZA_SIGNALWIRE_API",
        None,
        "an http or https URL such as https://example.signalwire.com",
        "SignalWire's space; with it, project and token, calls are ended by SignalWire's API.",
    )
    signalwire_project: Project | None = setting(
        "AYBIZA_SIGNALWIRE_PROJECT",
        None,
        "letters, digits and hyphens, at most 64",
        "SignalWire's project.",
    )
    signalwire_token: Secret | None = secret(
        "AYBIZA_SIGNALWIRE_TOKEN", "SignalWire's API token of the project."
    )
    freeswitch_control: HostPort | None = setting(
        "AYBIZA_FREESWITCH_CONTROL",
        None,
        f"{_HOST_PORT}8021",
        "FreeSWITCH's event socket; with it and its password, calls are put through and ended.",
    )
    freeswitch_password: Secret | None = secret(
        "AYBIZA_FREESWITCH_PASSWORD", "The password of FreeSWITCH's event socket."
    )
    asterisk_control: HostPort | None = setting(
        "AYBIZA_ASTERISK_CONTROL",
        None,
        f"{_HOST_PORT}5038",
        "Asterisk's manager interface; with it, user and secret, calls are put through and ended.",
    )
    asterisk_user: UserName | None = setting(
        "AYBIZA_ASTERISK_USER",
        None,
        "letters, digits and any of _ . -, at most 64",
        "The user of manager.conf.",
    )
    asterisk_secret: Secret | None = secret(
        "AYBIZA_ASTERISK_SECRET", "The secret of that user in manager.conf."
    )
