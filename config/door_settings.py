"""Settings of the doors: where a node listens, and who may come in.

Source: Twilio, "Media Streams" and "Validating requests".
"""

from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, model_validator

from config.fields import (
    Interface,
    PublicUrl,
    Secret,
    number,
    secret,
    setting,
)


class DoorSettings(BaseModel):
    """The doors of the node."""

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
    public_url: PublicUrl | None = setting(
        "AYBIZA_PUBLIC_URL",
        None,
        "an https or wss URL without query, such as https://phone.example.org",
        "Base URL at which Twilio reaches this node; for TwiML and for signatures.",
    )
    twilio_auth_token: Secret | None = secret(
        "TWILIO_AUTH_TOKEN", "Twilio's auth token; with it, webhooks must be signed."
    )

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.http_port == self.media_port != 0:
            raise ValueError(
                f"AYBIZA_HTTP_PORT and AYBIZA_MEDIA_PORT: both are {self.http_port}, must differ"
            )
        return self

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
