"""Settings of the doors: where a node listens, and who may come in.

Source: Twilio, "Media Streams" and "Validating requests".
"""

import base64
from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, model_validator
from pydantic_settings import NoDecode

from aybiza.config.fields import (
    AbsolutePath,
    CarrierName,
    CommaSeparated,
    Interface,
    Network,
    PublicUrl,
    Secret,
    is_loopback,
    number,
    secret,
    setting,
)
from aybiza.config.plugs import CARRIERS
from aybiza.config.tables import GROUP


def _ed25519(value: str) -> str:
    if len(base64.b64decode(value, validate=True)) != ED25519_BYTES:
        raise ValueError("no public key")
    return value


StreamCodec = Literal["PCMU", "PCMA", "L16", "L16@16000", "L16@24000"]
ED25519_BYTES = 32
TelnyxKey = Annotated[str, AfterValidator(_ed25519)]


class DoorSettings(BaseModel):
    """The doors of the node."""

    model_config = GROUP

    bind: Interface = setting(
        "AYBIZA_BIND",
        "127.0.0.1",
        "an IP address of this machine, such as 127.0.0.1 or 0.0.0.0",
        "Interface on which all servers listen.",
    )
    http_port: int = number(
        "AYBIZA_HTTP_PORT", 3000, 0, 65535, "Port of webhooks, health and metrics; 0: any free one."
    )
    media_port: int = number(
        "AYBIZA_MEDIA_PORT", 8080, 0, 65535, "Port of the media websocket; 0: any free one."
    )
    carriers: Annotated[tuple[CarrierName, ...], NoDecode, CommaSeparated] = setting(
        "AYBIZA_CARRIERS",
        ("twilio",),
        f"some of {', '.join(CARRIERS)}, separated by commas",
        "Carriers whose webhooks and media streams are let in.",
        min_length=1,
    )
    stream_codec: StreamCodec = setting(
        "AYBIZA_STREAM_CODEC",
        "PCMU",
        f"one of {', '.join(get_args(StreamCodec))}",
        "Code in which Telnyx and SignalWire are asked for audio; PCMA where their lines have it.",
    )
    audio_socket_port: int | None = setting(
        "AYBIZA_AUDIOSOCKET_PORT",
        None,
        "a whole number from 0 to 65535",
        "Port at which Asterisk's AudioSocket may connect; 0: any free one; unset: none.",
        ge=0,
        le=65535,
    )
    public_url: PublicUrl | None = setting(
        "AYBIZA_PUBLIC_URL",
        None,
        "an https or wss URL without query, such as https://phone.example.org",
        "Base URL at which Twilio reaches this node; for TwiML and for signatures.",
    )
    twilio_auth_token: Secret | None = secret(
        "TWILIO_AUTH_TOKEN", "Twilio's auth token; with it, webhooks and streams must be signed."
    )
    telnyx_public_key: TelnyxKey | None = setting(
        "AYBIZA_TELNYX_PUBLIC_KEY",
        None,
        "the public key of Telnyx's portal, base64 of 32 bytes",
        "Telnyx's public key; with it, or any carrier's, its webhooks must be signed.",
    )
    signalwire_signing_key: Secret | None = secret(
        "AYBIZA_SIGNALWIRE_SIGNING_KEY",
        "SignalWire's signing key; with it, or any carrier's, its webhooks must be signed.",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, CommaSeparated] = setting(
        "AYBIZA_TRUSTED_PROXIES",
        (),
        "networks such as 10.0.0.0/8 or 127.0.0.1/32, separated by commas",
        "Proxies before the doors, whose X-Forwarded-For, -Proto and -Host are believed.",
    )
    switches: Annotated[tuple[Network, ...], NoDecode, CommaSeparated] = setting(
        "AYBIZA_SWITCHES",
        (),
        "networks such as 10.0.0.0/8 or 127.0.0.1/32, separated by commas",
        "Switches of your own, whose streams come without a webhook, so without a token.",
    )
    rate_limit: int | None = setting(
        "AYBIZA_RATE_LIMIT",
        None,
        "a whole number from 0 to 1000000",
        "Requests a minute of one address, signed ones not counted; 0: any number; unset: 100, or"
        " any number where only this machine reaches the node.",
        ge=0,
        le=1_000_000,
    )
    account_calls: int | None = setting(
        "AYBIZA_ACCOUNT_CALLS",
        None,
        "a whole number from 1 to 10000",
        "Calls at a time of one Twilio account on this node; unset: any number.",
        ge=1,
        le=10_000,
    )
    caller_calls: int | None = setting(
        "AYBIZA_CALLER_CALLS",
        None,
        "a whole number from 0 to 10000",
        "Calls an hour of one caller (From) on this node; 0: any number; unset: 60, or any number"
        " where only this machine reaches the node.",
        ge=0,
        le=10_000,
    )
    caller_minutes: int | None = setting(
        "AYBIZA_CALLER_MINUTES",
        None,
        "a whole number from 0 to 100000",
        "Minutes an hour of one caller (From) on this node, after which no further call is taken;"
        " 0: any number; unset: 120, or any number where only this machine reaches the node.",
        ge=0,
        le=100_000,
    )
    console_token: Secret | None = secret(
        "AYBIZA_CONSOLE_TOKEN",
        "Token of operators' pages such as /metrics; unset: they are for this machine alone.",
    )
    tls_certificate: AbsolutePath | None = setting(
        "AYBIZA_TLS_CERTIFICATE",
        None,
        "an absolute path of a file",
        "Certificate of both doors with its chain, in PEM; unset: no TLS here.",
    )
    tls_key: AbsolutePath | None = setting(
        "AYBIZA_TLS_KEY",
        None,
        "an absolute path of a file",
        "Key of the certificate, in PEM, without a password.",
    )

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.http_port == self.media_port != 0:
            raise ValueError(
                f"AYBIZA_HTTP_PORT and AYBIZA_MEDIA_PORT: both are {self.http_port}, must differ"
            )
        return self

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("AYBIZA_TLS_CERTIFICATE and AYBIZA_TLS_KEY: set both or neither")
        return self

    @property
    def is_local(self) -> bool:
        """Whether nobody but this machine can reach the doors, as far as the settings tell."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return is_loopback(self.bind) and (public is None or is_loopback(public))

    @property
    def is_guarded(self) -> bool:
        """Whether the doors ask for stream tokens and count requests: with an auth token, or if
        others can reach them."""
        return self.twilio_auth_token is not None or not self.is_local

    @property
    def public_http_url(self) -> str | None:
        """Base of the webhooks as Twilio sees it, without a slash at the end; None if unknown."""
        return self._public({"ws": "http", "wss": "https"})

    @property
    def public_media_url(self) -> str | None:
        """Base of the media websocket as Twilio sees it, without `/media`; None if unknown."""
        return self._public({"http": "ws", "https": "wss"})

    def _public(self, schemes: Mapping[str, str]) -> str | None:
        if self.public_url is None:
            return None
        parts = urlsplit(self.public_url.rstrip("/"))
        return urlunsplit(parts._replace(scheme=schemes.get(parts.scheme, parts.scheme)))
