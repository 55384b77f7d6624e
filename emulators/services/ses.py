"""Amazon SES v2's SendEmail, into an outbox.

Contract: `Outbox.messages` holds what was sent, oldest first. A recipient in `rejected` is refused
as SES refuses it.
Source: Amazon SES v2, SendEmail.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Final

from aybiza.emulators.bedrock.connection import HttpRequest
from aybiza.emulators.services.answer import Answer, Refused, as_json

PATH: Final = "/v2/email/outbound-emails"
KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class Message:
    """One e-mail."""

    id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    body: str


class Outbox:
    """See the module."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque(maxlen=KEPT)
        self.rejected: set[str] = set()
        self._count = 0

    async def serve(self, request: HttpRequest) -> Answer:
        """SendEmail with simple content."""
        try:
            asked = json.loads(request.body)
            to = tuple(asked["Destination"]["ToAddresses"])
            simple = asked["Content"]["Simple"]
            sender = asked["FromEmailAddress"]
            subject, body = simple["Subject"]["Data"], simple["Body"]["Text"]["Data"]
        except (ValueError, KeyError, TypeError) as fault:
            raise Refused(400, "BadRequestException", f"{fault!r} is missing or wrong") from None
        refused = self.rejected.intersection(to)
        if refused or not to:
            raise Refused(400, "MessageRejected", f"Address is not verified: {sorted(refused)}")
        self._count += 1
        self.messages.append(Message(f"message-{self._count}", sender, to, subject, body))
        return as_json({"MessageId": f"message-{self._count}"})
